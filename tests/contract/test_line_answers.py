"""Answers over lines: how heads and bodies are framed, and when a connection is used again."""

import pytest
import trio

from line_calls import Asking
from minimaxfs.core.errors import BrokenReply, TimedOut
from talking_server import Visit, ok, saying, saying_once, talking

KIB = 1024


async def test_a_head_without_an_end_is_given_up(asking: Asking) -> None:
    """64 KiB are more than any server needs."""
    endless = b"HTTP/1.1 200 OK\r\nA: " + b"a" * (80 * KIB)
    async with talking(saying(endless)) as server:
        with pytest.raises(BrokenReply, match="does not end"):
            await asking.read(server.url())


async def test_a_head_may_come_byte_by_byte(asking: Asking) -> None:
    """Where the packets end means nothing."""
    whole = ok(5, "X: y") + b"hello"
    async with talking(saying(*(whole[at : at + 1] for at in range(len(whole))))) as server:
        assert await asking.read(server.url()) == b"hello"


async def test_a_head_that_trickles_on_is_given_up(asking: Asking) -> None:
    """A byte now and then is no answer."""
    asking.limit = 0.3

    async def trickle(visit: Visit) -> None:
        await visit.head()
        await visit.say(b"HTTP/1.1 200 OK\r\nA: ")
        while True:
            await visit.say(b"a")
            await trio.sleep(0.01)

    async with talking(trickle) as server:
        with pytest.raises(TimedOut):
            await asking.read(server.url())


@pytest.mark.parametrize(
    "pieces",
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"2\r\nhe\r\n3",
            b"\r\nllo\r\n0\r\n",
            b"\r\n",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo"),
        (b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",),
        (b"HTTP/1.1 100 Continue\r\n\r\n", ok(5) + b"hello"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n" + ok(5) + b"hello",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",),
        (ok(5, "Connection: close") + b"hello",),
    ],
)
async def test_bodies_may_be_framed_in_any_way(asking: Asking, pieces: tuple[bytes, ...]) -> None:
    """Chunks, the end of the connection, old versions, and what is said before an answer."""
    async with talking(saying_once(*pieces)) as server:
        for visits in (1, 2):
            assert await asking.read(server.url()) == b"hello"
            assert server.visits == visits


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\nhello\r\n0\r\n\r\n",),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", ok(5) + b"hello"),
        (b"HTTP/1.1 100 Continue\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",),
        (b"220 mail ready\r\n\r\n",),
        (b"hello",),
    ],
)
async def test_what_is_no_answer_is_an_error(asking: Asking, pieces: tuple[bytes, ...]) -> None:
    """Lengths that differ, chunks that are none, other protocols: nothing of it is taken for a body."""
    async with talking(saying_once(*pieces)) as server:
        with pytest.raises(BrokenReply):
            await asking.read(server.url())


async def test_promises_without_an_answer_are_given_up(asking: Asking) -> None:
    """A server that says for ever that it will go on does not hold anybody."""

    async def promise(visit: Visit) -> None:
        await visit.head()
        while True:
            await visit.say(b"HTTP/1.1 100 Continue\r\n\r\n")

    async with talking(promise) as server:
        with trio.fail_after(15), pytest.raises(BrokenReply, match="does not begin"):
            await asking.read(server.url())


async def test_a_chunked_body_cannot_be_poured(asking: Asking) -> None:
    """Without a length it goes piece by piece, and leaves its connection for the next."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    async with talking(saying(chunked)) as server:
        async with asking.get(server.url()) as answer:
            assert not answer.can_pour
            assert await answer.read(5) == b"hello"
        assert await asking.read(server.url()) == b"hello"
        assert server.visits == 1


async def test_a_connection_is_used_again(asking: Asking) -> None:
    """One after the other by one; two at once by two."""
    async with talking(saying(ok(5) + b"hello")) as server:
        for _ in range(3):
            assert await asking.read(server.url()) == b"hello"
        assert server.visits == 1
        async with asking.get(server.url()) as first, asking.get(server.url()) as second:
            assert await first.read(5) == await second.read(5) == b"hello"
        assert server.visits == 2
        assert len(asking.sent) == len(server.heads) == 5


async def test_a_body_that_was_left_ends_its_connection(asking: Asking) -> None:
    """Nobody knows where the next answer begins."""
    async with talking(saying(ok(5) + b"hello")) as server:
        async with asking.get(server.url()) as answer:
            assert answer.status == 200
        assert await asking.read(server.url()) == b"hello"
        assert server.visits == 2


async def test_a_connection_that_closes_when_it_is_used_is_replaced(asking: Asking) -> None:
    """A server may tire of a kept connection at any time: that is no error of the request."""

    async def tire(visit: Visit) -> None:
        await visit.head()
        await visit.say(ok(5) + b"hello")
        await visit.head()

    async with talking(tire) as server:
        assert await asking.read(server.url()) == b"hello"
        assert await asking.read(server.url()) == b"hello"
        assert server.visits == 2
        assert len(server.heads) == 3


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
JUNK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize(
    "pieces",
    [
        (ok(5) + b"hello" + JUNK,),
        (ok(5), b"hello" + JUNK),
        (ok(5) + b"hello", JUNK),
        (CHUNKED + JUNK,),
        (CHUNKED + JUNK[:30],),
        (CHUNKED, JUNK),
    ],
)
async def test_junk_behind_a_body_is_no_answer(asking: Asking, pieces: tuple[bytes, ...]) -> None:
    """What nobody asked for ends the connection, whether it comes with the body or after it."""
    said = 0

    async def talk(visit: Visit) -> None:
        nonlocal said
        while await visit.head():
            for piece in pieces:
                await visit.say(piece)
            said += 1

    async with talking(talk) as server:
        for times in range(1, 4):
            assert await asking.read(server.url()) == b"hello"
            while said < times:
                await trio.sleep(0.001)
        assert server.visits == 3
