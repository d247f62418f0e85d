"""The drive's values as pyfuse3's."""

from pyfuse3 import EntryAttributes, InodeT, ModeT, StatvfsData

from minimaxfs.core.files import STORE_CAPACITY
from minimaxfs.vfs.attributes import Attributes

GOOD_READ = 128 * 1024
"""Bytes that programs are advised to read at once: what the kernel asks for when it reads ahead."""

UNIT = 4096
"""Bytes in which `df` counts."""


def entry(shown: Attributes, owner: tuple[int, int]) -> EntryAttributes:
    """An inode of `owner` (uid, gid), as `stat` shows it."""
    return fill(blank(owner), shown)


def blank(owner: tuple[int, int]) -> EntryAttributes:
    """What all inodes have in common."""
    answer = EntryAttributes()
    answer.st_uid, answer.st_gid = owner
    answer.st_blksize = GOOD_READ
    return answer


def fill(answer: EntryAttributes, shown: Attributes) -> EntryAttributes:
    """Make `answer` that of an inode; it may have been another's before."""
    answer.st_ino = InodeT(shown.number)
    answer.st_mode = ModeT(shown.mode)
    answer.st_nlink = shown.links
    answer.st_size = shown.size
    answer.st_blocks = -(-shown.size // 512)
    answer.st_atime_ns = answer.st_mtime_ns = answer.st_ctime_ns = shown.mtime_ns
    answer.entry_timeout = shown.name_for
    answer.attr_timeout = shown.attributes_for
    return answer


def statvfs(used: int, files: int) -> StatvfsData:
    """The store's capacity, less the bytes that are `used` by so many files."""
    free = max(0, STORE_CAPACITY - used) // UNIT
    answer = StatvfsData()
    answer.f_bsize = answer.f_frsize = UNIT
    answer.f_blocks = STORE_CAPACITY // UNIT
    answer.f_bfree = answer.f_bavail = free
    answer.f_files = files + free
    answer.f_ffree = answer.f_favail = free
    answer.f_namemax = 255
    return answer
