"""Bodies that are poured over lines, of this process and of the pump: the same bytes, ends and errors."""

import os
from pathlib import Path

import pytest
import trio

from block_contents import pattern
from line_calls import Asking
from minimaxfs.core.errors import BrokenReply, Offline, TimedOut
from small_disk import small_disk
from talking_server import Visit, ok, saying, saying_once, talking

KIB = 1024
DATA = pattern(3 * 1024 * KIB + 17)


async def test_exactly_the_bytes_arrive_at_the_offset(asking: Asking) -> None:
    """Nothing before, nothing behind, and what is told of the progress only grows."""
    asking.path.write_bytes(b"before" * 10 + b"\0" * len(DATA) + b"behind")
    async with talking(saying(ok(len(DATA)), DATA)) as server:
        await asking.poured(server.url(), len(DATA), offset=60)
    assert asking.written() == b"before" * 10 + DATA + b"behind"
    assert asking.moved == sorted(asking.moved)
    assert asking.moved[-1] == len(DATA)


async def test_a_body_can_be_poured_in_parts(asking: Asking) -> None:
    """Each part goes where it is told to; the connection serves the next request after the last one."""
    async with talking(saying(ok(len(DATA)) + DATA)) as server:
        async with asking.get(server.url()) as answer:
            await asking.pour(answer, 5)
            await asking.pour(answer, 1000 * KIB, offset=5)
            await asking.pour(answer, len(DATA) - 5 - 1000 * KIB, offset=5 + 1000 * KIB)
            assert await answer.chunk() is None
        assert asking.written() == DATA
        assert await asking.read(server.url()) == DATA
        assert server.visits == 1


@pytest.mark.parametrize("size", [1, 300, 20 * KIB])
async def test_a_body_that_comes_with_its_head_ends(asking: Asking, size: int) -> None:
    """One packet with all: nothing is waited for that has come."""
    async with talking(saying(ok(size) + DATA[:size])) as server:
        await asking.poured(server.url(), size)
        assert asking.written() == DATA[:size]
        assert asking.moved[-1] == size
        assert await asking.read(server.url()) == DATA[:size]
        assert server.visits == 1


async def test_a_reader_that_leaves_with_the_last_byte_keeps_the_connection(asking: Asking) -> None:
    """Who is told of the last byte may cancel what brought it: the connection serves the next request."""
    async with talking(saying(ok(len(DATA)), DATA)) as server:
        with asking.path.open("wb") as file, trio.CancelScope() as scope:

            def moved(count: int) -> None:
                if count == len(DATA):
                    scope.cancel()

            async with asking.get(server.url()) as answer:
                await answer.pour(file.fileno(), 0, len(DATA), moved)
        assert asking.written() == DATA
        assert await asking.read(server.url()) == DATA
        assert server.visits == 1


async def test_more_than_is_left_is_not_poured(asking: Asking) -> None:
    """Who asks for more bytes than the answer has gets an error, and none."""
    async with talking(saying(ok(10) + DATA[:10])) as server, asking.get(server.url()) as answer:
        with pytest.raises(BrokenReply, match="10 bytes"):
            await asking.pour(answer, 11)
        await asking.pour(answer, 10)


async def test_a_body_that_is_cut_is_an_error(asking: Asking) -> None:
    """The bytes before the cut are in the file, and told of."""
    async with talking(saying_once(ok(len(DATA)), DATA[: 700 * KIB])) as server:
        with pytest.raises(BrokenReply):
            await asking.poured(server.url(), len(DATA))
        assert asking.moved[-1] == 700 * KIB
        assert asking.written() == DATA[: 700 * KIB]
        with pytest.raises(BrokenReply):
            await asking.read(server.url())


async def test_no_answer_at_all_is_an_error(asking: Asking) -> None:
    """A connection that is closed before its answer was a new one: nothing is asked twice."""
    async with talking(saying_once()) as server:
        with pytest.raises(BrokenReply):
            await asking.read(server.url())
        assert server.visits == len(asking.sent) == 1


async def test_after_silence_nothing_is_written_any_more(asking: Asking) -> None:
    """A body that stalls is given up; what comes later does not reach the file."""
    asking.limit = 0.3
    is_over, has_tried = trio.Event(), trio.Event()

    async def stall(visit: Visit) -> None:
        await visit.head()
        await visit.say(ok(len(DATA)) + DATA[: 40 * KIB])
        await is_over.wait()
        try:
            await visit.say(DATA[40 * KIB :])
            await visit.bye()
        finally:
            has_tried.set()

    async with talking(stall) as server:
        with pytest.raises(TimedOut):
            await asking.poured(server.url(), len(DATA))
        is_over.set()
        await has_tried.wait()
    assert asking.written() == DATA[: 40 * KIB]


