"""How long to wait before a request is tried again, and when to give up. Pure: no clock, no chance."""

from dataclasses import dataclass

from minimaxfs.core.errors import FsError, Offline, RateLimited


@dataclass(frozen=True, slots=True)
class Schedule:
    """Waits that double from `first` up to `ceiling` seconds, for `tries` tries in all."""

    tries: int
    first: float
    ceiling: float

    def delay(self, failed: int, jitter: float) -> float:
        """Seconds to wait after `failed` tries; `jitter` in [0, 1) picks from the upper half of the step.

        Half is fixed, so that a wait is never near zero; half is chance, so that clients that
        failed together do not come back together.
        """
        step: float = min(self.ceiling, self.first * 2.0 ** min(failed - 1, 62))
        return step * (0.5 + 0.5 * jitter)


USUAL = Schedule(tries=4, first=0.5, ceiling=8.0)
"""Faults and timeouts: 4 tries within 3.5 s of waiting, inside any limit of a whole call."""

SLOW = Schedule(tries=4, first=2.0, ceiling=16.0)
"""Rate limits, which count by the minute and over the whole account: up to 14 s of waiting."""

QUICK = Schedule(tries=2, first=0.3, ceiling=0.3)
"""No connection: one more try within 0.3 s, so that "offline" is said in under a second."""


PATIENT = Schedule(tries=1_000_000, first=1.0, ceiling=300.0)
"""Uploads that nobody waits for: at once after a hiccup, every five minutes in a long outage, for ever."""


def schedule(error: FsError) -> Schedule:
    """The waits that fit `error`."""
    match error:
        case Offline():
            return QUICK
        case RateLimited():
            return SLOW
        case _:
            return USUAL


def pause(error: FsError, failed: int, jitter: float, left: float) -> float | None:
    """Seconds to wait after the `failed`-th try ended in `error`; None: do not try again.

    A wait that the store asked for (`error.retry_after`) is honoured in full, with some jitter on
    top. One that would end after the `left` seconds of the whole call is not begun.
    """
    waits = schedule(error)
    if not error.retry or failed >= waits.tries:
        return None
    delay = waits.delay(failed, jitter)
    if error.retry_after is not None:
        delay = error.retry_after + waits.first * jitter
    return delay if delay < left else None
