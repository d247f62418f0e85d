"""What the store holds: purposes and remote files. Facts: the MiniMax files API as documented and seen."""

from dataclasses import dataclass
from typing import NamedTuple

MB = 1_000_000
MIB = 1024 * 1024

STORE_CAPACITY = 100 * 1000 * MB
"""Bytes of one account, all purposes together (documented platform limit: 100 GB)."""

FILE_LIMIT = 512 * MIB
"""Bytes of one file (documented: 512 MB, read in the larger sense; the store has the last word)."""

MAX_FILE_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose of the store, shown as a directory, and what the store does for it.

    `lists` is whether `list` is documented to answer for it; `generated` files are made by the
    store, which gives their size as 0. `extensions` are those that an upload may have (lower
    case, no dot; empty: any) and `limit` the bytes of one file.
    """

    name: str
    uploads: bool = False
    lists: bool = False
    deletes: bool = False
    generated: bool = False
    extensions: frozenset[str] = frozenset()
    limit: int = FILE_LIMIT


def _kinds(words: str) -> frozenset[str]:
    return frozenset(words.split())


_AUDIO = _kinds("mp3 m4a wav")

PURPOSES: tuple[Purpose, ...] = (
    Purpose("voice_clone", uploads=True, lists=True, deletes=True, extensions=_AUDIO, limit=20 * MIB),
    Purpose("prompt_audio", uploads=True, lists=True, deletes=True, extensions=_AUDIO, limit=20 * MIB),
    Purpose("t2a_async_input", uploads=True, lists=True, deletes=True, extensions=_kinds("txt zip")),
    Purpose("video_understanding", uploads=True, extensions=_kinds("mp4 avi mov mkv")),
    Purpose(
        "video_generation_input",
        uploads=True,
        lists=True,
        extensions=_kinds("jpg jpeg png webp heic heif mp4 mov wav mp3"),
        limit=50 * MIB,
    ),
    Purpose("t2a_async", deletes=True, generated=True),
    Purpose("video_generation", deletes=True, generated=True),
)
"""The purposes of the documentation; a profile may add to them, and so may a retrieve's answer."""


class RemoteFile(NamedTuple):
    """A file of the store. A `file_id` names immutable bytes; `filename` is the store's own, maybe hostile.

    `size` is in bytes, as the store says: 0 is not to be believed. `created_at` is in Unix seconds.
    A tuple, since a listing may hold 100,000: made and compared in a third of a frozen dataclass's time.
    """

    file_id: int
    purpose: str
    filename: str
    size: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a retrieve answers: the file, and a time-limited URL of its bytes where the store gives one."""

    file: RemoteFile
    download_url: str | None = None

    def __repr__(self) -> str:
        """Leave the URL out: its query is a secret."""
        return f"Retrieved({self.file!r}, download_url={'…' if self.download_url else None})"
