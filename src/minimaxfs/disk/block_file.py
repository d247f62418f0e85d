"""One remote file's blocks: a sparse file, and beside it a record of what is in it.

The record is written after the data is durable, with a checksum for each block; what it says
of an earlier process is verified when it is first read back. So a torn or rotten block is
fetched again, and never served.

A block is 64 KiB, the unit of presence and of the checksum alike: a random read of 64 KiB
fetches at most two of them, and each survives a remount without its neighbours.
"""

import ctypes
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from minimaxfs.core.ranges import ABSENT, Range, absent, contained, covering
from minimaxfs.disk.faults import local_faults

BLOCK = 64 * 1024
"""Bytes of a block."""

WRITTEN = 1
"""In the file, by this process."""

RECORDED = 2
"""In the file, says the record of an earlier process: to be verified."""

_HEADER = struct.Struct("<4sIQ")
_MAGIC = b"mmb1"

_PUNCH_HOLE = 0x02 | 0x01  # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE


@dataclass(frozen=True, slots=True)
class Record:
    """A block file's record as it will be written: made in the event loop, written in a thread."""

    path: Path
    fd: int
    size: int
    present: bytes

    def write(self) -> None:
        """Make the data durable, then say so. May take long: call it from a worker thread."""
        with local_faults("record blocks"):
            sums = struct.pack(f"<{len(self.present)}I", *(self._sum(i) for i in range(len(self.present))))
            os.fdatasync(self.fd)
            body = _HEADER.pack(_MAGIC, BLOCK, self.size) + self.present + sums
            draft = self.path.with_suffix(".new")
            draft.write_bytes(body + struct.pack("<I", zlib.crc32(body)))
            draft.replace(self.path)

    def _sum(self, index: int) -> int:
        return zlib.crc32(os.pread(self.fd, BLOCK, index * BLOCK)) if self.present[index] else 0


class BlockFile:
    """The blocks of one remote file of `size` bytes. Opened by `Blocks.open_file`."""

    def __init__(self, directory: Path, file_id: int, size: int) -> None:
        self.file_id = file_id
        self.size = size
        self.users = 0
        self._data = directory / f"{file_id}.blocks"
        self._record = directory / f"{file_id}.record"
        self._present = bytearray(-(-size // BLOCK))
        self._sums: tuple[int, ...] = ()
        self._fd = -1

    @property
    def held(self) -> int:
        """Bytes of the blocks that are present."""
        return (len(self._present) - self._present.count(ABSENT)) * BLOCK

    def open(self) -> None:
        """Open the sparse file, and believe its record where that is whole and fits."""
        with local_faults("open a block file"):
            self._fd = os.open(self._data, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            body = self._record.read_bytes()
        except OSError:
            return
        count = len(self._present)
        if len(body) != _HEADER.size + 5 * count + 4:
            return
        (whole,) = struct.unpack("<I", body[-4:])
        if zlib.crc32(body[:-4]) != whole or _HEADER.unpack_from(body) != (_MAGIC, BLOCK, self.size):
            return
        flags = body[_HEADER.size : _HEADER.size + count]
        self._present[:] = flags.translate(bytes([ABSENT] + [RECORDED] * 255))
        self._sums = struct.unpack_from(f"<{count}I", body, _HEADER.size + count)

    def record(self) -> Record:
        """What is to be remembered of the blocks that are here now."""
        return Record(self._record, self._fd, self.size, bytes(self._present))

    def close(self) -> None:
        os.close(self._fd)
        self._fd = -1

    def absent(self, part: Range) -> list[Range]:
        """The bytes of a range that are not here, in whole blocks."""
        blocks = covering(part.within(Range(0, self.size)), BLOCK)
        return [self._bytes(run) for run in absent(self._present, blocks)]

    def _bytes(self, blocks: Range) -> Range:
        return Range(blocks.start * BLOCK, min(self.size, blocks.stop * BLOCK))

    def read(self, part: Range) -> bytes | None:
        """The bytes of a range that lies within the file; None where a block is absent or was rotten."""
        blocks = covering(part, BLOCK)
        if self._present.find(ABSENT, *blocks) != -1:
            return None
        if self._present.find(RECORDED, *blocks) != -1 and not self._verify(blocks):
            return None
        with local_faults("read a block"):
            data = os.pread(self._fd, part.size, part.start)
        if len(data) == part.size:
            return data
        self._present[blocks.start : blocks.stop] = bytes(blocks.stop - blocks.start)
        return None

    def _verify(self, blocks: Range) -> bool:
        """Believe an earlier process's blocks, or drop those that are not what it recorded."""
        for index in range(*blocks):
            if self._present[index] != RECORDED:
                continue
            block = self._bytes(Range(index, index + 1))
            data = os.pread(self._fd, block.size, block.start)
            is_right = len(data) == block.size and zlib.crc32(data) == self._sums[index]
            self._present[index] = WRITTEN if is_right else ABSENT
        return self._present.find(ABSENT, *blocks) == -1

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes into the file; `mark` says when their blocks are whole. Raises LocalDiskFull."""
        view = memoryview(data)
        with local_faults("write a block"):
            while view:
                written = os.pwrite(self._fd, view, offset)
                view = view[written:]
                offset += written

    def mark(self, part: Range) -> int:
        """These bytes are in the file: the blocks that lie whole in them are present.

        Answers the bytes of blocks that were not present before.
        """
        blocks = contained(part, BLOCK, self.size)
        if not blocks:
            return 0
        fresh = self._present.count(ABSENT, *blocks)
        self._present[blocks.start : blocks.stop] = bytes([WRITTEN]) * (blocks.stop - blocks.start)
        return fresh * BLOCK

    def drop(self, keep: Range, size: int) -> int:
        """Give at least `size` bytes back to the disk, outside of `keep`; answers how many it gave."""
        kept = covering(keep.within(Range(0, self.size)), BLOCK)
        given = 0
        for index, state in enumerate(self._present):
            if given >= size:
                break
            if state == ABSENT or kept.start <= index < kept.stop:
                continue
            _punch(self._fd, index * BLOCK, BLOCK)
            self._present[index] = ABSENT
            given += BLOCK
        return given


_libc = ctypes.CDLL(None, use_errno=True)


def _punch(fd: int, offset: int, size: int) -> None:
    """Free a part of a file. Not every file system can: there it stays, and counts as free all the same."""
    _libc.fallocate(fd, _PUNCH_HOLE, ctypes.c_int64(offset), ctypes.c_int64(size))
