"""Handles: files that are open, and what happens to their bytes from open to the last close.

A file is uploaded when it is closed for the last time, in `flush`, whose errno is that of
`close`. The kernel flushes at every close of every copy of a descriptor; the last one is the
one after which no process has the path open for writing.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field

import trio

from minimaxfs.core.errors import FsError
from minimaxfs.core.inodes import File
from minimaxfs.core.journal import State
from minimaxfs.core.names import tilde_name
from minimaxfs.core.ranges import Range
from minimaxfs.core.rules import Rules
from minimaxfs.core.tree import Tree
from minimaxfs.disk.openers import is_held_for_writing
from minimaxfs.vfs.deletes import Deletes
from minimaxfs.vfs.drafts import Drafts
from minimaxfs.vfs.reader import Reader, Reading
from minimaxfs.vfs.uploads import Uploads


@dataclass(slots=True, eq=False)
class Handle:
    """One open of a file. `error` is what its upload failed with, for the closes that follow.

    `reached` is the end of what was read through it so far, in bytes.
    """

    file: File
    is_writable: bool
    reading: Reading = field(default_factory=Reading)
    error: FsError | None = None
    reached: int = 0


@dataclass(frozen=True, slots=True)
class ReadStatus:
    """A stored file that is being read: up to byte `reached` of `size`. `path` is below the mountpoint."""

    path: str
    reached: int
    size: int


class Handles:
    """The open files, by handle number. `mountpoint` is the path under which others see them."""

    def __init__(
        self,
        mountpoint: str,
        tree: Tree,
        drafts: Drafts,
        uploads: Uploads,
        deletes: Deletes,
        reader: Reader,
        rules: Rules,
    ) -> None:
        self._mountpoint = mountpoint
        self._tree = tree
        self._drafts = drafts
        self._uploads = uploads
        self._deletes = deletes
        self._reader = reader
        self._rules = rules
        self._handles: dict[int, Handle] = {}
        self._last = 0

    async def open(self, file: File, flags: int) -> int:
        """Open a file, and empty it where O_TRUNC says so; answers the handle's number.

        Raises NotPermitted or ContentRefused where what would be written could not be stored.
        """
        is_writable = flags & os.O_ACCMODE != os.O_RDONLY
        if is_writable and file.name is not None:
            self._rules.check_name(file.purpose, file.name)
        file.handles += 1
        try:
            if is_writable and flags & os.O_TRUNC:
                await self._drafts.truncate(file, 0)
            else:
                await self._reader.prepare(file)
        except BaseException:
            self._tree.close(file)
            raise
        return self._add(Handle(file, is_writable))

    def opened_new(self, file: File) -> int:
        """A handle for a file that was just created."""
        file.handles += 1
        return self._add(Handle(file, is_writable=True))

    def _add(self, handle: Handle) -> int:
        self._last += 1
        self._handles[self._last] = handle
        return self._last

    def file(self, number: int) -> File:
        """The file that a handle is open on."""
        return self._handles[number].file

    def has_writers(self, file: File | None = None) -> bool:
        """Whether the file, or any (None), is open for writing: a later close will upload it."""
        return any(
            handle.is_writable and (file is None or handle.file is file) for handle in self._handles.values()
        )

    def peek(self, number: int, offset: int, size: int) -> bytes | None:
        """What `read` would answer, if it need not wait for it; else None."""
        handle = self._handles[number]
        if handle.file.draft is not None:
            return None
        return self._reader.peek(handle.file, handle.reading, Range(offset, offset + size))

    async def read(self, number: int, offset: int, size: int) -> bytes:
        """Bytes of the file; fewer than asked for only at its end. Raises Stale where it is gone."""
        handle = self._handles[number]
        if handle.file.draft is not None:
            return self._drafts.read(handle.file, offset, size)
        data = await self._reader.read(handle.file, handle.reading, Range(offset, offset + size))
        handle.reached = max(handle.reached, offset + len(data))
        return data

    def reads(self) -> list[ReadStatus]:
        """The stored files that are open and have been read from, each once, by path."""
        reached: dict[str, ReadStatus] = {}
        for handle in sorted(self._handles.values(), key=lambda handle: handle.reached):
            if handle.reached:
                path = handle.file.label
                reached[path] = ReadStatus(path, handle.reached, handle.file.size or 0)
        return [reached[path] for path in sorted(reached)]

    async def write(self, number: int, offset: int, data: bytes) -> int:
        """Take bytes into the file's draft; answers how many: all of them.

        Where they cannot be taken the file is failed until it is written again: its closes raise the same.
        """
        handle = self._handles[number]
        try:
            await self._drafts.write(handle.file, offset, data)
        except FsError as error:
            handle.error = error
            self._drafts.spoil(handle.file, error)
            raise
        return len(data)

    async def flush(self, number: int) -> None:
        """A descriptor was closed: upload, if it was the last one. Raises what the upload raised."""
        handle = self._handles[number]
        file, draft = handle.file, handle.file.draft
        if not handle.is_writable or draft is None:
            return
        if draft.refused is not None:
            raise draft.refused
        if handle.error is not None and draft.state is State.FAILED:
            raise handle.error
        if self._rules.keeps_here(file) or (draft.state is State.OPEN and await self._is_held(file)):
            return
        if self._rules.write_back:
            await self._uploads.store_later(file)
        else:
            await self._store(handle)

    async def _is_held(self, file: File) -> bool:
        return await trio.to_thread.run_sync(is_held_for_writing, self._paths(file))

    async def fsync(self, number: int) -> None:
        """Return when the store has what was written so far. Raises what the upload raised.

        The kernel asks for it after each write to a file that was opened with O_SYNC, too.
        """
        handle = self._handles[number]
        if handle.is_writable and handle.file.draft and not self._rules.keeps_here(handle.file):
            await self._store(handle)

    async def store_if_due(self, file: File) -> None:
        """Upload what was changed without a handle. Raises what the upload raised."""
        if self._rules.keeps_here(file):
            return
        if self._rules.write_back:
            await self._uploads.store_later(file)
        else:
            await self._uploads.store(file)

    async def _store(self, handle: Handle) -> None:
        try:
            await self._uploads.store(handle.file)
        except FsError as error:
            handle.error = error
            raise

    def _paths(self, file: File) -> set[str]:
        paths = {f"{self._mountpoint}/{file.label}"}
        if file.remote is not None and file.name is not None:
            paths.add(f"{self._mountpoint}/{file.purpose.name}/{tilde_name(file.name, file.remote.file_id)}")
        return paths

    async def release(self, number: int) -> None:
        """The last copy of a handle's descriptors is gone."""
        handle = self._handles.pop(number)
        file = handle.file
        orphan = file.remote if file.name is None else None
        self._tree.close(file)
        self._reader.close(handle.reading)
        if file.handles > 0:
            return
        if file.draft is not None:
            await self._put_away(file)
        if orphan is not None:
            await self._deletes.settle(file.purpose, orphan)

    async def _put_away(self, file: File) -> None:
        """Nobody has the file open any more: upload what no flush did, such as pages written by mmap."""
        if file.name is None:
            self._uploads.abandon(file)
            return
        if file.draft is not None and file.draft.state is State.OPEN and not self._rules.keeps_here(file):
            with suppress(FsError):  # said in the log and in user.minimax.error: there is no caller to tell
                await self._uploads.store_later(file)
        self._drafts.rest(file)
