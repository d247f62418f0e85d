"""Which bytes of a file an answer to a ranged GET holds. Pure.

Nothing is believed unchecked: object stores answer 200 with the whole object for a range whose end is
past its end, and servers may ignore `Range` altogether. Ranges are half-open, in bytes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from minimaxfs.core.errors import BrokenReply

_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,19})-(\d{1,19})|\*)/(\d{1,19}|\*)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Framing:
    """`start` to `stop` come; `stop` and the file's `total` are None where the server does not say.

    `whole` is whether the answer is the entire file, asked for or not.
    """

    start: int
    stop: int | None
    total: int | None
    whole: bool


def range_header(start: int, stop: int | None) -> Mapping[str, str]:
    """The header that asks for bytes `start` to `stop`, or to the end."""
    return {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}


def framing(
    what: str, status: int, headers: Mapping[str, str], start: int, stop: int | None
) -> Framing | None:
    """What an answer to `range_header(start, stop)` holds; None for a status that brings no file.

    Raises BrokenReply for an answer that contradicts itself or the question.
    """
    if status not in (200, 206, 416):
        return None
    if status == 416:
        return _past_the_end(what, headers, start)
    coding = headers.get("content-encoding", "identity")
    if coding.strip().lower() not in ("", "identity"):
        raise BrokenReply(f"{what}: the bytes come encoded, though that was ruled out")
    if status == 200:
        length = _length(what, headers)
        return Framing(0, length, length, whole=True)
    return _partial(what, headers, start, stop)


def _partial(what: str, headers: Mapping[str, str], start: int, stop: int | None) -> Framing:
    told = headers.get("content-range", "")
    match = _CONTENT_RANGE.fullmatch(told.strip())
    if match is None or match[1] is None:
        raise BrokenReply(f"{what}: a part came that does not say which ({told[:80]!r})")
    first, end = int(match[1]), int(match[2]) + 1
    total = None if match[3] == "*" else int(match[3])
    wanted = min((bound for bound in (stop, total) if bound is not None), default=end)
    if first != start or not start < end <= wanted or (total is not None and end < wanted):
        raise BrokenReply(f"{what}: bytes {start} to {stop} were asked for, and {told[:80]!r} came")
    if _length(what, headers) not in (None, end - start):
        raise BrokenReply(f"{what}: the length of the part is not that of its range")
    return Framing(start, end, total, whole=start == 0 and end == total)


def _past_the_end(what: str, headers: Mapping[str, str], start: int) -> Framing:
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if match is None or match[1] is not None or match[3] == "*" or int(match[3]) > start:
        raise BrokenReply(f"{what}: the store says that there is nothing from byte {start} on")
    return Framing(start, start, int(match[3]), whole=False)


def _length(what: str, headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        raise BrokenReply(f"{what}: the length is no number")
    return int(text)
