"""Readahead: how far beyond a read to fetch, decided from the reads of one handle alone.

A first read fetches a little more than it needs; a sequential reader's window doubles, also where it
skips forward within it; a random reader gets what it asked for and nothing more.
"""

from dataclasses import dataclass

from minimaxfs.core.files import MIB

FIRST = 256 * 1024
"""Bytes beyond the first read: a cold 1 MiB took 570 ms of slow start at 50 ms of round trip."""

LARGEST = 64 * MIB
"""Bytes of the widest window: 8 streams of 4 MiB, twice over, fill 125 MB/s at 50 ms."""

STEP = 4 * MIB
"""The window slides by whole ranges of this size: a request costs 0.5 ms of CPU, so smaller ones lose."""

DISORDER = 2 * MIB
"""A sequential reader's requests arrive shuffled by up to 1.5 MiB: trio wakes tasks in random order.
One without a window may be off by FIRST only: a random reader comes near itself by chance, and would pay."""


@dataclass(frozen=True, slots=True)
class Window:
    """What one handle has read: `reached` is its furthest end, `width` the bytes to keep ahead of it.

    `edge` is the offset up to which fetching has been asked for.
    """

    reached: int = 0
    width: int = 0
    edge: int = 0


def after_read(window: Window, start: int, stop: int, size: int) -> Window:
    """The window after a read of `start, stop` in a file of `size` bytes.

    Where its `edge` is beyond `stop`, the bytes up to it are worth fetching ahead.
    """
    slack = DISORDER if window.width else FIRST
    if not (start <= max(window.reached + slack, window.edge) and window.reached - slack <= stop):
        return Window(reached=stop, width=0, edge=stop)
    reached = max(window.reached, stop)
    if window.edge - reached > window.width // 2:
        return Window(reached, window.width, window.edge)
    width = min(LARGEST, max(FIRST, window.width * 2))
    edge = reached + width
    if width >= STEP:
        edge = -(-edge // STEP) * STEP
    return Window(reached, width, min(size, max(edge, window.edge)))
