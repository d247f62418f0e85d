"""Blocks on disk: bytes of remote files that were read once and need not be fetched again.

A file_id names immutable bytes, so nothing here is ever revalidated, and it all survives a
remount. What is kept is bounded by a limit on the bytes that the disk gives, and by a disk
that others fill: the least recently used goes first.
"""

from pathlib import Path

from minimaxfs.core.errors import LocalDiskFull, LocalFault
from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BlockFile
from minimaxfs.disk.faults import local_faults
from minimaxfs.disk.record import DRAFT

SPARE = 1024 * 1024
"""Bytes given back at once when others have filled the disk, since they may go on to fill it."""


class Blocks:
    """The directory of block files, within a limit of `limit` bytes."""

    def __init__(self, directory: Path, limit: int) -> None:
        self.limit = limit
        self._directory = directory
        self._open: dict[int, BlockFile] = {}
        self._discarded: set[BlockFile] = set()
        self._closed: dict[int, int] = {}  # file_id → bytes on disk, least recently used first
        self._closed_bytes = 0

    @property
    def used(self) -> int:
        """Bytes of disk that all blocks may take."""
        return self._closed_bytes + sum(file.held for file in self._files())

    def _files(self) -> list[BlockFile]:
        return [*self._open.values(), *self._discarded]

    def open(self) -> None:
        """Make the directory (0700), and take over what earlier processes left, as far as it may stay."""
        with local_faults("open the block directory"):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = sorted(self._directory.glob("*.blocks"), key=lambda path: path.stat().st_mtime_ns)
            for path in found:
                if path.stem.isascii() and path.stem.isdecimal():
                    self._shelve(int(path.stem))
            for path in self._directory.iterdir():
                is_orphan = path.suffix == ".record" and not path.with_suffix(".blocks").exists()
                if is_orphan or path.suffix == DRAFT:
                    path.unlink()
        self._give_back(self.used - self.limit)

    def open_file(self, file_id: int, size: int) -> BlockFile:
        """The blocks of a remote file; each call is to be met by one of `close_file`.

        Another size than before means other bytes: what was there is discarded.
        """
        file = self._open.get(file_id)
        if file is not None and file.size != size:
            self.discard(file_id)
            file = None
        if file is None:
            file = BlockFile(self._directory, file_id, size)
            file.open()
            self._take(file)
        file.users += 1
        return file

    def close_file(self, file: BlockFile) -> None:
        """One user less; the last one closes it."""
        file.users -= 1
        if file.users > 0:
            return
        file.drop_unfinished()
        file.close()
        self._discarded.discard(file)
        if self._open.get(file.file_id) is not file:
            return
        del self._open[file.file_id]
        if file.held:
            self._shelve(file.file_id)
        else:
            self._remove(file.file_id)

    def _take(self, file: BlockFile) -> None:
        self._closed_bytes -= self._closed.pop(file.file_id, 0)
        self._open[file.file_id] = file

    def _shelve(self, file_id: int) -> None:
        """Nobody has the file open: what it takes is what the disk says."""
        size = sum(_allocated(path) for path in self._paths(file_id))
        self._closed_bytes += size - self._closed.pop(file_id, 0)
        self._closed[file_id] = size

    def write(self, file: BlockFile, offset: int, data: bytes) -> bool:
        """Put bytes into a file's blocks; whether that made one whole.

        Raises LocalDiskFull where neither the limit nor the disk leaves room for them.
        """
        lacking = file.lacking(Range(offset, offset + len(data)))
        self._give_back(self.used + lacking - self.limit)
        if self.used + lacking > self.limit:
            raise LocalDiskFull(f"{self._directory}: the limit of {self.limit:,} bytes is reached")
        try:
            return file.write(offset, data)
        except LocalDiskFull:
            self._give_back(max(len(data), SPARE))
            return file.write(offset, data)

    def _give_back(self, size: int) -> None:
        """Free so many bytes, if there are as many: of files that nobody reads, then of the largest."""
        goal = self.used - size
        while self.used > goal and self._closed:
            self._remove(next(iter(self._closed)))
        while self.used > goal and (files := self._files()):
            largest = max(files, key=lambda file: file.held)
            before = largest.held
            largest.drop(self.used - goal)
            if largest.held == before:
                return

    def discard(self, file_id: int) -> None:
        """The store no longer has the file, or the id was found to mean other bytes. Readers go on."""
        file = self._open.pop(file_id, None)
        if file is not None:
            file.is_discarded = True
            self._discarded.add(file)
        self._remove(file_id)

    def _remove(self, file_id: int) -> None:
        self._closed_bytes -= self._closed.pop(file_id, 0)
        with local_faults("remove blocks"):
            for path in self._paths(file_id):
                path.unlink(missing_ok=True)

    def _paths(self, file_id: int) -> tuple[Path, Path]:
        return self._directory / f"{file_id}.record", self._directory / f"{file_id}.blocks"

    def adopt(self, file_id: int, size: int, path: Path) -> BlockFile | None:
        """Take a spool file, whose bytes the store now has as `file_id`, for its blocks.

        Answers the file, to be recorded and closed; None where it could not be taken: the spool
        may be on another disk, or there may be no room.
        """
        if file_id in self._open:
            return None
        file = BlockFile(self._directory, file_id, size)
        lacking = file.lacking(Range(0, size))
        if lacking > self.limit:
            return None
        try:
            self._remove(file_id)
            self._give_back(self.used + lacking - self.limit)
            path.rename(self._directory / f"{file_id}.blocks")
            file.open_whole()
        except (OSError, LocalFault):
            return None
        self._take(file)
        file.users = 1
        return file


def _allocated(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0
