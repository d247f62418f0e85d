r"""A strict, incremental parser of multipart/form-data (RFC 7578): bytes in, events out. No I/O.

It takes what clients really send: parts in any order and without Content-Type, `\"` and `\\` in a quoted
filename, `filename*=UTF-8''…`; %22, %0D and %0A of browsers stay as they came. Anything else that is
not a form is an error, so that a client's bug is found here and not at the real store.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import unquote

_HEAD_LIMIT = 16 * 1024
_BOUNDARY = re.compile(r'multipart/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^\s;"]+))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([\w!#$&\'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))\s*')
_ESCAPE = re.compile(r'\\(["\\])')


class MultipartError(Exception):
    """The body is not a well-formed form."""


@dataclass(frozen=True, slots=True)
class PartStart:
    """A part begins. `filename` is None for a plain field."""

    name: str
    filename: str | None


@dataclass(frozen=True, slots=True)
class PartData:
    """Some bytes of the part that began last."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part that began last is complete."""


Event = PartStart | PartData | PartEnd


class _State(Enum):
    PREAMBLE = auto()
    DELIMITED = auto()
    HEAD = auto()
    BODY = auto()
    END = auto()


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names, or MultipartError."""
    found = _BOUNDARY.match(content_type)
    if found is None:
        raise MultipartError("the Content-Type names no multipart/form-data boundary")
    return (found[1] or found[2]).encode()


class Parser:
    """Feed it the body in pieces of any size; what comes out does not depend on how it was cut."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        # The first delimiter needs no line end before it: pretend that there was one.
        self._buffer = b"\r\n"
        self._state = _State.PREAMBLE

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that these bytes complete. Consume them all before feeding more."""
        self._buffer += data
        while True:
            before = self._state, len(self._buffer)
            yield from self._step()
            if (self._state, len(self._buffer)) == before:
                return

    def finish(self) -> None:
        """Say that the body has ended: MultipartError if the form has not."""
        if self._state is not _State.END:
            raise MultipartError("the body ends before the closing boundary")

    def _step(self) -> Iterator[Event]:
        match self._state:
            case _State.PREAMBLE:
                yield from self._preamble()
            case _State.DELIMITED:
                yield from self._delimited()
            case _State.HEAD:
                yield from self._head()
            case _State.BODY:
                yield from self._body()
            case _State.END:
                self._buffer = b""

    def _preamble(self) -> Iterator[Event]:
        if len(self._buffer) < len(self._delimiter):
            return
        if not self._buffer.startswith(self._delimiter):
            raise MultipartError("the body does not begin with the boundary")
        self._take(len(self._delimiter))
        self._state = _State.DELIMITED
        yield from ()

    def _delimited(self) -> Iterator[Event]:
        """After a delimiter: `--` ends the form, a line end begins a part."""
        if len(self._buffer) < 2:
            return
        follows = self._take(2)
        if follows not in {b"--", b"\r\n"}:
            raise MultipartError("the boundary is followed by neither a line end nor --")
        self._state = _State.END if follows == b"--" else _State.HEAD
        yield from ()

    def _head(self) -> Iterator[Event]:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise MultipartError("a part's head is too long")
            return
        head = self._take(end + 4)[:-4]
        self._state = _State.BODY
        yield part_start(head)

    def _body(self) -> Iterator[Event]:
        end = self._buffer.find(self._delimiter)
        if end >= 0:
            if end:
                yield PartData(self._take(end))
            self._take(len(self._delimiter))
            self._state = _State.DELIMITED
            yield PartEnd()
            return
        # The last bytes may be the beginning of a delimiter: keep them back.
        safe = len(self._buffer) - len(self._delimiter) + 1
        if safe > 0:
            yield PartData(self._take(safe))

    def _take(self, count: int) -> bytes:
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken


def part_start(head: bytes) -> PartStart:
    """Read a part's header lines: Content-Disposition is needed, all others are let by."""
    try:
        lines = head.decode().split("\r\n")
    except UnicodeDecodeError as error:
        raise MultipartError("a part's head is not UTF-8") from error
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise MultipartError(f"not a header line: {line[:80]!r}")
        if name.strip().lower() == "content-disposition":
            return _disposition(value.strip())
    raise MultipartError("a part has no Content-Disposition")


def _disposition(value: str) -> PartStart:
    kind, _, _ = value.partition(";")
    if kind.strip().lower() != "form-data":
        raise MultipartError(f"not form-data: {kind[:80]!r}")
    parameters = dict(_parameters(value[len(kind) :]))
    if "name" not in parameters:
        raise MultipartError("a part has no name")
    extended = parameters.get("filename*")
    filename = parameters.get("filename") if extended is None else _extended(extended)
    return PartStart(parameters["name"], filename)


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        found = _PARAMETER.match(text, at)
        if found is None:
            raise MultipartError(f"not a parameter: {text[at : at + 80]!r}")
        quoted, token = found[2], found[3]
        yield found[1].lower(), token if quoted is None else _ESCAPE.sub(r"\1", quoted)
        at = found.end()


def _extended(value: str) -> str:
    """RFC 8187: charset'language'percent-encoded."""
    charset, _, rest = value.partition("'")
    _, quote, encoded = rest.partition("'")
    if charset.lower() != "utf-8" or not quote:
        raise MultipartError(f"not an extended value: {value[:80]!r}")
    try:
        return unquote(encoded, errors="strict")
    except UnicodeDecodeError as error:
        raise MultipartError("an extended filename is not UTF-8") from error
