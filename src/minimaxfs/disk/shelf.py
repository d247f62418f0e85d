"""Block files that nobody has open: what they take of the disk, and which were used least recently.

Of a large one the middle is given back first. Its record still speaks of it: whoever opens the
file finds the hole.
"""

import errno
import os
import stat
from collections.abc import Callable, Container
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_map import END
from minimaxfs.disk.commons import BLOCK, Commons
from minimaxfs.disk.record import room_for
from minimaxfs.disk.sparse import open_ours, punch

SUFFIX = ".blocks"

_FORMER = (".record", ".draft")
"""The suffixes of records when they were files of their own."""

Step = tuple[int, Callable[[int], None]]
"""When something was used last, and what gives so many bytes of it back, or fewer."""


@dataclass(slots=True)
class _Closed:
    size: int
    used: int


class Shelf:
    """The closed files of a directory. `ends` are the bytes of those that have no middle.

    Those that are `pinned`, by file_id, are not given back.
    """

    def __init__(self, directory: Path, commons: Commons, pinned: Container[int]) -> None:
        self.ends = 0
        self._pinned = pinned
        self._directory = directory
        self._commons = commons
        self._middles: dict[int, _Closed] = {}  # least recently used first
        self._ends: dict[int, _Closed] = {}  # likewise

    def path(self, file_id: int) -> Path:
        """Where the blocks of a file are."""
        return self._directory / f"{file_id}{SUFFIX}"

    def scan(self) -> None:
        """Take over what earlier processes left."""
        found: list[tuple[int, int, int]] = []
        with os.scandir(self._directory) as entries:
            for entry in entries:
                stem, suffix = os.path.splitext(entry.name)
                if suffix in _FORMER and stem.split(".")[0].isdecimal():
                    with suppress(OSError):
                        os.unlink(entry.path)
                elif suffix == SUFFIX and stem.isascii() and stem.isdecimal():
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        found.append((status.st_mtime_ns, int(stem), status.st_blocks * 512))
        for _, file_id, size in sorted(found):
            self.put(file_id, size)

    def put(self, file_id: int, size: int) -> None:
        """A file was closed, and takes `size` bytes of the disk."""
        self._put(file_id, _Closed(size, self._commons.tick()), has_middle=size >= 2 * END + BLOCK)

    def _put(self, file_id: int, closed: _Closed, *, has_middle: bool) -> None:
        self._commons.used += closed.size
        if has_middle:
            self._middles[file_id] = closed
        else:
            self._ends[file_id] = closed
            self.ends += closed.size

    def take(self, file_id: int) -> int | None:
        """The file is open from now on: what it took of the disk; None where there is none."""
        closed = self._middles.pop(file_id, None)
        if closed is None:
            closed = self._ends.pop(file_id, None)
            if closed is None:
                return None
            self.ends -= closed.size
        self._commons.used -= closed.size
        return closed.size

    def forget_all(self) -> None:
        """The directory is gone, and all that was in it."""
        for file_id in [*self._middles, *self._ends]:
            self.take(file_id)

    def remove(self, file_id: int) -> None:
        """Give all of a file back."""
        self.take(file_id)
        with suppress(OSError):  # gone already, or somebody's directory: it is met when the id is opened
            self.path(file_id).unlink()

    def oldest_middle(self) -> Step | None:
        """How to give back some of the middle that was used least recently."""
        for file_id, closed in self._middles.items():
            if file_id not in self._pinned:
                return closed.used, partial(self._trim, file_id)
        return None

    def oldest_end(self) -> Step | None:
        """How to give back the file without a middle that was used least recently."""
        for file_id, closed in self._ends.items():
            if file_id not in self._pinned:
                return closed.used, partial(self._remove, file_id)
        return None

    def _remove(self, file_id: int, _size: int) -> None:
        self.remove(file_id)

    def _trim(self, file_id: int, size: int) -> None:
        """Give about `size` bytes of a file's middle back, or all of it where that cannot be done."""
        closed = self._middles[file_id]
        try:
            left, has_middle = _punch_middle(self.path(file_id), max(size, self._commons.segment))
        except OSError:
            self.remove(file_id)
            return
        if has_middle:  # it goes on being the first to give
            self._commons.used -= closed.size - left
            closed.size = left
        else:
            self.take(file_id)
            self._put(file_id, _Closed(left, closed.used), has_middle=False)


def _punch_middle(path: Path, size: int) -> tuple[int, bool]:
    """Give some of the middle of a file back, from its beginning on; what the rest takes, and has of it.

    Raises OSError where that cannot be done.
    """
    descriptor = open_ours(path)
    before = os.fstat(descriptor.fd)
    stop = (before.st_size - room_for(before.st_size) - END) // BLOCK * BLOCK
    start = max(END, os.lseek(descriptor.fd, END, os.SEEK_DATA) // BLOCK * BLOCK)
    part = Range(start, min(stop, start + size))
    if part and not punch(descriptor.fd, part):
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    os.utime(descriptor.fd, ns=(before.st_atime_ns, before.st_mtime_ns))  # it was not used
    return os.fstat(descriptor.fd).st_blocks * 512, part.stop < stop
