"""The history of a mount's failures, with their times: for who asks later what went wrong."""

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass

from minimaxfs.core.errors import FsError
from minimaxfs.core.failures import Failure, Failures, meaning

USUAL = frozenset({errno.ENOENT, errno.ENODATA, errno.ENOTSUP})
"""Errors that programs provoke as a matter of course: they look for names that they do not need."""

RECENT = 5
"""Failures that are told where nobody asked about a certain path."""


@dataclass(frozen=True, slots=True)
class FailureStatus:
    """A failure in words. `ago` is in seconds; `code` and `trace_id` are the store's, where it answered."""

    path: str
    operation: str
    errno: int
    error: str
    code: int | None
    trace_id: str | None
    means: str
    advice: str
    ago: float


class History:
    """The last failures, by path below the mountpoint."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._failures = Failures()

    def note(self, path: str, operation: str, error: FsError) -> None:
        """An operation on the path failed. What is usual, and no answer of the store, is not kept."""
        if error.errno not in USUAL or error.code is not None:
            self._failures.note(Failure(path, operation, error, self._now()))

    def last(self, path: str) -> FailureStatus | None:
        """What failed last on the path."""
        failure = self._failures.last(path)
        return None if failure is None else self._status(failure)

    def recent(self) -> list[FailureStatus]:
        """The last failures, the newest first."""
        return [self._status(failure) for failure in self._failures.recent(RECENT)]

    def _status(self, failure: Failure) -> FailureStatus:
        error = failure.error
        return FailureStatus(
            path=failure.path,
            operation=failure.operation,
            errno=error.errno,
            error=str(error),
            code=error.code,
            trace_id=error.trace_id,
            means=meaning(error),
            advice=error.advice,
            ago=max(0.0, self._now() - failure.at),
        )
