"""Inodes: what the tree is made of, and what a listing does to it. Values; the rules are in `tree`."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from minimaxfs.core.errors import FsError
from minimaxfs.core.files import Purpose, RemoteFile
from minimaxfs.core.journal import State

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Sending:
    """How a draft was sent, by which the file is known that the store may have made of it.

    By this `name`, `at` this time (Unix seconds), when the store had the files `known` of that name
    already, to take the place of the file_id `replaces`.
    """

    name: str
    at: float
    known: tuple[int, ...] = ()
    replaces: int | None = None


@dataclass(slots=True, eq=False)
class Draft:
    """Bytes of a file that the store does not have yet: what is in the spool under `key`.

    `error` says why the last upload ended, in words; `sending` is how it was last sent; `version`
    counts the writes. `is_half` says that not all of it may be there: it is not sent until somebody
    writes it again or says so; `refused` is the error of the write that this comes from.
    """

    key: int
    size: int = 0
    state: State = State.OPEN
    error: str = ""
    sending: Sending | None = None
    version: int = 0
    is_half: bool = False
    refused: FsError | None = None


class Remembered(NamedTuple):
    """What this machine keeps of a remote file beyond what a listing says of it."""

    name: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    mode: int | None = None


ROOT_LABEL = "/"
"""The mountpoint itself, as a log line names it."""

NOTHING = Remembered()
"""Of a file that this machine has not seen before."""


@dataclass(slots=True, eq=False)
class File:
    """An inode of a file. `name` is None once its dentry is gone; `remote` is the version in the store.

    `size` is in bytes; None while the store's 0 is not believed and nobody has probed it. `stored_at`
    is when we stored that version, on the clock of listings; -inf where we did not.
    """

    number: int
    purpose: Purpose
    name: str | None
    size: int | None
    mtime_ns: int
    mode: int | None = None
    remote: RemoteFile | None = None
    draft: Draft | None = None
    handles: int = 0
    lookups: int = 0
    stored_at: float = -math.inf

    @property
    def label(self) -> str:
        """The file as a log line or an error names it."""
        return f"{self.purpose.name}/{self.name or '(deleted)'}"

    @property
    def kept(self) -> Remembered:
        """What is to be remembered of it: a draft's size says nothing of the file in the store."""
        return Remembered(self.name, None if self.draft else self.size, self.mtime_ns, self.mode)


@dataclass(slots=True, eq=False)
class Directory:
    """An inode of a directory: a purpose, or the root, whose `purpose` is None."""

    number: int
    purpose: Purpose | None
    names: dict[str, "File | Directory"] = field(default_factory=dict)
    mtime_ns: int = 0
    lookups: int = 0

    @property
    def label(self) -> str:
        """The directory as a log line names it."""
        return self.purpose.name if self.purpose else ROOT_LABEL


Inode = File | Directory


@dataclass(slots=True)
class Change:
    """What a listing changed: files new here, dentries that went, ids that changed, ids that are gone."""

    added: list[File] = field(default_factory=list)
    gone: list[tuple[str, File]] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)


def agree(before: RemoteFile, after: RemoteFile) -> bool:
    """Whether two answers of the store may speak of the same bytes: a size of 0 says nothing."""
    if 0 in {before.size, after.size}:
        before = before._replace(size=after.size)
    return before == after


def update(file: File, remote: RemoteFile) -> bool:
    """Take what the store says now of a file; whether it may speak of the same bytes."""
    assert file.remote is not None
    is_same = agree(file.remote, remote)
    file.remote = remote
    if file.draft is None:
        file.size = remote.size or (file.size if is_same else None)
    return is_same


def usage(files: Iterable[File]) -> tuple[int, int]:
    """Bytes and files that are known to be in the store; a draft's own bytes are not there yet."""
    stored = [(file.remote.size if file.draft else file.size) for file in files if file.remote]
    return sum(size or 0 for size in stored), len(stored)
