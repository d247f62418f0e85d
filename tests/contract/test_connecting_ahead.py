"""A connection that is there before the first request: for who looks first, and for nothing."""

from collections import Counter
from random import Random

from api_bodies import count
from minimaxfs.api.client import Client
from minimaxfs.api.endpoint import PRESETS, Operation
from minimaxfs.emulator.background import Emulator
from talking_server import ok, saying, talking

LISTING = b'{"files": [], "base_resp": {"status_code": 0, "status_msg": "success"}}'


async def test_the_first_call_finds_a_connection() -> None:
    """Connecting sends nothing; the first call then goes over that connection."""
    sent: Counter[Operation] = Counter()
    async with talking(saying(ok(len(LISTING)) + LISTING)) as server:
        endpoint = PRESETS["global"].at(f"http://127.0.0.1:{server.port}")
        async with Client(endpoint, "sk-ahead", on_request=count(sent), rng=Random()) as client:
            await client.prepare()
            assert (sent.total(), server.heads) == (0, [])
            assert await client.list_files("voice_clone") == []
            assert sent == {Operation.list_files: 1}
        assert server.visits == 1


async def test_without_a_network_nothing_is_said(emulator: Emulator) -> None:
    """A store that cannot be reached is the first call's to tell."""
    sent: Counter[Operation] = Counter()
    with emulator.offline():
        endpoint = PRESETS["global"].at(emulator.api_origin)
        async with Client(endpoint, "sk-ahead", on_request=count(sent), rng=Random()) as client:
            await client.prepare()
    assert sent.total() == 0
