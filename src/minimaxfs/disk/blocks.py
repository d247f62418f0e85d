"""Blocks on disk: bytes of remote files that were read once and need not be fetched again.

A file_id names immutable bytes, so nothing here is ever revalidated, and it all survives a
remount. What is kept is bounded by a limit on the bytes that the disk has given.
"""

from pathlib import Path

from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BlockFile
from minimaxfs.disk.faults import local_faults


class Blocks:
    """The directory of block files, within a limit of `limit` bytes, least recently used out first."""

    def __init__(self, directory: Path, limit: int) -> None:
        self._directory = directory
        self._limit = limit
        self._open: dict[int, BlockFile] = {}
        self._closed: dict[int, int] = {}
        self.used = 0

    def open(self) -> None:
        """Make the directory (0700), and count what earlier processes left in it."""
        with local_faults("open the block directory"):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = sorted(self._directory.glob("*.blocks"), key=lambda path: path.stat().st_mtime)
        for path in found:
            if path.stem.isdigit():
                self._closed[int(path.stem)] = path.stat().st_blocks * 512
        self.used = sum(self._closed.values())

    def open_file(self, file_id: int, size: int) -> BlockFile:
        """The blocks of a remote file; each call is to be met by one of `close_file`."""
        file = self._open.get(file_id)
        if file is None or file.size != size:
            file = BlockFile(self._directory, file_id, size)
            file.open()
            self._open[file_id] = file
            self.used += file.held - self._closed.pop(file_id, 0)
        file.users += 1
        return file

    def close_file(self, file: BlockFile) -> None:
        """One user less; the last one closes it."""
        file.users -= 1
        if file.users > 0:
            return
        file.close()
        if self._open.get(file.file_id) is file:
            del self._open[file.file_id]
            self._closed[file.file_id] = file.held

    def mark(self, file: BlockFile, part: Range) -> None:
        """These bytes of the file were written: the blocks that lie whole in them are present."""
        fresh = file.mark(part)
        if self._open.get(file.file_id) is file:
            self.used += fresh

    def make_room(self, size: int, file: BlockFile, keep: Range) -> None:
        """Bring what is used, and `size` bytes more, below the limit, sparing the range being read."""
        while self.used + size > self._limit and self._closed:
            self._evict(next(iter(self._closed)))
        if self.used + size > self._limit:
            for other in [one for one in self._open.values() if one is not file]:
                self.used -= other.drop(Range(0, 0), self.used + size - self._limit)
        if self.used + size > self._limit:
            self.used -= file.drop(keep, self.used + size - self._limit)

    def _evict(self, file_id: int) -> None:
        self.used -= self._closed.pop(file_id)
        self._remove(file_id)

    def discard(self, file_id: int) -> None:
        """The store no longer has the file, or the id was found to mean other bytes."""
        file = self._open.pop(file_id, None)
        if file is not None:
            self.used -= file.held
        self.used -= self._closed.pop(file_id, 0)
        self._remove(file_id)

    def _remove(self, file_id: int) -> None:
        (self._directory / f"{file_id}.record").unlink(missing_ok=True)
        (self._directory / f"{file_id}.blocks").unlink(missing_ok=True)

    def adopt(self, file_id: int, size: int, path: Path) -> BlockFile | None:
        """Take a spool file, whose bytes the store now has as `file_id`, for its blocks.

        Answers the file, to be recorded and closed; None where it could not be taken: the spool
        may be on another disk, or there may be no room.
        """
        if size > self._limit - self.used or file_id in self._open:
            return None
        try:
            path.rename(self._directory / f"{file_id}.blocks")
        except OSError:
            return None
        file = self.open_file(file_id, size)
        self.mark(file, Range(0, size))
        return file
