"""Blocks on disk: bytes of remote files that were read once and need not be fetched again.

A file_id names immutable bytes, so nothing here is ever revalidated, and it all survives a
remount. What is kept is bounded by a limit on the bytes that the disk gives, and by a disk
that others fill: the least recently used goes first, and the ends of files last.

What others did to the directory meanwhile costs another fetch, and is said once.
"""

import logging
from functools import partial
from operator import itemgetter
from pathlib import Path

from minimaxfs.core.errors import LocalDiskFull
from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BlockFile
from minimaxfs.disk.commons import Commons
from minimaxfs.disk.faults import local_faults
from minimaxfs.disk.record import Record
from minimaxfs.disk.shelf import Shelf, Step
from minimaxfs.disk.sparse import Descriptor, clear_away, create, create_nameless, open_ours

log = logging.getLogger(__name__)

SPARE = 1024 * 1024
"""Bytes given back at once when others have filled the disk, since they may go on to fill it."""

_SHARE_OF_ENDS = 4
"""The part (1/4) of the limit up to which small files, and ends of large ones, are spared."""

_MOST_UNRECORDED = 128
"""Closed files that wait for their record, each with a descriptor."""


class Blocks:
    """The directory of block files, within a limit of `limit` bytes."""

    def __init__(self, directory: Path, limit: int) -> None:
        self.limit = limit
        self._directory = directory
        self._commons = Commons(limit)
        self._shelf = Shelf(directory, self._commons)
        self._open: dict[int, BlockFile] = {}
        self._discarded: set[BlockFile] = set()
        self._unrecorded: dict[BlockFile, None] = {}  # closed, and still to be recorded
        self._recording: set[BlockFile] = set()

    @property
    def used(self) -> int:
        """Bytes of disk that all blocks may take, those that room is reserved for too."""
        return self._commons.used

    def open(self) -> None:
        """Make the directory (0700), and take over what earlier processes left, as far as it may stay."""
        with local_faults("open the block directory"):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
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
            file = self._open[file_id] = BlockFile(self._shelf.path(file_id), file_id, size, self._commons)
            if self._shelf.take(file_id):
                self._reopen(file)
        self._unrecorded.pop(file, None)
        file.users += 1
        return file

    def _reopen(self, file: BlockFile) -> None:
        """Go on with what is on disk, if it is there and ours."""
        try:
            file.open(open_ours(file.path))
            file.recall()
        except OSError as error:
            log.warning("%s: %s: what it held is fetched again", file.path, error.strerror)
            if not self._directory.exists():
                self._shelf.forget_all()

    def close_file(self, file: BlockFile) -> None:
        """One user less. After the last one it is closed, or waits for its record.

        Nobody may write into it any more.
        """
        file.users -= 1
        if file.users > 0:
            return
        file.drop_unfinished()
        file.recorded()
        self._end(file)
        while len(self._unrecorded) > _MOST_UNRECORDED:
            oldest = next(iter(self._unrecorded))
            self._record_of(oldest).write()
            self.recorded()

    def _end(self, file: BlockFile) -> None:
        """Nobody uses the file: keep it as it is until it is recorded, or close it."""
        is_current = self._open.get(file.file_id) is file and not file.is_discarded
        if is_current and file.is_unrecorded:
            self._unrecorded[file] = None
            return
        self._unrecorded.pop(file, None)
        self._discarded.discard(file)
        if self._open.get(file.file_id) is file:
            del self._open[file.file_id]
        held, was_open = file.held, file.is_open
        file.close()
        if is_current and held:
            self._shelf.put(file.file_id, held)
        elif is_current and was_open:
            self._shelf.remove(file.file_id)

    def to_record(self) -> list[Record]:
        """The records of files that were closed since: call `write` of each in a thread, then `recorded`."""
        self.recorded()
        return [self._record_of(file) for file in list(self._unrecorded)]

    def _record_of(self, file: BlockFile) -> Record:
        del self._unrecorded[file]
        self._recording.add(file)
        return file.record()

    def recorded(self) -> None:
        """Put the files away whose records are written."""
        for file in list(self._recording):
            record = file.recorded()
            if record is None:
                continue
            self._recording.remove(file)
            if record.fault is not None:
                log.warning("blocks of file %d are not kept: %s", file.file_id, record.fault)
            if file.users > 0 or file.is_discarded:
                continue
            if record.fault is not None:
                self.discard(file.file_id)
            else:
                self._end(file)

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

    def _make_way(self, size: int) -> None:
        self._give_back(self.used + size - self.limit)
        if self.used + size > self.limit:
            raise LocalDiskFull(f"{self._directory}: the limit of {self.limit:,} bytes is reached")

    def _make(self, file: BlockFile) -> None:
        """Make sure that there is a file to write into."""
        if not file.is_open:
            try:
                file.open(self._created(file))
            except OSError as error:
                raise LocalDiskFull(f"{file.path} cannot be made: {error.strerror}") from error

    def _created(self, file: BlockFile) -> Descriptor:
        try:
            return create(file.path)
        except FileExistsError:
            log.warning("%s is not a file of this drive: it has to give way", file.path)
        if clear_away(file.path):
            return create(file.path)
        file.is_discarded = True
        return create_nameless(self._directory)

    def release(self, file: BlockFile, part: Range) -> None:
        """Give back a reservation of what was not written."""
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
            file.free(file.map.unclaim_written(part))

    def make_room(self, size: int) -> None:
        """Others have filled the disk: give that many bytes back to it, if there are as many."""
        self._give_back(max(size, SPARE))

    def _give_back(self, size: int) -> None:
        """Free so many bytes, if there are as many: used least recently first, the ends of files last."""
        goal = self.used - size
        while self.used > goal and (step := self._next_step()) is not None:
            step[1](self.used - goal)

    def _next_step(self) -> Step | None:
        steps = [self._shelf.oldest_middle(), *map(_oldest_middle, self._files())]
        if self._shelf.ends > self.limit // _SHARE_OF_ENDS or not any(steps):
            steps.append(self._shelf.oldest_end())
        if not any(steps):
            steps += map(_oldest, self._files())
        return min(filter(None, steps), key=itemgetter(0), default=None)

    def _files(self) -> list[BlockFile]:
        return [file for file in (*self._open.values(), *self._discarded) if not file.cannot_punch]

    def discard(self, file_id: int) -> None:
        """The store no longer has the file, or the id was found to mean other bytes. Readers go on."""
        file = self._open.pop(file_id, None)
        self._shelf.remove(file_id)
        if file is not None:
            file.is_discarded = True
            self._discarded.add(file)
            if file.users == 0:
                self._end(file)

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


def _oldest_middle(file: BlockFile) -> Step | None:
    return _step(file, file.map.middle)


def _oldest(file: BlockFile) -> Step | None:
    return _step(file, Range(0, file.map.count))


def _step(file: BlockFile, within: Range) -> Step | None:
    oldest = file.map.oldest(within)
    return oldest and (oldest[0], partial(file.evict, oldest[1]))
