"""Reading blocks from a disk that would make the event loop wait: in a worker thread, which changes nothing.

What it found is applied by `BlockFile.loaded`, in the loop.
"""

import os
import zlib
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock

from minimaxfs.core.ranges import Range
from minimaxfs.disk.commons import BLOCK
from minimaxfs.disk.sparse import Descriptor

CHECKED_AHEAD = 1024 * 1024 // BLOCK
"""Blocks that are verified together while reading is sequential: one thread a mebibyte."""

_TOLD_AHEAD = 8 * 1024 * 1024
"""Bytes that the disk is told to read ahead of a sequential reader."""

_DISORDER = 2 * 1024 * 1024
"""Bytes by which the reads of one sequential reader may be out of order."""


class Course:
    """Where a file was read last, and so where it may be read next."""

    def __init__(self) -> None:
        self._expected = 0

    def ahead_of(self, part: Range) -> Range:
        """The range and what follows it, where reading is sequential; nothing where it is random."""
        is_sequential = abs(part.start - self._expected) <= _DISORDER
        self._expected = part.stop
        return Range(part.start, part.stop + _TOLD_AHEAD) if is_sequential else Range(0, 0)


class Check:
    """Recorded blocks that are verified once, by whichever thread needs them first.

    `sums` are the blocks and their checksums; `rotten` those that did not pass, None before it ran.
    """

    def __init__(self, descriptor: Descriptor, size: int, sums: Mapping[int, int]) -> None:
        self.sums = sums
        self.rotten: list[int] | None = None
        self._descriptor = descriptor
        self._size = size
        self._lock = Lock()

    def touches(self, blocks: Range) -> bool:
        """Whether any of these blocks is verified by it."""
        return any(index in self.sums for index in range(*blocks))

    def run(self) -> None:
        """Verify, or wait for the thread that does. A sector that cannot be read is as good as rotten."""
        with self._lock:
            if self.rotten is None:
                self.rotten = [index for index in self.sums if not self._is_right(index)]

    def _is_right(self, index: int) -> bool:
        start = index * BLOCK
        block = Range(start, min(self._size, start + BLOCK))
        data = read(self._descriptor.fd, block)
        return len(data) == block.size and zlib.crc32(data) == self.sums[index]


class Load:
    """One read of a range, of which all blocks were present at the tick `born`.

    `checks` come first; `ahead` is what the disk is told that will be wanted.
    """

    def __init__(
        self, descriptor: Descriptor, part: Range, checks: list[Check], ahead: Range, born: int
    ) -> None:
        self.part = part
        self.checks = checks
        self.born = born
        self.data = b""
        self._descriptor = descriptor
        self._ahead = ahead

    def run(self) -> None:
        """Read it, which may take long: call it from a worker thread. Never raises."""
        fd = self._descriptor.fd
        if self._ahead:
            with suppress(OSError):
                os.posix_fadvise(fd, self._ahead.start, self._ahead.size, os.POSIX_FADV_WILLNEED)
        for check in self.checks:
            check.run()
        self.data = read(fd, self.part)


def read(fd: int, part: Range) -> bytes:
    """What can be read of a range: a sector that fails is as good as one that is absent."""
    try:
        return os.pread(fd, part.size, part.start)
    except OSError:
        return b""
