"""MiniMax's JSON, made into values. Pure; the one room that reads it.

The `parse_*` functions make a value of a reply or raise one of `core.errors`, never anything else,
whatever the bytes are. Each field is checked by itself:

- `file_id` is a number or a string of digits, 1 to 2**63 - 1, kept exactly. An entry of a listing
  without one is dropped and counted; it does not cost the others.
- `bytes` and `created_at` that are no count are 0; a `filename` or `purpose` that is no text is what
  was asked.
- `base_resp` may be missing from a success, since gateways differ; what was asked for may not.

Shapes and codes: the files API as documented and seen. Messages name what was asked and what was
answered, and hold neither a key nor the query of a URL.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from minimaxfs.api.asks import Ask, Reply
from minimaxfs.api.refusals import refusal_by_code, refusal_by_status
from minimaxfs.core.errors import BrokenReply, FsError, NoSuchFile
from minimaxfs.core.files import MAX_FILE_ID, RemoteFile, Retrieved

REPLY_LIMIT = 64 * 1024 * 1024
"""Bytes of a JSON reply. A listing of 100,000 files is about 15 MB."""

_ID_DIGITS = len(str(MAX_FILE_ID))

_TIME_LIMIT = 2**33
"""Unix seconds (the year 2242) from which a `created_at` is no time, and would overflow an inode's."""

_SHOWN = 200
"""Characters of the store's own words that go into a message."""

JsonObject = dict[str, Any]

Hook = Callable[[JsonObject], object]
"""What becomes of each JSON object as it is read, the innermost first."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a purpose, each id once, and how many entries were no files."""

    files: list[RemoteFile]
    dropped: int = 0


def parse_listing(ask: Ask, reply: Reply, purpose: str) -> Listing:
    """`files: null` is an empty listing; no `files` at all is one only beside a `base_resp`."""
    document = _accepted(ask, reply, partial(_condensed, purpose))
    entries = document.get("files")
    if entries is None and ("files" in document or "base_resp" in document):
        return Listing([])
    if not isinstance(entries, list):
        raise _broken(ask, reply, "no list of files")
    checked = (one if isinstance(one, RemoteFile) else parse_file(one, purpose) for one in entries)
    files = [file for file in checked if file]
    unique = {file.file_id: file for file in files}
    return Listing(files if len(unique) == len(files) else list(unique.values()), len(entries) - len(files))


def _condensed(purpose: str, entry: JsonObject) -> object:
    """What `parse_file` makes of an entry as nearly all are, in a third of its time; else the object itself.

    That is: every field is there, of its own type, within its limits, and of the purpose asked for. Done
    to each object as it is read, since 100,000 entries as dictionaries leave memory full of holes.
    """
    try:
        file_id, size, created_at = entry["file_id"], entry["bytes"], entry["created_at"]
        filename, said = entry["filename"], entry["purpose"]
    except KeyError:
        return entry
    is_plain = (
        type(file_id) is type(size) is type(created_at) is int
        and 1 <= file_id <= MAX_FILE_ID
        and 0 <= size <= MAX_FILE_ID
        and 0 <= created_at < _TIME_LIMIT
        and type(filename) is str
        and said == purpose
        and "files" not in entry  # nor is it the reply itself
        and "base_resp" not in entry
    )
    if not is_plain:
        return entry
    return RemoteFile(file_id, purpose, filename if filename.isascii() else _text(filename), size, created_at)


def parse_upload(ask: Ask, reply: Reply, purpose: str, filename: str) -> RemoteFile:
    """The file as the store took it."""
    file = parse_file(_accepted(ask, reply).get("file"), purpose, filename)
    if file is None:
        raise _broken(ask, reply, "no file id")
    return file


def parse_retrieved(ask: Ask, reply: Reply, file_id: int) -> Retrieved:
    """The file, whose purpose is "" where the store does not say it. An absent file is NoSuchFile."""
    document = _accepted(ask, reply)
    entry = document.get("file")
    if not entry and ("base_resp" in document or "file" in document):
        raise NoSuchFile(f"{ask}: the store has no such file", trace_id=_trace_id(reply, document))
    file = parse_file(entry)
    if file is None or file.file_id != file_id:
        raise _broken(ask, reply, "another file or none")
    return Retrieved(file, _link(entry))


def parse_deleted(ask: Ask, reply: Reply, file_id: int) -> None:
    """Nothing, if the file is deleted. An empty body will do; one that names another file will not."""
    if reply.succeeded and not reply.body:
        return
    document = _accepted(ask, reply)
    told = _file_id(document.get("file_id"))
    if told not in (None, file_id) or (told is None and "base_resp" not in document):
        raise _broken(ask, reply, "another file or none")


