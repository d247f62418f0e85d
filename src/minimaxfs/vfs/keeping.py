"""What of the store is kept on this disk, by path: asked for again, fetched whole, pinned, given up.

To prefetch is to read: what a program would get is what comes into the blocks, and costs the same.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import trio

from minimaxfs.core.errors import FsError, LocalDiskFull, NoSuchFile, NotPermitted
from minimaxfs.core.files import MIB
from minimaxfs.core.inodes import Directory, File
from minimaxfs.core.tree import Tree
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.pins import Pins
from minimaxfs.vfs.attributes import STATE, extended
from minimaxfs.vfs.handles import Handles
from minimaxfs.vfs.history import History
from minimaxfs.vfs.listings import Listings
from minimaxfs.vfs.names import Names

AT_ONCE = 4
"""Files that are fetched at the same time: a large one alone fills the line, small ones wait for answers."""

PINNED_SHARE = 0.75
"""The part of the limit on blocks that pinned files may take: the rest is for what is read besides."""


class Pinned(NotPermitted):
    advice = "Let it go first: `minimaxfs pin --remove` with its path."


@dataclass(slots=True)
class Fetching:
    """How far a prefetch is: `files` that are not all here yet, and bytes, of all bytes."""

    files: int = 0
    done: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that could not be fetched whole. `path` is below the mountpoint."""

    path: str
    error: FsError


class Keeping:
    """Files and purposes by path below the mountpoint; "" is all of the drive."""

    def __init__(
        self,
        tree: Tree,
        names: Names,
        listings: Listings,
        handles: Handles,
        blocks: Blocks,
        pins: Pins,
        history: History,
    ) -> None:
        self._tree = tree
        self._names = names
        self._listings = listings
        self._handles = handles
        self._blocks = blocks
        self._pins = pins
        self._history = history

    async def refresh(self, path: str) -> int:
        """Ask for the listing that shows a path, now; of "" for all. Gives the number of names shown.

        Raises what the listing raises: what was known stays.
        """
        directories = self._listed() if not path else [self._directory(path)]
        for directory in directories:
            await self._listings.ask_again(directory)
        return sum(len(directory.names) for directory in directories)

    def evict(self, path: str) -> int:
        """Give the blocks of a file, or of all files below a path, back to the disk; gives their bytes.

        Pinned files stay. Raises Pinned where the path is one, NoSuchFile where nothing is known by it.
        Who reads such a file goes on, and the disk gets its room back afterwards.
        """
        files = self._known(path)
        if "/" in path and all(self._is_pinned(file) for file in files):
            raise Pinned(f"{path} is pinned")
        before = self._blocks.used
        for file in files:
            if file.remote is not None and not self._is_pinned(file):
                self._blocks.discard(file.remote.file_id)
        return max(0, before - self._blocks.used)

    def unpin(self, path: str) -> int:
        """Let the blocks of what is below a path go like any others; gives the number of files."""
        ids = [file.remote.file_id for file in self._known(path) if file.remote and self._is_pinned(file)]
        self._pins.remove(ids)
        return len(ids)

    async def pin(self, path: str, fetching: Fetching) -> list[Failed]:
        """Fetch what is below a path now, and keep it. It is pinned first, so that it stays as it comes.

        Raises LocalDiskFull where pinned files would take more than their share of the limit.
        """
        files = await self._found([path])
        ids = {file.remote.file_id for file in files if file.remote}
        rest = sum(file.size or 0 for file in self.pinned() if file.remote and file.remote.file_id not in ids)
        self._check_room(rest + _bytes(files), int(self._blocks.limit * PINNED_SHARE), "pinned files")
        self._pins.add(ids)
        return await self._fetch(files, fetching)

    async def prefetch(self, paths: Sequence[str], fetching: Fetching) -> list[Failed]:
        """Fetch all that is below some paths into the blocks. Raises LocalDiskFull where it has no room."""
        files = await self._found(paths)
        self._check_room(_bytes(files), self._blocks.limit, "these files")
        return await self._fetch(files, fetching)

    def state(self, path: str) -> str:
        """The state of a file, as `user.minimax.state` has it; "" where no file is known by the path."""
        try:
            files = self._known(path) if "/" in path else []
        except NoSuchFile:
            return ""
        return extended(files[0])[STATE] if files else ""

    def pinned(self) -> list[File]:
        """The pinned files that the tree knows."""
        return [file for file in self._tree.files() if file.name is not None and self._is_pinned(file)]

    def _is_pinned(self, file: File) -> bool:
        return file.remote is not None and file.remote.file_id in self._pins

    def _check_room(self, wanted: int, limit: int, what: str) -> None:
        if wanted > limit:
            raise LocalDiskFull(
                f"{what} would take {wanted:,} bytes, and the limit is {limit:,} (--cache-size)"
            )

    def _listed(self) -> list[Directory]:
        """The directories that a listing shows whole."""
        return [one for one in self._tree.purposes() if one.purpose is not None and one.purpose.lists]

    def _directory(self, path: str) -> Directory:
        found = self._tree.root.names.get(path.partition("/")[0])
        if not isinstance(found, Directory):
            raise NoSuchFile(f"the drive has no {path}")
        return found

    def _known(self, path: str) -> list[File]:
        """The files below a path, as they are known: nobody is asked."""
        if not path:
            return list(self._tree.files())
        directory, name = self._directory(path), path.partition("/")[2]
        if not name:
            return [file for file in directory.names.values() if isinstance(file, File)]
        return [self._file(path, self._tree.find(directory, name))]

    def _file(self, path: str, found: object) -> File:
        if not isinstance(found, File):
            raise NoSuchFile(f"the drive has no {path}")
        return found

    async def _found(self, paths: Sequence[str]) -> list[File]:
        """The files of the store below some paths, listed afresh where that is due, with their sizes."""
        found: dict[int, File] = {}
        for path in paths:
            for file in await self._shown(path):
                if file.remote is not None:
                    await self._names.attributes(file.number)
                    found[file.number] = file
        return list(found.values())

    async def _shown(self, path: str) -> list[File]:
        directories = self._listed() if not path else [self._directory(path)]
        name = path.partition("/")[2]
        if name:
            return [self._file(path, await self._names.find(directories[0], name))]
        for directory in directories:
            await self._listings.refresh(directory)
        return self._known(path)

    async def _fetch(self, files: Sequence[File], fetching: Fetching) -> list[Failed]:
        """Read each file to its end. One that fails does not keep the others."""
        fetching.files, fetching.size = len(files), _bytes(files)
        failed: list[Failed] = []
        places = trio.CapacityLimiter(AT_ONCE)

        async def one(file: File) -> None:
            async with places:
                try:
                    await self._read(file, lambda size: _advance(fetching, size))
                except FsError as error:
                    self._history.note(file.label, "prefetch", error)
                    failed.append(Failed(file.label, error))
                fetching.files -= 1

        async with trio.open_nursery() as nursery:
            for file in files:
                nursery.start_soon(one, file)
        return failed

    async def _read(self, file: File, on_bytes: Callable[[int], None]) -> None:
        handle, offset = await self._handles.open(file, os.O_RDONLY), 0
        try:
            while data := await self._handles.read(handle, offset, MIB):
                offset += len(data)
                on_bytes(len(data))
        finally:
            with trio.CancelScope(shield=True):
                await self._handles.release(handle)


def _advance(fetching: Fetching, size: int) -> None:
    fetching.done += size


def _bytes(files: Sequence[File]) -> int:
    return sum(file.size or 0 for file in files)
