"""Single flight: of several tasks that want the same thing, one does the work and all get its result."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import trio

Result = TypeVar("Result")


class _Flight(Generic[Result]):
    def __init__(self) -> None:
        self.ended = trio.Event()
        self.results: list[Result] = []
        self.error: Exception | None = None


class Flights(Generic[Result]):
    """Work under way, by key.

    The task that comes first does the work. Should it be cancelled (its caller's deadline is
    over), the next one that waits begins again, so nobody gets another's cancellation.
    """

    def __init__(self) -> None:
        self._flying: dict[Hashable, _Flight[Result]] = {}

    async def run(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """The result of `work` for `key`, or the exception that it ended with."""
        while (flight := self._flying.get(key)) is not None:
            await flight.ended.wait()
            if flight.error is not None:
                raise flight.error
            if flight.results:
                return flight.results[0]
        return await self._lead(key, work)

    async def _lead(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        flight: _Flight[Result] = _Flight()
        self._flying[key] = flight
        try:
            result = await work()
        except Exception as error:
            flight.error = error
            raise
        else:
            flight.results.append(result)
            return result
        finally:
            del self._flying[key]
            flight.ended.set()
