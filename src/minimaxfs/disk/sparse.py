"""Files with holes, in a directory that others may have meddled with."""

import ctypes
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from minimaxfs.core.ranges import Range

_PUNCH_HOLE = 0x02 | 0x01  # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe is opened, and refused, at once


class Foreign(OSError):
    """What has the name is not a file that a process of ours made."""


class Descriptor:
    """An open file, which is closed when the last who holds it lets go of it.

    A thread that still reads keeps it open, so that it can never read another file by its number.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __del__(self) -> None:
        os.close(self.fd)


def open_ours(path: Path) -> Descriptor:
    """Open a file that is there. Raises Foreign where it is anything but a private file of ours."""
    try:
        descriptor = Descriptor(os.open(path, _FLAGS))
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EACCES, errno.EPERM}:
            raise Foreign(error.errno, "it is not a file of this drive") from error
        raise
    found = os.fstat(descriptor.fd)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise Foreign(errno.EINVAL, "it is not a file of this drive")
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Foreign(errno.EPERM, "it is not private to this user")
    return descriptor


def create(path: Path) -> Descriptor:
    """Make an empty private file. Raises FileExistsError where something has its name."""
    return Descriptor(os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600))


def create_nameless(directory: Path) -> Descriptor:
    """Make a private file that ends with who holds it."""
    return Descriptor(os.open(directory, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600))


def clear_away(path: Path) -> bool:
    """Take a name away, whatever has it; whether it is free now. What a link leads to is left alone."""
    with suppress(FileNotFoundError):
        try:
            path.unlink()
        except OSError:
            with suppress(OSError):
                path.rmdir()
    return not os.path.lexists(path)


_libc = ctypes.CDLL(None, use_errno=True)


def punch(fd: int, part: Range) -> bool:
    """Give a part of a file back to the disk; whether that could be done: not every file system can."""
    done: int = _libc.fallocate(fd, _PUNCH_HOLE, ctypes.c_int64(part.start), ctypes.c_int64(part.size))
    return done == 0


def holes(fd: int, stop: int) -> Iterator[Range]:
    """The parts of a file, as far as `stop`, that the disk holds nothing of."""
    at = 0
    while at < stop:
        start = min(stop, _seek(fd, at, os.SEEK_HOLE, stop))
        at = min(stop, _seek(fd, start, os.SEEK_DATA, stop))
        if start < at:
            yield Range(start, at)


def _seek(fd: int, at: int, whence: int, otherwise: int) -> int:
    try:
        return os.lseek(fd, at, whence)
    except OSError:  # ENXIO: nothing but a hole follows
        return otherwise
