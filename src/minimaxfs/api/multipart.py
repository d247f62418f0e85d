"""The form around an upload's bytes: what comes before them and after, and so the exact length. Pure.

`purpose` comes first, as the vendor's own client sends it. A filename is escaped as browsers do
(WHATWG): raw UTF-8, with the quote and line breaks percent-encoded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from minimaxfs.core.errors import NameRefused

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "avi": "video/x-msvideo",
        "heic": "image/heic",
        "heif": "image/heif",
        "jpeg": "image/jpeg",
        "jpg": "image/jpeg",
        "m4a": "audio/mp4",
        "mkv": "video/x-matroska",
        "mov": "video/quicktime",
        "mp3": "audio/mpeg",
        "mp4": "video/mp4",
        "pdf": "application/pdf",
        "png": "image/png",
        "txt": "text/plain",
        "wav": "audio/wav",
        "webp": "image/webp",
        "zip": "application/zip",
    }
)
"""Extension → type, for what the purposes take. The system's own table differs between machines."""


@dataclass(frozen=True, slots=True)
class Form:
    """The bytes around a file of `size` bytes."""

    head: bytes
    tail: bytes
    size: int
    boundary: str

    @property
    def headers(self) -> Mapping[str, str]:
        return {
            "Content-Type": f"multipart/form-data; boundary={self.boundary}",
            "Content-Length": str(len(self.head) + self.size + len(self.tail)),
        }


def form(purpose: str, filename: str, size: int, boundary: str) -> Form:
    """Make one. Raises NameRefused for a `filename` that UTF-8 cannot hold."""
    kind = _TYPES.get(filename.rpartition(".")[2].lower(), "application/octet-stream")
    escaped = filename.translate(_ESCAPES)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{escaped}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    try:
        return Form(head.encode(), f"\r\n--{boundary}--\r\n".encode(), size, boundary)
    except UnicodeEncodeError as error:
        raise NameRefused(f"{filename!r} is not UTF-8") from error
