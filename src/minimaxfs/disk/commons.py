"""What the block files of one directory have in common: a limit, a clock of uses, and a buffer."""

from itertools import count

BLOCK = 64 * 1024
"""Bytes of a block: the unit of presence and of the checksum."""

PAGE = 4096
"""Bytes that a disk gives at once."""

_SEGMENT = 4 * 1024 * 1024
"""Bytes of which it is remembered together when they were used: as much as is fetched at once."""

_SEGMENTS = 64
"""Segments that the limit holds at least: with fewer, what was fetched ahead would go before it is read."""

BUFFER = 1024 * 1024
"""Bytes of the buffer: the kernel asks for no more at once."""


class Commons:
    """`used` of `limit` bytes are taken; `segment` is how many bytes count as used at the same time.

    `buffer` holds what was read last by whichever file.
    """

    __slots__ = ("_uses", "buffer", "limit", "segment", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.segment = max(BLOCK, min(_SEGMENT, limit // _SEGMENTS // BLOCK * BLOCK))
        self.buffer = memoryview(bytearray(BUFFER))
        self._uses = count(1)

    def tick(self) -> int:
        """A number that is larger than those before: what was used later has the larger one."""
        return next(self._uses)