def parse_file(entry: object, purpose: str = "", filename: str = "") -> RemoteFile | None:
    """One FileObject, `purpose` and `filename` standing in for what it lacks; None without a valid id."""
    if not isinstance(entry, dict):
        return None
    file_id = _file_id(entry.get("file_id"))
    if file_id is None:
        return None
    created_at = _count(entry.get("created_at"))
    return RemoteFile(
        file_id=file_id,
        purpose=_text(entry.get("purpose")) or purpose,
        filename=_text(entry.get("filename")) or filename,
        size=_count(entry.get("bytes")),
        created_at=created_at if created_at < _TIME_LIMIT else 0,
    )


def failure(ask: Ask, reply: Reply) -> FsError:
    """The error that a reply is which holds no bytes or file: its code's, its status's, or BrokenReply."""
    try:
        document = _document(ask, reply)
    except BrokenReply as error:
        return _refusal(ask, reply, {}) or error
    return _refusal(ask, reply, document) or _broken(ask, reply, "JSON that is no file")


def _accepted(ask: Ask, reply: Reply, hook: Hook | None = None) -> JsonObject:
    if not reply.succeeded:
        raise failure(ask, reply)
    document = _document(ask, reply, hook)
    refusal = _refusal(ask, reply, document)
    if refusal is not None:
        raise refusal
    return document


def _document(ask: Ask, reply: Reply, hook: Hook | None = None) -> JsonObject:
    try:
        document = json.loads(reply.body, object_hook=hook)
    except (ValueError, RecursionError) as error:
        raise _broken(ask, reply, "no JSON") from error
    if not isinstance(document, dict):
        raise _broken(ask, reply, "JSON that is no object")
    return document


def _refusal(ask: Ask, reply: Reply, document: JsonObject) -> FsError | None:
    code, said = _verdict(document)
    if code:
        kind = refusal_by_code(ask.operation, code, said)
    elif not reply.succeeded:
        kind = refusal_by_status(ask.operation, reply.status, json=bool(document))
    elif document.get("error"):
        kind = BrokenReply
    else:
        return None
    answer = str(code) if code else f"HTTP {reply.status}"
    return kind(
        f"{ask}: the store answered {answer}{f' ({said})' if said else ''}",
        code=code or reply.status,
        trace_id=_trace_id(reply, document),
        retry_after=reply.retry_after,
    )


def _verdict(document: JsonObject) -> tuple[int, str]:
    """The store's code (0: none, or all is well) and words, from `base_resp` or from a gateway's `error`."""
    base = document.get("base_resp")
    if isinstance(base, dict):
        return _code(base.get("status_code")), _shown(base.get("status_msg"))
    error = document.get("error")
    if isinstance(error, dict):
        return 0, _shown(error.get("message"))
    return 0, _shown(error or document.get("message"))


def _broken(ask: Ask, reply: Reply, what: str) -> BrokenReply:
    kind = _shown(reply.headers.get("content-type")).partition(";")[0] or "no content type"
    return BrokenReply(
        f"{ask}: the host answered HTTP {reply.status} with {what} ({kind}, {len(reply.body)} bytes)",
        code=reply.status,
        trace_id=_trace_id(reply, {}),
        retry_after=reply.retry_after,
    )


def _trace_id(reply: Reply, document: JsonObject) -> str | None:
    return _shown(reply.headers.get("trace-id") or document.get("trace_id")) or None


def _file_id(value: object) -> int | None:
    number = _number(value)
    return number if number is not None and 1 <= number <= MAX_FILE_ID else None


def _count(value: object) -> int:
    """Bytes or seconds; 0 for what is no count."""
    number = _number(value)
    return number if number is not None and 0 <= number <= MAX_FILE_ID else 0


def _code(value: object) -> int:
    return _number(value) or 0


def _number(value: object) -> int | None:
    """A JSON integer, or a string of digits no longer than an id's; a bool or a fraction is neither."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _ID_DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    """A string that can be encoded: JSON may hold half a surrogate pair, which is no character."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _link(entry: object) -> str | None:
    value = entry.get("download_url") if isinstance(entry, dict) else None
    return value if isinstance(value, str) and value.startswith(("http://", "https://")) else None


def _shown(value: object) -> str:
    """Words of the store, fit for one line of a log: short, printable, no URL with its query."""
    if not isinstance(value, str):
        return ""
    line = "".join(letter if letter.isprintable() else " " for letter in value[: 4 * _SHOWN])
    return re.sub(r"(https?://[^\s?]*)\?\S*", r"\1?…", line).strip()[:_SHOWN]
