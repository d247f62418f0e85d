"""Readahead: wide for a sequential reader, nothing for a random one."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimaxfs.core.files import MIB
from minimaxfs.core.window import DISORDER, FIRST, LARGEST, STEP, Window, after_read

REQUEST = 128 * 1024
"""Bytes of one read of the kernel, which reads ahead by this much."""

HUGE = 512 * MIB


def shuffled(size: int, disorder: int, seed: int) -> list[tuple[int, int]]:
    """The reads of a sequential reader, each late by up to `disorder` bytes."""
    random = Random(seed)
    starts = sorted(range(0, size, REQUEST), key=lambda start: start + random.uniform(0, disorder))
    return [(start, min(size, start + REQUEST)) for start in starts]


def read_all(reads: list[tuple[int, int]], size: int) -> list[Window]:
    windows = [Window()]
    for start, stop in reads:
        windows.append(after_read(windows[-1], start, stop, size))
    return windows[1:]


def test_a_first_read_fetches_a_little_more() -> None:
    """The first read of a handle fetches 256 KiB beyond its end."""
    assert after_read(Window(), 0, REQUEST, HUGE) == Window(REQUEST, FIRST, REQUEST + FIRST)


@pytest.mark.parametrize("disorder", [0, MIB, DISORDER])
@pytest.mark.parametrize("seed", range(5))
def test_a_sequential_reader_gets_the_widest_window(disorder: int, seed: int) -> None:
    """A reader whose requests are shuffled by up to 2 MiB is served 64 MiB ahead."""
    windows = read_all(shuffled(HUGE, disorder, seed), HUGE)
    widths = [window.width for window in windows]
    assert widths == sorted(widths)
    assert widths[-1] == LARGEST
    assert windows[-1].edge == HUGE
    steady = [w for w in windows if w.width == LARGEST and w.edge < HUGE]
    assert all(LARGEST // 2 <= w.edge - w.reached <= LARGEST + STEP for w in steady)


def test_the_window_doubles() -> None:
    """A window is twice as wide each time that the half of it was read."""
    widths = [window.width for window in read_all(shuffled(HUGE, 0, 0), HUGE)]
    assert sorted(set(widths)) == [FIRST << power for power in range(9)]


def test_a_wide_window_slides_by_whole_steps() -> None:
    """Once ranges are worth it, fetching is asked for up to multiples of 4 MiB, in few and large strides."""
    windows = read_all(shuffled(HUGE, 0, 0), HUGE)
    wide = [window for window in windows if window.width >= STEP and window.edge < HUGE]
    assert all(window.edge % STEP == 0 for window in wide)
    edges = sorted({window.edge for window in wide if window.width == LARGEST})
    assert all(later - sooner >= LARGEST // 2 for sooner, later in pairwise(edges))


@given(st.lists(st.integers(0, HUGE // (2 * DISORDER) - 1), min_size=2), st.integers(1, REQUEST))
def test_random_reads_ask_nothing_ahead(places: list[int], length: int) -> None:
    """Where each read is far from the last, what was asked for is fetched and no byte more."""
    window = Window(reached=HUGE * 2)
    before = None
    for place in places:
        if place == before:
            continue
        before = place
        start = place * (2 * DISORDER) + REQUEST
        window = after_read(window, start, start + length, HUGE)
        assert window == Window(reached=start + length, width=0, edge=start + length)


def test_the_edges_of_disorder() -> None:
    """A gap of 2 MiB, ahead or behind, is disorder; one byte more is a jump."""
    window = Window(reached=10 * MIB, width=MIB, edge=12 * MIB)
    behind, ahead = 10 * MIB - DISORDER, 10 * MIB + DISORDER
    assert after_read(window, behind - REQUEST, behind, HUGE).width == MIB
    assert after_read(window, behind - REQUEST - 1, behind - 1, HUGE).width == 0
    assert after_read(window, ahead, ahead + 1, HUGE).width == 2 * MIB
    assert after_read(window, ahead + 1, ahead + 2, HUGE).width == 0


def test_a_jump_starts_anew() -> None:
    """After a jump the first read gets itself, and a reader that goes on from there gets a window again."""
    window = read_all(shuffled(64 * MIB, 0, 0), HUGE)[-1]
    jumped = after_read(window, 300 * MIB, 300 * MIB + REQUEST, HUGE)
    assert jumped.edge == jumped.reached
    onward = after_read(jumped, 300 * MIB + REQUEST, 300 * MIB + 2 * REQUEST, HUGE)
    assert onward.edge == onward.reached + FIRST


def test_a_read_again_asks_for_nothing_new() -> None:
    """Reading near what was read just now leaves the window as it is."""
    window = Window(reached=10 * MIB, width=4 * MIB, edge=16 * MIB)
    assert after_read(window, 9 * MIB, 10 * MIB, HUGE) == window


@given(
    st.integers(1, 200 * MIB),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 4 * MIB), st.booleans()), max_size=60),
)
def test_the_edge_stays_in_bounds(size: int, reads: list[tuple[float, int, bool]]) -> None:
    """Whatever is read, fetching is asked for up to the end of the read at least, and the file at most."""
    window = Window()
    for place, length, goes_on in reads:
        start = window.reached if goes_on else int(place * size)
        stop = min(size, start + length)
        window = after_read(window, start, stop, size)
        assert stop <= window.reached <= window.edge <= size
        assert window.edge <= window.reached + LARGEST + STEP
        assert window.width <= LARGEST
