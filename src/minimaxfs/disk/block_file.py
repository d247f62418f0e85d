"""One remote file's blocks: a sparse file, and beside it a record of what is in it.

A block is 64 KiB, the unit of presence and of the checksum alike: a random read of 64 KiB
fetches at most two of them, and each survives a remount without its neighbours. It is present
once it was written from its first byte to its last, and until then it is never read.

The record is written after the data is durable, with a checksum for each block (see `record`).
What it says is verified when a later process first reads the block. So a torn or rotten block
is fetched again, and never served.
"""

import ctypes
import os
import zlib
from pathlib import Path

from minimaxfs.core.ranges import ABSENT, Range, absent, covering, is_present
from minimaxfs.disk.faults import local_faults
from minimaxfs.disk.record import Record, recall, record_room

BLOCK = 64 * 1024
"""Bytes of a block."""

WRITTEN = 1
"""In the file, by this process: no record has its checksum yet."""

RECORDED = 2
"""In the file, says the record: to be verified when it is first read."""

VERIFIED = 3
"""In the file, and what the record says."""

_PUNCH_HOLE = 0x02 | 0x01  # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE


class BlockFile:
    """The blocks of one remote file of `size` bytes. Opened by `Blocks.open_file`.

    `users` counts who has it open. A file that is `is_discarded` has no name any more: it is read
    to its end, and not recorded.
    """

    def __init__(self, directory: Path, file_id: int, size: int) -> None:
        self.file_id = file_id
        self.size = size
        self.users = 0
        self.is_discarded = False
        self._data = directory / f"{file_id}.blocks"
        self._record = directory / f"{file_id}.record"
        count = -(-size // BLOCK)
        self._states = bytearray(count)
        self._sums = [0] * count
        self._recent: dict[int, None] = {}  # what is present, least recently used first
        self._filled: dict[int, int] = {}  # block → its bytes so far, of those that are not whole yet
        self._losses = 0
        self._overhead = record_room(BLOCK, size)
        self._fd = -1

    def open(self) -> None:
        """Open the sparse file. What the record does not vouch for goes back to the disk at once."""
        with local_faults("open a block file"):
            # Cleaners take the directory away under a running drive: what was in it is expendable.
            self._data.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._fd = os.open(self._data, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._recall()
            except OSError:
                self.close()
                raise

    def _recall(self) -> None:
        known = recall(self._record, BLOCK, self.size)
        if known is None:
            os.ftruncate(self._fd, 0)
            return
        flags, self._sums = known
        self._states[:] = flags.translate(bytes([ABSENT] + [RECORDED] * 255))
        self._recent = {index: None for index, state in enumerate(self._states) if state}
        found = os.fstat(self._fd)
        os.ftruncate(self._fd, min(self.size, found.st_size))
        if found.st_blocks * 512 > self.held:
            # A process that was killed had fetched more than it had recorded.
            for run in absent(self._states, Range(0, len(self._states))):
                _punch(self._fd, run.start * BLOCK, run.size * BLOCK)

    def open_whole(self) -> None:
        """Open a sparse file in which all bytes are."""
        with local_faults("open a block file"):
            self._fd = os.open(self._data, os.O_RDWR | os.O_CLOEXEC)
        self._states[:] = bytes([WRITTEN]) * len(self._states)
        self._recent = dict.fromkeys(range(len(self._states)))

    def close(self) -> None:
        os.close(self._fd)
        self._fd = -1

    @property
    def held(self) -> int:
        """Bytes of disk that its blocks, also those that are not whole yet, and their record may take."""
        count = len(self._recent) + len(self._filled)
        return count * BLOCK + self._overhead if count else 0

    def record(self) -> Record:
        """What is to be remembered of the blocks that are here now: made here, written in a thread.

        A block that is lost meanwhile may be half written when its checksum is taken: such a record
        is not kept.
        """
        losses = self._losses
        return Record(
            path=self._record,
            fd=self._fd,
            block=BLOCK,
            size=self.size,
            flags=bytes(self._states),
            sums=tuple(self._sums),
            fresh=tuple(index for index, state in enumerate(self._states) if state == WRITTEN),
            is_true=lambda: losses == self._losses and not self.is_discarded,
        )

    def absent(self, part: Range) -> list[Range]:
        """The bytes of a range that are not here, in whole blocks."""
        blocks = covering(part.within(Range(0, self.size)), BLOCK)
        return [self._bytes(run) for run in absent(self._states, blocks)]

    def _bytes(self, blocks: Range) -> Range:
        return Range(blocks.start * BLOCK, min(self.size, blocks.stop * BLOCK))

    def read(self, part: Range) -> bytes | None:
        """The bytes of a range that lies within the file; None where a block is absent or was rotten."""
        blocks = covering(part, BLOCK)
        if not is_present(self._states, blocks):
            return None
        if self._states.find(RECORDED, *blocks) != -1 and not self._verify(blocks):
            return None
        data = self._pread(part)
        if len(data) != part.size:
            self._lose(*range(*blocks))
            return None
        for index in range(*blocks):
            self._recent[index] = self._recent.pop(index)
        return data

    def _pread(self, part: Range) -> bytes:
        """What can be read of a range: a sector that fails is as good as one that is absent."""
        try:
            return os.pread(self._fd, part.size, part.start)
        except OSError:
            return b""

    def _verify(self, blocks: Range) -> bool:
        """Believe an earlier process's blocks, or lose those that are not what it recorded."""
        for index in range(*blocks):
            if self._states[index] != RECORDED:
                continue
            block = self._bytes(Range(index, index + 1))
            data = self._pread(block)
            if len(data) == block.size and zlib.crc32(data) == self._sums[index]:
                self._states[index] = VERIFIED
            else:
                self._lose(index)
        return is_present(self._states, blocks)

    def lacking(self, part: Range) -> int:
        """Bytes of disk that writing a range will take beyond those that are held."""
        count = sum(index not in self._filled for index in self._to_fill(part))
        return count * BLOCK + (0 if self.held else self._overhead)

    def _to_fill(self, part: Range) -> list[int]:
        """The blocks that a range touches and that are not whole."""
        return [index for index in range(*covering(part, BLOCK)) if self._states[index] == ABSENT]

    def write(self, offset: int, data: bytes) -> bool:
        """Put bytes into the file; whether that made a block whole. Raises LocalDiskFull."""
        part = Range(offset, offset + len(data))
        blocks = self._to_fill(part)
        for index in blocks:
            self._filled.setdefault(index, 0)
        view = memoryview(data)
        with local_faults("write a block"):
            while view:
                written = os.pwrite(self._fd, view, offset)
                view, offset = view[written:], offset + written
        filled = [self._fill(index, part) for index in blocks]
        return any(filled)

    def _fill(self, index: int, part: Range) -> bool:
        """A range was written; whether that made a block whole: no byte before it may be missing."""
        block = self._bytes(Range(index, index + 1))
        filled = self._filled[index]
        if part.start - block.start <= filled:
            filled = max(filled, min(part.stop, block.stop) - block.start)
        if filled < block.size:
            self._filled[index] = filled
            return False
        del self._filled[index]
        self._states[index] = WRITTEN
        self._recent[index] = None
        return True

    def drop(self, size: int) -> None:
        """Give `size` bytes or more back to the disk, if there are as many: least recently used first."""
        count = -(-size // BLOCK)
        self._lose(*list(self._recent)[:count])

    def drop_unfinished(self) -> None:
        """Give back the blocks that are not whole: nobody goes on with them."""
        for index in self._filled:
            _punch(self._fd, index * BLOCK, BLOCK)
        self._filled.clear()

    def _lose(self, *blocks: int) -> None:
        self._losses += 1
        for index in blocks:
            self._states[index] = ABSENT
            del self._recent[index]
            _punch(self._fd, index * BLOCK, BLOCK)


_libc = ctypes.CDLL(None, use_errno=True)


def _punch(fd: int, offset: int, size: int) -> None:
    """Free a part of a file. Not every file system can: there it stays, and counts as free all the same."""
    _libc.fallocate(fd, _PUNCH_HOLE, ctypes.c_int64(offset), ctypes.c_int64(size))
