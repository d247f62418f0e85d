"""The object storage that signed URLs lead to: pure, and as strict and as sloppy as the real one.

Strict about the signature, about HEAD and about an Authorization header; sloppy about ranges and text.
"""

from collections.abc import Callable
from pathlib import PurePosixPath

from minimaxfs.emulator.messages import Gzipped, Reply, Request, Slice, StoredFile
from minimaxfs.emulator.ranges import wanted
from minimaxfs.emulator.replies import content_type
from minimaxfs.emulator.settings import Settings
from minimaxfs.emulator.signing import Signer, Verdict, file_id_of

_CDN = "/cdn"
_TEXT = {".txt", ".json", ".jsonl", ".md", ".csv", ".xml"}


def answer(
    request: Request,
    now: float,
    lookup: Callable[[int], StoredFile | None],
    signer: Signer,
    settings: Settings,
    origin: str,
) -> Reply:
    path = request.path.removeprefix(_CDN)
    if "authorization" in request.headers:
        return _error(
            400, "InvalidArgument", "Only one auth mechanism is allowed: the URL is signed already."
        )
    if request.method != "GET":
        return _error(403, "SignatureDoesNotMatch", Verdict.ALTERED.value)
    verdict = signer.check(path, request.query, now)
    if verdict is not Verdict.VALID:
        return _error(403, "AccessDenied", verdict.value)
    if settings.redirects and path == request.path:
        elsewhere = origin.replace("127.0.0.1", "localhost")
        return Reply(302, (("location", f"{elsewhere}{_CDN}{request.target}"),))
    file_id = file_id_of(path)
    stored = lookup(file_id) if file_id is not None else None
    if stored is None:
        return _error(404, "NoSuchKey", "The specified key does not exist.")
    return _content(stored, request, settings)


def _content(stored: StoredFile, request: Request, settings: Settings) -> Reply:
    headers = (
        ("content-type", content_type(stored.filename)),
        ("accept-ranges", "bytes"),
        ("etag", f'"{stored.file_id:X}"'),
    )
    part = wanted(request.headers.get("range"), stored.size) if settings.ranges else None
    if part is not None:
        extent = ("content-range", f"bytes {part[0]}-{part[1] - 1}/{stored.size}")
        return Reply(206, (*headers, extent), Slice(stored.content, *part))
    if settings.gzip_text and _compresses(stored, request):
        return Reply(200, (*headers, ("content-encoding", "gzip")), Gzipped(stored.content), sized=False)
    return Reply(200, headers, Slice(stored.content, 0, stored.size))


def _compresses(stored: StoredFile, request: Request) -> bool:
    """Only who names no encoding at all, or names gzip, may get it."""
    accepted = request.headers.get("accept-encoding", "gzip")
    return "gzip" in accepted and PurePosixPath(stored.filename.replace("\0", "_")).suffix.lower() in _TEXT


def _error(status: int, code: str, message: str) -> Reply:
    declaration = '<?xml version="1.0" encoding="UTF-8"?>'
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Reply(status, (("content-type", "application/xml"),), f"{declaration}\n{error}\n".encode())
