"""Whether a store can be reached, as the last requests found it; and so whether the next is sent. Pure.

A request that waited long for a connection in vain is followed by a pause in which others fail at once,
instead of each waiting as long. After the pause one of them tries; the others go on failing until it has a
connection. Times are seconds of one clock that never goes back.
"""

import math
from dataclasses import dataclass

HOLD = 5.0
"""Seconds for which requests fail at once: who mends the network waits no longer than that."""

SLOW = 0.5
"""Seconds after which a failure is followed by a pause. One that comes at once (no route, nobody listening)
keeps nobody waiting, and the next request may find the network back."""

FIRST_LIMIT = 0.9
"""Seconds for the connection of the first request after a pause, so that "offline" is said in under one. It
doubles with each that fails: a link may be that slow."""

LONGEST_LIMIT = 10.0
"""Seconds to which that grows: as long as any connection may take."""


@dataclass(slots=True)
class Reachability:
    """`answered_at` is when the store last answered, `offline_since` since when it cannot be reached."""

    answered_at: float | None = None
    offline_since: float | None = None
    why: str = ""
    _misses: int = 0
    _held_until: float = -math.inf
    _is_tried: bool = False

    def admit(self, now: float) -> float | None:
        """Let a request go: the seconds that its connection may take (inf: as the exchange has it).

        None: it is to fail at once.
        """
        if self._held_until == -math.inf:
            return math.inf
        if now < self._held_until or self._is_tried:
            return None
        self._is_tried = True
        return min(LONGEST_LIMIT, FIRST_LIMIT * 2.0 ** min(self._misses, 10))

    def connected(self) -> None:
        """A request has a connection: others may try for theirs."""
        self._misses, self._held_until, self._is_tried = 0, -math.inf, False

    def answered(self, now: float) -> bool:
        """An answer came, whatever it says; whether this is news, since there was no way before."""
        was_offline = self.offline_since is not None
        self.answered_at, self.offline_since, self.why = now, None, ""
        self.connected()
        return was_offline

    def missed(self, now: float, took: float, why: str) -> None:
        """No connection came about, which took so many seconds to find out."""
        self.why = why
        if self.offline_since is None:
            self.offline_since = now
        if took < SLOW:
            self.connected()
            return
        self._misses += self._is_tried
        self._held_until, self._is_tried = now + HOLD, False

    def gave_up(self) -> None:
        """A request ended before anything was known, since nobody wanted it any more."""
        self._is_tried = False
