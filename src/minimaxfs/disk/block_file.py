"""One remote file's blocks: a sparse file, with a record of what is in it behind its end.

A block is 64 KiB, the unit of presence and of the checksum alike: a random read of 64 KiB
fetches at most two of them, and each survives a remount without its neighbours. It is present
once it was written from its first byte to its last.

The record is written after the data, with a checksum for each block (see `record`). What it says
is verified when a later process first reads the block. So a torn or rotten block is fetched
again, and never served.

Others may write into it: who has a range reserved hands over `descriptor`, and tells with `wrote`.
"""

import errno
import logging
import os
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from minimaxfs.core.ranges import ABSENT, Range, absent, covering
from minimaxfs.disk.block_map import RECORDED, WRITTEN, BlockMap
from minimaxfs.disk.checks import Checks
from minimaxfs.disk.commons import BLOCK, BUFFER, Commons
from minimaxfs.disk.faults import local_faults
from minimaxfs.disk.load import CHECKED_AHEAD, Course, Load
from minimaxfs.disk.record import Record, recall, room_for, write_all
from minimaxfs.disk.sparse import Descriptor, holes, punch

__all__ = ["BLOCK", "BlockFile"]

log = logging.getLogger(__name__)


class BlockFile:
    """The blocks of one remote file of `size` bytes. Opened by `Blocks.open_file`.

    `users` counts who has it open; `map` says what is in it. A file that is `is_discarded` has no
    name any more: it is read to its end, and not recorded. Where the disk `cannot_punch`, blocks
    that are given up take their room until the file is removed.
    """

    def __init__(self, path: Path, file_id: int, size: int, commons: Commons) -> None:
        self.path = path
        self.file_id = file_id
        self.size = size
        self.users = 0
        self.is_discarded = False
        self.cannot_punch = False
        self.map = BlockMap(size, room_for(size), commons)
        self._commons = commons
        self._states = self.map.states
        self._checks = Checks(self.map)
        self._descriptor: Descriptor | None = None
        self._fd = -1
        self._can_tell = True  # whether the file system knows what is in the page cache
        self._course = Course()
        self._is_condemned = False
        self._record: Record | None = None

    def open(self, descriptor: Descriptor) -> None:
        """Begin with an open sparse file, in which nothing is believed."""
        self._descriptor = descriptor
        self._fd = descriptor.fd

    def recall(self) -> None:
        """Believe the record, until the blocks are read; what it does not vouch for goes back to the disk."""
        known = recall(self._fd, self.file_id, self.size)
        if known is None:
            os.ftruncate(self._fd, 0)
            return
        flags, self._checks.sums = known
        self.map.recall(flags)
        for hole in holes(self._fd, self.size):  # given back since, or never got to the disk
            self.map.lose(covering(hole, BLOCK))
            self.map.discharge(covering(hole, BLOCK))
        if os.fstat(self._fd).st_blocks * 512 > self.map.held:
            # A process that was killed had fetched more than it had recorded.
            for run in list(absent(self._states, Range(0, self.map.count))):
                punch(self._fd, self.map.bytes_of(run))

    def close(self) -> None:
        """Nobody reads or writes it any more, but for a thread that is not done yet."""
        now = time.time_ns()  # the disk's own clock ticks too slowly to tell small files apart
        with suppress(OSError):
            os.utime(self._fd, ns=(now, now))  # later processes see by it what was used last
        self.map.forget_all()
        self._descriptor = None
        self._fd = -1

    @property
    def is_open(self) -> bool:
        """Whether there is a file on disk."""
        return self._descriptor is not None

    @property
    def descriptor(self) -> int:
        """What a range that was reserved is to be written into; valid until the file is closed."""
        return self._fd

    def absent(self, part: Range) -> list[Range]:
        """The bytes of a range that are not here, in whole blocks."""
        blocks = covering(part.within(Range(0, self.size)), BLOCK)
        return [self.map.bytes_of(run) for run in absent(self._states, blocks)]

    def has(self, part: Range) -> bool:
        """Whether all bytes of a range are here, also of a block that is not whole yet."""
        return self.map.has(part)

    def peek(self, part: Range) -> bytes | None:
        """The bytes of a range that lies within the file, if they are in memory already.

        None where some are absent or still to be verified, and where the disk would have to be waited
        for: `load` tells these apart.
        """
        start, stop = part
        first, last = start // BLOCK, -(-stop // BLOCK)
        states = self._states
        if states.find(ABSENT, first, last) != -1 and not self.map.has(part):
            return None
        if states.find(RECORDED, first, last) != -1:
            return None
        if not self._can_tell:
            return None
        size = stop - start
        view = self._commons.buffer[:size] if size <= BUFFER else memoryview(bytearray(size))
        try:
            if os.preadv(self._fd, [view], start, os.RWF_NOWAIT) != size:
                return None
        except OSError as error:
            self._can_tell = error.errno != errno.EOPNOTSUPP
            return b"" if not size else None
        if size:
            self.map.ages.use(first, last)
        return bytes(view)

    def load(self, part: Range) -> Load | None:
        """What a worker thread is to `run` for a range of the file; None where some of it is absent.

        Reading that is sequential verifies 1 MiB at once, and tells the disk what comes next.
        """
        blocks = covering(part, BLOCK)
        if self._descriptor is None or not self.map.has(part):
            return None
        if part:
            self.map.ages.use(*blocks)
        told = self._course.ahead_of(part).within(Range(0, self.size))
        ahead = Range(blocks.start, min(covering(told, BLOCK).stop, blocks.start + CHECKED_AHEAD))
        checks = self._checks.needed(self._descriptor, blocks, ahead)
        return Load(self._descriptor, part, checks, told, self._commons.tick())

    def loaded(self, load: Load) -> bytes | None:
        """What a thread has read; None where some is absent now: it was rotten, or given back meanwhile."""
        for check in load.checks:
            self._condemn(self._checks.settle(check))
        blocks = covering(load.part, BLOCK)
        if self.map.ages.were_lost(blocks, load.born):
            return self.read(load.part)  # a neighbour was lost, or it is there again: seldom
        if len(load.data) != load.part.size:
            self._condemn(list(range(*blocks)))
            return None
        return load.data

    def _condemn(self, blocks: list[int]) -> None:
        """These blocks are not what was written."""
        if blocks and not self._is_condemned:
            self._is_condemned = True
            log.warning("%s does not hold what was written into it: that is fetched again", self.path)
        for index in blocks:
            run = Range(index, index + 1)
            if self.map.is_claimed(index):
                self.map.lose(run)  # somebody is writing it anew: to punch it now would undo that
            else:
                self._lose(run)

    def read(self, part: Range) -> bytes | None:
        """The bytes of a range of the file, waited for; None where a block is absent or was rotten."""
        data = self.peek(part)
        if data is not None:
            return data
        load = self.load(part)
        if load is None:
            return None
        load.run()
        return self.loaded(load)

    def write(self, offset: int, data: bytes) -> bool:
        """Put bytes into the file; whether that made a block whole. Raises LocalDiskFull."""
        with local_faults("write a block"):
            write_all(self._fd, data, offset)
        return self.map.wrote(Range(offset, offset + len(data)))

    def wrote(self, part: Range) -> bool:
        """Somebody has put a range that was reserved into the file; whether that made a block whole.

        Notes of one reservation come in order, and each byte is told of once: the reservation of a
        block ends with the note of its last byte.
        """
        if self._descriptor is None:
            return False
        is_more = self.map.wrote(part)
        self.free(self.map.passed(part))
        return is_more

    def drop_unfinished(self) -> None:
        """Give back the blocks that are not whole: nobody goes on with them."""
        self.free(self.map.unfinished())

    def evict(self, blocks: Range, size: int) -> None:
        """Give `size` bytes of these blocks back, if there are as many, in their order."""
        for run in list(self.map.first(blocks, size)):
            self._lose(run)

    def _lose(self, run: Range) -> None:
        self.map.lose(run)
        self.map.discharge(run)
        self.free([run])

    def free(self, runs: list[Range]) -> None:
        """Give the disk back what the map gave up. What cannot be punched goes on taking its room."""
        for run in runs:
            if not punch(self._fd, self.map.bytes_of(run)):
                self.cannot_punch = True
                self.map.charge(self.map.bytes_of(run))

    @property
    def is_unrecorded(self) -> bool:
        """Whether it has blocks of which no record has the checksums."""
        return WRITTEN in self._states

    def record(self) -> Record:
        """What is to be remembered of the blocks that are here now: made here, written in a thread."""
        states = bytearray(self._states)
        sums = self._checks.sums[:]
        were_lost = partial(self.map.ages.were_lost, since=self._commons.tick())
        self._record = Record(self._descriptor, (self.file_id, self.size), states, sums, were_lost)
        return self._record

    def recorded(self) -> Record | None:
        """The record that was made last, if it is written: the blocks whose sums it took need no other."""
        record = self._record
        if record is None or not record.is_done:
            return None
        self._record = None
        self._checks.learn(record.taken, record.were_lost)
        return record
