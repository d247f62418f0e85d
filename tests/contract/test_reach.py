"""A store that cannot be reached, and what a client remembers of that."""

from collections.abc import AsyncIterator, Iterator
from random import Random

import pytest
import trio
from trio.testing import MockClock

from black_hole import black_hole, swallowed
from minimaxfs.api.client import Client
from minimaxfs.api.endpoint import PRESETS
from minimaxfs.api.reached_content import ReachedContent
from minimaxfs.core.errors import AccessRefused, Offline, TimedOut
from minimaxfs.core.reachability import HOLD
from minimaxfs.emulator.background import Emulator, running
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation

KEY = "sk-of-one-who-is-offline"


@pytest.fixture
def hasty_clock() -> MockClock:
    """Limits pass twenty times faster than the network."""
    return MockClock(rate=20.0)


@pytest.fixture
def store() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
async def client(store: Emulator) -> AsyncIterator[Client]:
    endpoint = PRESETS["global"].at(store.api_origin)
    async with Client(endpoint, KEY, on_request=lambda _: None, rng=Random()) as client:
        yield client


async def test_a_network_that_swallows_is_waited_for_once(
    hasty_clock: MockClock, store: Emulator, client: Client
) -> None:
    """Then requests fail at once, and after a pause one tries again, and finds the store."""
    returned: list[float] = []
    client.reach.on_return(lambda: returned.append(hasty_clock.current_time()))
    with swallowed(store):
        with pytest.raises(Offline):
            await client.list_files("voice_clone")
        before = hasty_clock.current_time()
        for _ in range(3):
            with pytest.raises(Offline, match="a moment ago"):
                await client.list_files("voice_clone")
        assert hasty_clock.current_time() - before < HOLD
        assert client.reach.offline_for is not None
        await trio.sleep(HOLD)
        with pytest.raises(Offline, match=r"no connection within 0\.9 s"):
            await client.retrieve(5)
    await trio.sleep(HOLD)
    assert await client.list_files("voice_clone") == []
    assert not client.reach.is_offline
    assert len(returned) == 1
    assert client.reach.answered_before is not None


async def test_a_refused_connection_is_no_reason_to_pause(store: Emulator, client: Client) -> None:
    """The next request finds the network back at once."""
    with store.offline(), pytest.raises(Offline):
        await client.list_files("voice_clone")
    assert client.reach.offline_for is not None
    assert "no connection" in client.reach.why
    assert await client.list_files("voice_clone") == []
    assert client.reach.offline_for is None


async def test_an_answer_is_an_answer(store: Emulator, client: Client) -> None:
    """A store that refuses can be reached."""
    store.inject(Fault(Operation.LIST, Kind.CODE, value=1004))
    with pytest.raises(AccessRefused):
        await client.list_files("voice_clone")
    assert client.reach.answered_before is not None
    assert not client.reach.is_offline


async def test_a_silent_store_is_not_out_of_reach(
    hasty_clock: MockClock, store: Emulator, client: Client
) -> None:
    """It took the request: that is slowness, and others are sent."""
    store.inject(Fault(Operation.LIST, Kind.STALL, times=None))
    with pytest.raises(TimedOut) as failed:
        await client.list_files("voice_clone")
    assert (client.reach.is_offline, failed.value.sent) == (False, False)
    assert hasty_clock.current_time() > 20
    store.clear_faults()
    assert await client.list_files("voice_clone") == []


async def test_a_caller_that_gives_up_leaves_word(store: Emulator, client: Client) -> None:
    """Who waited three seconds for a connection has learnt what the next one need not learn."""
    with swallowed(store):
        with trio.move_on_after(3.1):
            await client.list_files("voice_clone")
        with trio.fail_after(1), pytest.raises(Offline, match="a moment ago"):
            await client.list_files("voice_clone")


async def test_a_storage_that_swallows_is_waited_for_once(hasty_clock: MockClock, client: Client) -> None:
    """The API may be there when the storage is not: each has a memory of its own."""
    content = ReachedContent(client, on_request=lambda _: None)
    with black_hole() as port:
        url = f"http://127.0.0.1:{port}/a?Signature=x"
        with pytest.raises(Offline) as failed:
            async with content.open(url, 0, 1):
                pass
        before = hasty_clock.current_time()
        with pytest.raises(Offline, match="a moment ago"):
            async with content.open(url, 0, 1):
                pass
        assert hasty_clock.current_time() - before < HOLD
        assert "Signature" not in str(failed.value)
    assert await client.list_files("voice_clone") == []
    await content.aclose()
