"""Runs of small files: when a program reads a directory file by file, the next files are fetched ahead."""

import trio

from minimaxfs.core.inodes import Directory, File
from minimaxfs.core.runs import MOST_FILES, Run, after_whole, ahead_of
from minimaxfs.core.tree import Tree
from minimaxfs.vfs.downloads import Downloads


class _Order:
    """The files of a directory in an order in which programs read them, and where their reader is."""

    def __init__(self, files: list[File]) -> None:
        self.files = files
        self.run = Run()
        self._positions = {file.number: position for position, file in enumerate(files)}

    def position(self, file: File) -> int | None:
        """Where a file is; None for one that came later."""
        return self._positions.get(file.number)

    def size(self, position: int) -> int | None:
        """The bytes of a file that could be fetched."""
        file = self.files[position]
        is_there = file.name is not None and file.remote is not None and file.draft is None
        return file.size or None if is_there else None


class _Directory:
    """The orders of one directory: as it is listed, and by name, as shells and rsync go."""

    def __init__(self, directory: Directory) -> None:
        files = [inode for inode in directory.names.values() if isinstance(inode, File)]
        listed = sorted(files, key=lambda file: file.number)
        named = sorted(files, key=lambda file: file.name or "")
        self.orders = [_Order(listed)] if listed == named else [_Order(listed), _Order(named)]
        self.errands: list[trio.CancelScope] = []

    def is_on(self) -> bool:
        return any(order.run.is_on for order in self.orders)


class Runs:
    """Who reads which directory file by file. It does nothing unless `is_on`: a retrieve may cost money."""

    def __init__(self, tree: Tree, downloads: Downloads, *, is_on: bool) -> None:
        self._tree = tree
        self._downloads = downloads
        self._is_on = is_on
        self._directories: dict[str, _Directory] = {}

    def read_whole(self, file: File) -> None:
        """Somebody has read a file from its beginning to its end."""
        if not self._is_on or file.name is None:
            return
        directory = self._directories.get(file.purpose.name)
        if directory is None or directory.orders[0].position(file) is None:
            directory = _Directory(self._tree.directory(file.purpose))
            self._directories[file.purpose.name] = directory
        was_on = directory.is_on()
        for order in directory.orders:
            position = order.position(file)
            if position is not None:
                order.run = after_whole(order.run, position)
        if directory.is_on():
            self._fetch_ahead(directory)
        elif was_on:
            for errand in directory.errands:
                errand.cancel()
            directory.errands.clear()

    def _fetch_ahead(self, directory: _Directory) -> None:
        order = next(order for order in directory.orders if order.run.is_on)
        order.run, chosen = ahead_of(order.run, len(order.files), order.size)
        for position in chosen:
            file = order.files[position]
            assert file.remote is not None
            directory.errands.append(self._downloads.errand(file.remote, file.size or 0))
        del directory.errands[:-MOST_FILES]  # those before have ended long since, or will for themselves
