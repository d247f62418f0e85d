"""A long line, as arithmetic: round trips, slow start, a rate for each connection and one for all. Pure.

Times are in seconds on the caller's clock, sizes in bytes, rates in bytes a second.
"""

from collections import deque
from dataclasses import dataclass

SEGMENT = 1460
FIRST_WINDOW = 10 * SEGMENT
"""What TCP sends before the first acknowledgement (RFC 6928)."""

AHEAD = 0.005
"""Seconds for which bytes may be given out before their time: a timer is late by a millisecond or two, and
the line must not idle for it."""


@dataclass(frozen=True, slots=True)
class Path:
    """What the line is like: of all connections together, and of one."""

    round_trip: float = 0.050
    rate: float = 25e6
    shared_rate: float = 125e6


class Line:
    """The part that all connections share, one direction of it."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.free_at = 0.0


class Flow:
    """One direction of one connection, opened at `now`: no byte can leave before a round trip has passed."""

    def __init__(self, path: Path, line: Line, now: float) -> None:
        self._path = path
        self._line = line
        self._free_at = now + path.round_trip
        self._window = float(FIRST_WINDOW)
        self._limit = 2 * path.rate * path.round_trip
        self._in_flight = 0
        self._acks: deque[tuple[float, int]] = deque()

    def ready_at(self) -> float:
        """When more may be given to the line, if there is room."""
        return max(self._free_at, self._line.free_at) - AHEAD

    def room(self, now: float) -> int:
        """Bytes that may be sent before another acknowledgement comes.

        Each byte that is acknowledged lets one more into flight: the window doubles in each round trip.
        """
        while self._acks and self._acks[0][0] <= now:
            _, size = self._acks.popleft()
            self._in_flight -= size
            self._window = min(self._window + size, self._limit)
        return max(0, int(self._window) - self._in_flight)

    def next_ack(self) -> float | None:
        """When the next acknowledgement comes; None where nothing has arrived that is not acknowledged."""
        return self._acks[0][0] if self._acks else None

    def send(self, now: float, size: int) -> float:
        """Give bytes to the line, and tell when the last of them arrives."""
        start = max(now, self._free_at, self._line.free_at)
        self._line.free_at = start + size / self._line.rate
        self._free_at = start + size / self._path.rate
        self._in_flight += size
        return self._free_at + self._path.round_trip / 2

    def delivered(self, now: float, size: int) -> None:
        """Note that the other side has the bytes: the acknowledgement is on its way."""
        self._acks.append((now + self._path.round_trip / 2, size))
