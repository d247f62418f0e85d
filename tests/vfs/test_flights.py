"""Single flight: one does the work, all get what it came to."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from minimaxfs.core.errors import ServerFailed
from minimaxfs.vfs.flights import Flights


class Work:
    """Something that takes until it is let go, and says how often it was done."""

    def __init__(self) -> None:
        self.count = 0
        self.go = trio.Event()
        self.error: Exception | None = None

    async def do(self) -> int:
        self.count += 1
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return self.count


async def test_those_who_come_meanwhile_share_the_result() -> None:
    """Ten callers, one piece of work; who comes after it was done has it done anew."""
    flights, work = Flights[int](), Work()
    results: list[int] = []

    async def call() -> None:
        results.append(await flights.run("key", work.do))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(call)
        await wait_all_tasks_blocked()
        work.go.set()
    assert results == [1] * 10
    assert await flights.run("key", work.do) == 2


async def test_keys_do_not_wait_for_each_other() -> None:
    """What is done for one key is no business of another's."""
    flights, slow = Flights[int](), Work()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(flights.run, "slow", slow.do)
        quick = Work()
        quick.go.set()
        assert await flights.run("quick", quick.do) == 1
        slow.go.set()


async def test_an_error_is_everybodys() -> None:
    """All who waited get the error, and the next one tries again."""
    flights, work = Flights[int](), Work()
    work.error = ServerFailed("no")
    failed: list[str] = []

    async def call() -> None:
        with pytest.raises(ServerFailed):
            await flights.run("key", work.do)
        failed.append("so")

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(call)
        await wait_all_tasks_blocked()
        work.go.set()
    assert len(failed) == 5
    assert work.count == 1
    work.error = None
    assert await flights.run("key", work.do) == 2


async def test_a_leader_that_is_cancelled_hands_over() -> None:
    """Nobody gets another's cancellation: one of those who wait does the work."""
    flights, work = Flights[int](), Work()
    leading = trio.CancelScope()
    results: list[int] = []

    async def lead() -> None:
        with leading:
            await flights.run("key", work.do)

    async def follow() -> None:
        results.append(await flights.run("key", work.do))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lead)
        await wait_all_tasks_blocked()
        for _ in range(3):
            nursery.start_soon(follow)
        await wait_all_tasks_blocked()
        leading.cancel()
        await wait_all_tasks_blocked()
        work.go.set()
    assert results == [2, 2, 2]


async def test_a_follower_that_is_cancelled_harms_nobody() -> None:
    """The work goes on for the others."""
    flights, work = Flights[int](), Work()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(flights.run, "key", work.do)
        await wait_all_tasks_blocked()
        with trio.move_on_after(0.01):
            await flights.run("key", work.do)
        work.go.set()
    assert work.count == 1
