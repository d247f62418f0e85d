"""Runs of small files: three in a row, then the next ones, until one is passed over."""

from hypothesis import given
from hypothesis import strategies as st

from minimaxfs.core.files import MIB
from minimaxfs.core.runs import LARGEST, LENGTH, MOST_BYTES, MOST_FILES, Run, after_whole, ahead_of


def read(*positions: int) -> Run:
    run = Run()
    for position in positions:
        run = after_whole(run, position)
    return run


def test_two_in_a_row_may_be_chance() -> None:
    """Nothing is fetched before three files were read whole, in order."""
    for positions in [(), (0,), (0, 1), (5, 7, 9), (3, 2, 1), (4, 4, 4, 4), (0, 1, 3)]:
        assert ahead_of(read(*positions), 100, lambda _: 10)[1] == []


def test_after_three_the_next_ones_are_fetched() -> None:
    """Up to 32 files, and after each file that is read then, one more."""
    run, chosen = ahead_of(read(7, 8, 9), 100, lambda _: 10)
    assert chosen == list(range(10, 10 + MOST_FILES))
    run, chosen = ahead_of(after_whole(run, 10), 100, lambda _: 10)
    assert chosen == [10 + MOST_FILES]
    assert run.is_on


def test_the_first_file_that_is_passed_over_ends_it() -> None:
    """A reader that goes elsewhere has to read three files in a row again."""
    run, _ = ahead_of(read(0, 1, 2), 100, lambda _: 10)
    run = after_whole(run, 4)
    assert not run.is_on
    assert ahead_of(run, 100, lambda _: 10)[1] == []
    for position in (5, 6):
        run = after_whole(run, position)
    assert ahead_of(run, 100, lambda _: 10)[1] == list(range(7, 7 + MOST_FILES))


def test_large_and_unknown_files_are_passed_over() -> None:
    """What does not come whole in one GET, or has no size yet, is left to who reads it."""
    sizes = {4: LARGEST + 1, 6: None}
    _, chosen = ahead_of(read(0, 1, 2), 8, lambda position: sizes.get(position, 100))
    assert chosen == [3, 5, 7]


@given(st.lists(st.one_of(st.none(), st.integers(1, 2 * LARGEST)), max_size=80), st.integers(3, 60))
def test_what_is_ahead_has_bounds(sizes: list[int | None], reads: int) -> None:
    """Never more than 32 files or 32 MiB beyond the reader, none twice, none that was read."""
    run, fetched = Run(), set[int]()
    for position in range(min(reads, len(sizes))):
        run = after_whole(run, position)
        run, chosen = ahead_of(run, len(sizes), sizes.__getitem__)
        assert fetched.isdisjoint(chosen)
        fetched.update(chosen)
        ahead = [index for index in fetched if index > position]
        assert len(ahead) <= MOST_FILES
        assert sum(sizes[index] or 0 for index in ahead) <= MOST_BYTES
        assert all(position < index for index in chosen)
        assert position + 1 >= LENGTH or not chosen


def test_a_file_that_alone_is_too_much_is_not_fetched() -> None:
    """The bytes that are ahead count together."""
    count = MOST_BYTES // (4 * MIB)
    _, chosen = ahead_of(read(0, 1, 2), 100, lambda _: 4 * MIB)
    assert chosen == list(range(3, 3 + count))
