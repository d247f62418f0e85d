"""Nothing is waited for without an end, and nothing is read without one."""

import pytest
import trio

from minimaxfs.api.exchange import Exchange, Outbound, Tls
from minimaxfs.api.local_line import LocalLines
from minimaxfs.api.standing import Standing
from minimaxfs.core.errors import BrokenReply, TimedOut
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation as Asked
from scripted_server import answer, scripted

PATIENCE = 0.1


def impatient(url: str) -> Outbound:
    return Outbound("a question", "GET", url, on_sent=lambda: None, read_limit=PATIENCE)


async def ask(url: str, limit: int = 1000) -> bytes:
    tls = Tls()
    exchange = Exchange(tls, LocalLines(lambda: tls.context), Standing(), direct=True)
    try:
        async with exchange.send(impatient(url)) as answer:
            return await answer.read(limit)
    finally:
        await exchange.aclose()


@pytest.mark.parametrize("after", [0, 10])
async def test_silence_ends(emulator: Emulator, after: int) -> None:
    """A server that goes silent, before its answer or in it, is given up after the limit."""
    emulator.inject(Fault(Asked.LIST, Kind.STALL, after))
    with trio.fail_after(5), pytest.raises(TimedOut):
        await ask(f"{emulator.api_origin}/v1/files/list")


async def test_a_slow_body_is_not_silence(emulator: Emulator) -> None:
    """Only standing still counts: a trickle that takes longer than the limit arrives whole."""
    emulator.inject(Fault(Asked.LIST, Kind.SLOW, 200))
    start = trio.current_time()
    assert (await ask(f"{emulator.api_origin}/v1/files/list")).startswith(b"{")
    assert trio.current_time() - start > PATIENCE


async def test_a_reply_is_bounded() -> None:
    """A reply that is longer than any should be is given up, not swallowed."""
    async with scripted(lambda _: answer("200 OK", b"x" * 1001)) as server:
        with pytest.raises(BrokenReply):
            await ask(server.origin)


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH\r\n", b"", b"HTTP/1.1 OK\r\n\r\n"])
async def test_what_is_not_http_is_a_broken_reply(said: bytes) -> None:
    """Another protocol, or nothing, is no answer."""
    async with scripted(lambda _: said) as server:
        with pytest.raises(BrokenReply):
            await ask(server.origin)


@pytest.mark.parametrize("url", ["", "ftp://h/a", "http://", "http://[h/a", "http://h:port/", "http:///a"])
async def test_what_is_no_url_is_a_broken_reply(url: str) -> None:
    """A link that leads nowhere is the store's fault, and no request is made."""
    with pytest.raises(BrokenReply):
        await ask(url)
