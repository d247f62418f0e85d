"""Runs of small files: which to fetch ahead when a program reads a directory's files one after the other.

Copying a thousand small files is a thousand waits for the store; once three in a row were read whole, the
next ones are fetched before they are asked for. The first one that is passed over ends it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from minimaxfs.core.files import MIB

LENGTH = 3
"""Files in a row after which the next ones are expected: two may be chance."""

MOST_FILES = 32
"""Files that are fetched ahead: at 50 ms of round trip, as many as a loopback reader takes meanwhile."""

MOST_BYTES = 32 * MIB
"""Bytes of all that is fetched ahead."""

LARGEST = 4 * MIB
"""Bytes of a file that belongs to a run: what comes whole in one GET. Larger ones are passed over."""


@dataclass(frozen=True, slots=True)
class Run:
    """Where a reader is in an order of files: `last` was read whole, the last of `length` in a row.

    Files before `ahead` were read, or are being fetched.
    """

    last: int = -2
    length: int = 0
    ahead: int = 0

    @property
    def is_on(self) -> bool:
        """Whether it is long enough to go on."""
        return self.length >= LENGTH


def after_whole(run: Run, position: int) -> Run:
    """The run after the file at a position was read whole."""
    if position == run.last:
        return run
    if position == run.last + 1:
        return Run(position, run.length + 1, max(run.ahead, position + 1))
    return Run(position, 1, position + 1)


def ahead_of(run: Run, count: int, size: Callable[[int], int | None]) -> tuple[Run, list[int]]:
    """The positions to fetch now, of `count` files, and the run when that is done.

    `size` tells the bytes of the file at a position; None where they are not known, or it needs no fetching.
    """
    if not run.is_on:
        return run, []
    chosen, total, stop = [], 0, min(count, run.last + 1 + MOST_FILES)
    position = run.last + 1
    while position < stop:
        known = size(position)
        if known is not None and known <= LARGEST:
            total += known
            if total > MOST_BYTES:
                break
            if position >= run.ahead:
                chosen.append(position)
        position += 1
    return Run(run.last, run.length, max(run.ahead, position)), chosen
