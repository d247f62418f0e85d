"""Blocks on disk: bytes of remote files that were read once and need not be fetched again.

A file_id names immutable bytes, so nothing here is ever revalidated, and it all survives a
remount. What is kept is bounded by a limit on the bytes that the disk gives, and by a disk
that others fill: the least recently used goes first, and the ends of files last.
"""

import logging
from collections.abc import Container
from pathlib import Path

from minimaxfs.core.errors import LocalDiskFull
from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BlockFile
from minimaxfs.disk.commons import Commons
from minimaxfs.disk.eviction import next_step
from minimaxfs.disk.faults import FULL, local_faults
from minimaxfs.disk.places import Places
from minimaxfs.disk.record import Record
from minimaxfs.disk.record_queue import RecordQueue
from minimaxfs.disk.shelf import Shelf
from minimaxfs.disk.sparse import open_ours

log = logging.getLogger(__name__)

SPARE = 1024 * 1024
"""Bytes given back at once when others have filled the disk, since they may go on to fill it."""


class Blocks:
    """The directory of block files, within a limit of `limit` bytes. Those that are `pinned` stay."""

    def __init__(self, directory: Path, limit: int, pinned: Container[int] = ()) -> None:
        self.limit = limit
        self._pinned = pinned
        self._directory = directory
        self._commons = Commons(limit)
        self._shelf = Shelf(directory, self._commons, pinned)
        self._places = Places(directory, self._lose_all)
        self._open: dict[int, BlockFile] = {}
        self._discarded: set[BlockFile] = set()
        self._queue = RecordQueue()

    @property
    def used(self) -> int:
        """Bytes of disk that all blocks may take, those that room is reserved for too."""
        return self._commons.used

    def open(self) -> None:
        """Make the directory (0700), and take over what earlier processes left, as far as it may stay."""
        with local_faults("open the block directory"):
            self._places.prepare()
            self._shelf.scan()
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
            file = BlockFile(self._shelf.path(file_id), file_id, size, self._commons)
            kept = self._shelf.take(file_id)
            if kept is not None and not self._places.reopen(file):
                self._shelf.put(file_id, kept)
            self._open[file_id] = file
        self._queue.take_back(file)
        file.users += 1
        return file

    def close_file(self, file: BlockFile) -> None:
        """One user less. After the last one it waits for its record, where it needs one, and is closed.

        Nobody may write into it any more.
        """
        file.users -= 1
        if file.users > 0:
            return
        file.drop_unfinished()
        file.recorded()
        self._put_away(file)
        while self._queue.is_too_long:
            self._queue.begin_first().write()
            self.recorded()

    def _put_away(self, file: BlockFile) -> None:
        """Nobody uses the file: keep it as it is until it is recorded, or close it."""
        if file.is_unrecorded and not file.is_discarded:
            self._queue.put(file)
            return
        self._queue.take_back(file)
        self._discarded.discard(file)
        if self._open.get(file.file_id) is file:
            del self._open[file.file_id]
        held, was_open = file.map.held, file.is_open
        file.close()
        if file.is_discarded or not was_open:
            return
        if held:
            self._shelf.put(file.file_id, held)
        else:
            self._shelf.remove(file.file_id)

    def to_record(self) -> list[Record]:
        """The records of files that were closed since, or that have got no blocks since the last call.

        `write` each in a thread, then call `recorded`.
        """
        self.recorded()
        return self._queue.begin(file for file in self._open.values() if file.users)

    def recorded(self) -> None:
        """Put the files away whose records are written."""
        for file, record in self._queue.written():
            if record.fault is not None:
                log.warning("blocks of file %d are not kept: %s", file.file_id, record.fault)
            if file.users > 0 or file.is_discarded:
                continue
            if record.fault is not None:
                self.discard(file.file_id)
            else:
                self._put_away(file)

    def reserve(self, file: BlockFile, part: Range) -> None:
        """Make room for what writing a range takes, and keep it until it is written or released.

        Raises LocalDiskFull where neither the limit nor the disk leaves room for it.
        """
        file.map.claim(part)  # what is there of it must not be what makes room for the rest
        try:
            self._make(file)
            self._make_way(file.map.lacking(part))
        except LocalDiskFull:
            self.release(file, part)
            raise
        file.map.charge(part)

    def _make(self, file: BlockFile) -> None:
        """Make sure that there is a file to write into."""
        if file.is_open:
            return
        if not file.is_discarded:
            self._shelf.take(file.file_id)  # it could not be opened before
        try:
            try:
                self._places.make(file)
            except OSError as error:
                if error.errno not in FULL:
                    raise
                self.make_room(SPARE)
                self._places.make(file)
        except OSError as error:
            raise LocalDiskFull(f"{file.path} cannot be made: {error.strerror}") from error

    def _make_way(self, size: int) -> None:
        self._give_back(self.used + size - self.limit)
        if self.used + size > self.limit:
            raise LocalDiskFull(f"{self._directory}: the limit of {self.limit:,} bytes is reached")

    def release(self, file: BlockFile, part: Range) -> None:
        """Give back the reservation of what was not written.

        Whoever was to write it must have stopped: what comes later takes room that nobody counts.
        """
        file.free(file.map.unclaim(part))

    def write(self, file: BlockFile, offset: int, data: bytes) -> bool:
        """Put bytes into a file's blocks, without a reservation; whether that made one whole.

        Raises LocalDiskFull where neither the limit nor the disk leaves room for them.
        """
        part = Range(offset, offset + len(data))
        self.reserve(file, part)
        try:
            try:
                return file.write(offset, data)
            except LocalDiskFull:
                self.make_room(len(data))
                return file.write(offset, data)
        finally:
            file.free(file.map.unclaim(part, spare_filled=True))

    def make_room(self, size: int) -> None:
        """Others have filled the disk: give that many bytes back to it, if there are as many."""
        self._give_back(max(size, SPARE))

    def _give_back(self, size: int) -> None:
        """Free so many bytes, if there are as many. What is reserved, or on its way, stays."""
        goal = self.used - size
        while self.used > goal:
            kept = [file for file in self._open.values() if file.file_id not in self._pinned]
            files = (*kept, *self._discarded)
            step = next_step(self._shelf, files, self.limit)
            if step is None:
                return
            step[1](self.used - goal)

    def discard(self, file_id: int) -> None:
        """The store no longer has the file, or the id was found to mean other bytes. Readers go on."""
        self._shelf.remove(file_id)
        if file_id in self._open:
            self._detach(file_id)

    def _detach(self, file_id: int) -> None:
        """A file has no name any more: it ends with its users."""
        file = self._open.pop(file_id)
        file.is_discarded = True
        self._discarded.add(file)
        if file.users == 0:
            self._put_away(file)

    def _lose_all(self) -> None:
        """The directory was deleted under the drive."""
        self._shelf.forget_all()
        for file_id in [file_id for file_id, file in self._open.items() if file.is_open]:
            self._detach(file_id)

    def adopt(self, file_id: int, size: int, path: Path) -> BlockFile | None:
        """Take a spool file, whose bytes the store now has as `file_id`, for its blocks.

        Answers the file, to be closed; None where it could not be taken: the spool may be on
        another disk, or there may be no room.
        """
        if file_id in self._open:
            return None
        file = BlockFile(self._shelf.path(file_id), file_id, size, self._commons)
        lacking = file.map.lacking(Range(0, size))
        if lacking > self.limit:
            return None
        try:
            self._shelf.remove(file_id)
            self._make_way(lacking)
            path.chmod(0o600)
            path.rename(file.path)
            file.open(open_ours(file.path))
        except (OSError, LocalDiskFull):
            return None
        file.map.take_all()
        file.users = 1
        self._open[file_id] = file
        return file
