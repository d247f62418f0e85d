"""Ranges, compared with sets over every small case."""

from collections.abc import Iterator
from itertools import pairwise, product

import pytest

from minimaxfs.core.ranges import (
    ABSENT,
    Range,
    absent,
    contained,
    covering,
    is_present,
    pieces,
    without,
)

LENGTH = 7
RANGES = [Range(start, stop) for start, stop in product(range(LENGTH), repeat=2)]
"""Every range of a few offsets, also the empty ones and those that end before they start."""

UNITS = (1, 2, 3, 4, 10)


def members(part: Range) -> set[int]:
    return set(range(*part))


def bytes_of(units: Range, unit: int) -> set[int]:
    return members(Range(units.start * unit, units.stop * unit)) if units else set()


def maps(length: int) -> Iterator[bytearray]:
    """Every map of so many blocks; the two values that are not ABSENT are both a block that is there."""
    return (bytearray(values) for values in product((ABSENT, 1, 2), repeat=length))


def test_size_and_truth() -> None:
    """A range's size is how many offsets are in it, and it is true where there are any."""
    for part in RANGES:
        assert part.size == len(members(part))
        assert bool(part) == bool(members(part))


def test_within_is_the_intersection() -> None:
    """What is within two ranges is what is in both."""
    for one, other in product(RANGES, RANGES):
        assert members(one.within(other)) == members(one) & members(other)


@pytest.mark.parametrize("unit", UNITS)
def test_covering_takes_each_unit_that_is_touched(unit: int) -> None:
    """A range is covered by the units that it touches, and an empty one by none."""
    for part in RANGES:
        assert members(covering(part, unit)) == {offset // unit for offset in members(part)}


@pytest.mark.parametrize("unit", UNITS)
def test_contained_takes_each_whole_unit(unit: int) -> None:
    """A unit is contained where all its bytes are, and the last unit of all ends with the file."""
    for part, end in product(RANGES, range(LENGTH)):
        file = members(Range(0, end))
        units = {offset // unit for offset in file}
        whole = {index for index in units if bytes_of(Range(index, index + 1), unit) & file <= members(part)}
        assert members(contained(part, unit, end)) == whole


def test_absent_finds_the_longest_runs_in_order() -> None:
    """The absent blocks of a range come as runs that are in order, whole and apart."""
    for present, blocks in product(maps(5), RANGES):
        runs = list(absent(present, blocks))
        missing = {index for index in members(blocks) if index < 5 and present[index] == ABSENT}
        assert set().union(*map(members, runs)) == missing
        assert all(runs)
        assert all(before.stop < after.start for before, after in pairwise(runs))


def test_is_present_where_nothing_is_absent() -> None:
    """Blocks are present where no run of them is absent."""
    for present, blocks in product(maps(5), RANGES):
        assert is_present(present, blocks) == (not list(absent(present, blocks)))


def test_absent_lets_blocks_arrive_meanwhile() -> None:
    """A block that arrives while the runs are walked is not in a later run."""
    present = bytearray(6)
    present[1] = 1
    runs = absent(present, Range(0, 6))
    assert next(runs) == Range(0, 1)
    present[2:4] = b"\1\1"
    assert list(runs) == [Range(4, 6)]


def test_without_leaves_what_the_others_lack() -> None:
    """Taking ranges out of one leaves the rest of it, in order, in pieces that are apart."""
    for part, one, other in product(RANGES, RANGES, RANGES):
        left = without(part, [one, other])
        assert set().union(*map(members, left)) == members(part) - members(one) - members(other)
        assert all(left)
        assert all(before.stop < after.start for before, after in pairwise(left))


def test_without_nothing_is_the_whole() -> None:
    """With nothing to take out, a range stays one piece, and an empty one none."""
    assert without(Range(2, 5), []) == [Range(2, 5)]
    assert without(Range(5, 5), []) == []


@pytest.mark.parametrize("size", UNITS)
def test_pieces_end_at_multiples(size: int) -> None:
    """The pieces of a range are the range in order, and each but the last ends at a multiple of the size."""
    for part in RANGES:
        parts = list(pieces(part, size))
        assert [offset for piece in parts for offset in range(*piece)] == list(range(*part))
        assert all(piece.stop % size == 0 for piece in parts[:-1])
        assert all(1 <= piece.size <= size for piece in parts)
