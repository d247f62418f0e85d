"""The record beside a block file: which blocks are in it, and the checksum of each.

::

    magic  block  size | one flag a block | one CRC-32 a block | CRC-32 of all that

A record that is not whole, or that speaks of another size, says nothing.
"""

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from minimaxfs.disk.faults import local_faults

_HEADER = struct.Struct("<4sIQ")
_MAGIC = b"mmb1"
_SUM = struct.Struct("<I")

_PAGE = 4096
"""Bytes that a disk gives at once."""

DRAFT = ".draft"
"""The suffix of a record that is being written."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it will be written: `fresh` are the blocks whose sums are still to be taken.

    Those of the others are known, and are not taken again: that would vouch for a block that has
    rotted since. `is_true` says, once all sums are taken, whether the data was left alone meanwhile.
    """

    path: Path
    fd: int
    block: int
    size: int
    flags: bytes
    sums: tuple[int, ...]
    fresh: tuple[int, ...]
    is_true: Callable[[], bool]

    def write(self) -> None:
        """Make the data durable, then say so. May take long: call it from a worker thread."""
        with local_faults("record blocks"):
            os.utime(self.fd)  # later processes see by it what was used last
            if not self.fresh:
                return
            os.fdatasync(self.fd)
            body = self._body()
            if self.is_true():
                self._put(body + _SUM.pack(zlib.crc32(body)))

    def _body(self) -> bytes:
        sums = list(self.sums)
        for index in self.fresh:
            sums[index] = zlib.crc32(os.pread(self.fd, self.block, index * self.block))
        return _HEADER.pack(_MAGIC, self.block, self.size) + self.flags + struct.pack(f"<{len(sums)}I", *sums)

    def _put(self, content: bytes) -> None:
        draft = self.path.with_suffix(f".{id(self):x}{DRAFT}")  # two threads may record one file
        try:
            draft.write_bytes(content)
            draft.replace(self.path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


def recall(path: Path, block: int, size: int) -> tuple[bytes, list[int]] | None:
    """The flags and the sums that a record holds; None where there is none that can be believed."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    count = -(-size // block)
    body = content[: -_SUM.size]
    if len(content) != _HEADER.size + 5 * count + _SUM.size or content[len(body) :] != _SUM.pack(
        zlib.crc32(body)
    ):
        return None
    if _HEADER.unpack_from(body) != (_MAGIC, block, size):
        return None
    flags = body[_HEADER.size : _HEADER.size + count]
    return flags, list(struct.unpack_from(f"<{count}I", body, _HEADER.size + count))


def record_room(block: int, size: int) -> int:
    """Bytes of disk that the record of a file of `size` bytes takes."""
    length = _HEADER.size + 5 * -(-size // block) + _SUM.size
    return -(-length // _PAGE) * _PAGE
