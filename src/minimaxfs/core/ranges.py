"""Arithmetic of half-open ranges, `start, stop`, and of the map of blocks that are on disk.

A map is a bytearray with one byte a block; 0 is a block that is not there. It is searched in
C: a window of 64 MiB takes microseconds.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

ABSENT = 0

_ABSENT_RUN = re.compile(b"%c+" % ABSENT)


class Range(NamedTuple):
    """Half-open: `start` is in it, `stop` is not."""

    start: int
    stop: int

    def __bool__(self) -> bool:
        """Whether anything is in it."""
        return self.start < self.stop

    @property
    def size(self) -> int:
        """How much is in it."""
        return max(0, self.stop - self.start)

    def within(self, other: "Range") -> "Range":
        """The part of this range that is in the other one too."""
        return Range(max(self.start, other.start), min(self.stop, other.stop))


def covering(part: Range, unit: int) -> Range:
    """The units (blocks, say) that a range touches, as a range of their indices."""
    start = part.start // unit
    return Range(start, -(-part.stop // unit) if part else start)


def contained(part: Range, unit: int, end: int) -> Range:
    """The units that lie whole in a range; the last one of all, which ends at `end`, may be short."""
    stop = -(-end // unit) if part.stop >= end else part.stop // unit
    return Range(-(-part.start // unit), stop)


def absent(present: bytearray, blocks: Range) -> Iterator[Range]:
    """The runs of blocks in a range that are not there, in order."""
    for run in _ABSENT_RUN.finditer(present, *blocks):
        yield Range(*run.span())


def is_present(present: bytearray, blocks: Range) -> bool:
    """Whether every block of a range is there."""
    return present.find(ABSENT, *blocks) == -1


def without(part: Range, others: list[Range]) -> list[Range]:
    """What is left of a range when others are taken out of it, in order."""
    left = [part] if part else []
    for other in filter(None, others):
        left = [piece for whole in left for piece in _cut_out(whole, other) if piece]
    return left


def _cut_out(whole: Range, other: Range) -> tuple[Range, Range]:
    return (
        Range(whole.start, min(whole.stop, other.start)),
        Range(max(whole.start, other.stop), whole.stop),
    )


def pieces(part: Range, size: int) -> Iterator[Range]:
    """A range in pieces that end at multiples of `size`."""
    start = part.start
    while start < part.stop:
        stop = min(part.stop, (start // size + 1) * size)
        yield Range(start, stop)
        start = stop