async def test_a_cancelled_pour_writes_no_more(asking: Asking) -> None:
    """Who turns away may use the file for something else at once."""
    is_over, has_tried = trio.Event(), trio.Event()

    async def stall(visit: Visit) -> None:
        if visit.number > 1:
            await saying(ok(2) + b"ok")(visit)
            return
        await visit.head()
        await visit.say(ok(len(DATA)) + DATA[: 1000 * KIB])
        await is_over.wait()
        try:
            await visit.say(DATA[1000 * KIB :])
        finally:
            has_tried.set()

    async with talking(stall) as server:
        with trio.CancelScope() as scope:
            async with asking.get(server.url()) as answer, trio.open_nursery() as nursery:
                nursery.start_soon(asking.pour, answer, len(DATA))
                while not asking.moved or asking.moved[-1] < 1000 * KIB:
                    await trio.sleep(0.001)
                scope.cancel()
        assert asking.written() == DATA[: 1000 * KIB]
        asking.path.write_bytes(b"something else")
        is_over.set()
        await has_tried.wait()
        assert await asking.read(server.url()) == b"ok"
    assert asking.written() == b"something else"


@pytest.mark.parametrize("rest", [1, 1000, 200 * KIB, 300 * KIB])
async def test_a_fast_body_that_slows_down_ends(asking: Asking, rest: int) -> None:
    """Who waits for whole pieces still takes what comes in trickles, after a pause and at the end."""
    last = DATA[-rest:]
    has_paused = trio.Event()

    async def slow_down(visit: Visit) -> None:
        await visit.head()
        await visit.say(ok(len(DATA)) + DATA[:-rest])
        await has_paused.wait()
        for at in range(0, rest, 10_000):
            await visit.say(last[at : at + 10_000])
            await trio.lowlevel.checkpoint()
        await visit.head()

    async with talking(slow_down) as server, asking.get(server.url()) as answer:
        with trio.fail_after(15):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(asking.pour, answer, len(DATA))
                # All that was said is moved, though it is no whole piece.
                while not asking.moved or asking.moved[-1] < len(DATA) - rest:
                    await trio.sleep(0.001)
                has_paused.set()
    assert asking.written() == DATA


async def test_a_slow_body_does_not_starve_beside_fast_ones(asking: Asking) -> None:
    """One that was fast and trickles is looked at, however busy the others are."""
    big = bytes(64 * KIB)
    nowhere = os.open(os.devnull, os.O_WRONLY)

    async def talk(visit: Visit) -> None:
        if b"fast" in await visit.head():
            await visit.say(ok(1 << 40))
            while True:
                await visit.say(big)
        await visit.say(ok(len(DATA)) + DATA[: 1500 * KIB])
        await visit.head()

    async def keep_busy(url: str) -> None:
        async with asking.get(f"{url}/fast") as answer:
            await answer.pour(nowhere, 0, 1 << 40, lambda _: None)

    async with talking(talk) as server, trio.open_nursery() as nursery:
        nursery.start_soon(keep_busy, server.url())
        async with asking.get(server.url()) as answer, trio.open_nursery() as inner:
            inner.start_soon(asking.pour, answer, len(DATA))
            with trio.fail_after(15):
                while not asking.moved or asking.moved[-1] < 1500 * KIB:
                    await trio.sleep(0.001)
            inner.cancel_scope.cancel()
        nursery.cancel_scope.cancel()
    os.close(nowhere)


async def test_a_full_disk_is_an_error_of_the_disk(asking: Asking, tmp_path: Path) -> None:
    """The file takes no more: that is told as it is, and the exchange goes on."""
    with small_disk(tmp_path / "small", 512 * KIB) as disk:
        asking.path = disk / "poured"
        async with talking(saying(ok(len(DATA)) + DATA)) as server:
            with pytest.raises(OSError, match="No space left"):
                await asking.poured(server.url(), len(DATA))
            assert asking.written() == DATA[: asking.path.stat().st_size]
            assert await asking.read(server.url()) == DATA


async def test_an_address_inward_is_refused_at_the_socket(asking: Asking) -> None:
    """Whatever the name resolved to before: nothing is asked of an address that is not public."""
    async with talking(saying(ok(5) + b"hello")) as server:
        asking.public_only = True
        with pytest.raises(Offline, match="not public"):
            await asking.read(server.url())
        assert server.heads == []
        assert asking.sent == []


async def test_nobody_there_is_offline(asking: Asking) -> None:
    """A port that refuses is said to."""
    async with talking(saying(b"")) as server:
        pass
    with pytest.raises(Offline):
        await asking.read(server.url())
