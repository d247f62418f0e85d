"""The memory of whether the store can be reached: requests that cannot succeed fail at once.

`core.reachability` decides; here are the clock, the limits on connections, and the errors.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import httpx
import trio

from minimaxfs.core.errors import FsError, Offline
from minimaxfs.core.reachability import Reachability

SUSPICIOUS = 3.0
"""Seconds without a connection after which a request that is given up counts as one that found no way."""


class Attempt:
    """One request on its way. Who sends it says when it has a connection, and when an answer begins."""

    def __init__(self, state: Reachability, limit: float, on_return: Callable[[], None]) -> None:
        self.begun = trio.current_time()
        self.scope = trio.CancelScope(deadline=self.begun + limit)
        self.is_connected = False
        self.is_answered = False
        self._state = state
        self._on_return = on_return

    def connected(self) -> None:
        """The head is out: from now on the limits are those of the exchange."""
        self.is_connected = True
        self.scope.deadline = math.inf
        self._state.connected()

    def answered(self) -> None:
        """An answer has begun."""
        self.is_connected = self.is_answered = True
        self.scope.deadline = math.inf
        if self._state.answered(trio.current_time()):
            self._on_return()


class Reach:
    """Whether one side of the store (the API, the storage of signed URLs) can be reached."""

    def __init__(self) -> None:
        self._state = Reachability()
        self._attempts: set[Attempt] = set()
        self._callbacks: list[Callable[[], None]] = []

    def on_return(self, callback: Callable[[], None]) -> None:
        """Call this whenever the store answers that could not be reached before."""
        self._callbacks.append(callback)

    def _returned(self) -> None:
        for callback in self._callbacks:
            callback()

    @property
    def is_offline(self) -> bool:
        """Whether the last request found no way."""
        return self._state.offline_since is not None

    @property
    def offline_for(self) -> float | None:
        """Seconds since when it cannot be reached; None where it can, as far as is known."""
        since = self._state.offline_since
        return None if since is None else trio.current_time() - since

    @property
    def answered_before(self) -> float | None:
        """Seconds since the last answer; None where there was none."""
        at = self._state.answered_at
        return None if at is None else trio.current_time() - at

    @property
    def why(self) -> str:
        """What the last request that found no way said."""
        return self._state.why

    @contextmanager
    def trying(self, what: str) -> Iterator[Attempt]:
        """Hold a request, named `what` in messages, to what is known. Raises Offline where it has no way."""
        limit = self._state.admit(trio.current_time())
        if limit is None:
            raise Offline(f"{what}: not sent, as the store was out of reach a moment ago ({self.why})")
        attempt = Attempt(self._state, limit, self._returned)
        self._attempts.add(attempt)
        try:
            # Most have no limit of their own, and a scope costs as much as a system call.
            with nullcontext() if limit == math.inf else attempt.scope:
                yield attempt
        except FsError as error:
            if self._found_no_way(attempt, error) and not isinstance(error, Offline):
                raise Offline(str(error)) from error
            raise
        except BaseException:
            self._left(attempt)
            raise
        finally:
            self._attempts.discard(attempt)
        if attempt.scope.cancelled_caught:
            late = Offline(f"{what}: no connection within {limit:.1f} s")
            self._missed(attempt, str(late))
            raise late
        self._state.gave_up()

    def _found_no_way(self, attempt: Attempt, error: FsError) -> bool:
        if attempt.is_answered:
            return False
        if is_unconnected(error):
            self._missed(attempt, str(error))
            return True
        self._state.gave_up()
        return False

    def _left(self, attempt: Attempt) -> None:
        """Nobody wants the request any longer: how long it has been without a connection says something.

        Unless others are being answered: then it may only have waited for a connection of theirs.
        """
        is_long = trio.current_time() - attempt.begun >= SUSPICIOUS
        if is_long and not any(one.is_connected for one in self._attempts):
            self._missed(attempt, "no connection in time")
        elif not attempt.is_answered:
            self._state.gave_up()

    def _missed(self, attempt: Attempt, why: str) -> None:
        now = trio.current_time()
        self._state.missed(now, now - attempt.begun, why)


def is_unconnected(error: FsError) -> bool:
    """Whether the error is that there was no connection: refused, no route, or none in time."""
    return isinstance(error, Offline) or isinstance(error.__cause__, httpx.ConnectTimeout)
