"""The values that pass between the sockets and the service: requests, replies and what the store holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path


class Side(Enum):
    """The two origins: the API, and the object storage that signed URLs point to."""

    API = "api"
    STORAGE = "storage"


class Operation(StrEnum):
    """What a request asks for. `DOWNLOAD` is any request that the storage side gets."""

    UPLOAD = "upload"
    LIST = "list"
    RETRIEVE = "retrieve"
    RETRIEVE_CONTENT = "retrieve_content"
    DELETE = "delete"
    DOWNLOAD = "download"
    VOICE_CLONE = "voice_clone"
    QUERY_VIDEO = "query_video"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Inline:
    """Bytes in memory; many files may share one object."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class OnDisk:
    """The bytes of a file on disk, never modified in place. An `owned` one goes when it is deleted."""

    path: Path
    size: int
    owned: bool = False


Content = Inline | OnDisk


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the store. `size` is the true one, in bytes; `created_at` is in Unix seconds."""

    file_id: int
    purpose: str
    filename: str
    created_at: int
    content: Content

    @property
    def size(self) -> int:
        return self.content.size


@dataclass(frozen=True, slots=True)
class Form:
    """An upload's form: the fields as text, and the part named `file`, whose bytes are already on disk.

    `problem` says why the body was no form at all.
    """

    fields: Mapping[str, str]
    filename: str | None = None
    content: OnDisk | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is the raw path and query; `headers` have lower-case names. An upload has a `form` only."""

    side: Side
    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    form: Form | None = None

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Slice:
    """The bytes `start` to `stop` (half open) of a content."""

    content: Content
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Gzipped:
    """A whole content, compressed on the way."""

    content: Content


Body = bytes | Slice | Gzipped


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and what it did to the store.

    Without `sized` the length is not announced and the body is chunked. `surplus` is added to the
    announced length, which makes it a lie. `stored` and `deleted` say whose bytes to keep or to free.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: Body = b""
    sized: bool = True
    surplus: int = 0
    stored: StoredFile | None = None
    deleted: StoredFile | None = None


def body_size(body: Body) -> int | None:
    """How many bytes a body has, or None where only sending it will tell."""
    match body:
        case bytes():
            return len(body)
        case Slice(start=start, stop=stop):
            return stop - start
        case Gzipped():
            return None
