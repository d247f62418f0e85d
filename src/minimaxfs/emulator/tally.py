"""What came and what went: for tests that hold budgets of requests and bytes."""

from collections import Counter, deque
from dataclasses import dataclass, field

from minimaxfs.emulator.messages import Operation, Request

_LOG_LENGTH = 100_000
"""Requests remembered: an emulator that runs for weeks must not grow."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came; header names in lower case."""

    operation: Operation
    method: str
    target: str
    headers: dict[str, str]


@dataclass(slots=True)
class Tally:
    """`bytes_sent` counts the bodies of `download` and `retrieve_content`."""

    requests: Counter[str] = field(default_factory=Counter)
    log: deque[Seen] = field(default_factory=lambda: deque(maxlen=_LOG_LENGTH))
    bytes_sent: int = 0

    def note(self, operation: Operation, request: Request) -> None:
        self.requests[operation] += 1
        self.log.append(Seen(operation, request.method, request.target, dict(request.headers)))

    def clear(self) -> None:
        self.requests.clear()
        self.log.clear()
        self.bytes_sent = 0
