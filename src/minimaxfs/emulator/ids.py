"""File ids: 15 digits, never the same in two runs, and in no order, as the real ones."""

from collections.abc import Iterator

_LOWEST = 10**14
_COUNT = 9 * 10**14
_STRIDE = 618_033_988_749_877
"""Odd, and divisible by neither 3 nor 5: prime to `_COUNT`, so n ↦ n·stride visits each id once."""

_PER_SECOND = 100_000
"""Ids that a run may use per second of its life before they could meet those of the next run."""


def file_ids(started_at: float) -> Iterator[int]:
    """Ids of a run that started at this Unix time. Each is a scrambled count of 10 µs ticks since 1970."""
    n = int(started_at * _PER_SECOND)
    while True:
        yield _LOWEST + n * _STRIDE % _COUNT
        n += 1
