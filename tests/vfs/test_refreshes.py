"""Looks at directories while the store is slow, silent or away: what is known is shown."""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from kernelless_drive import bare_hands
from minimaxfs.core.errors import AccessRefused, FsError
from minimaxfs.core.rules import Rules
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.vfs.listings import FRESH
from minimaxfs.vfs.refreshes import KNOWN_LIMIT
from reading_side import until

VOICES = "voice_clone"


async def test_a_slow_listing_shows_what_is_known_and_then_what_came(
    clock: MockClock, emulator: Emulator, tmp_path: Path
) -> None:
    """The look ends in time, the next one does not wait again, and one request is enough for all."""
    emulator.add_file(VOICES, "a.wav", b"a")
    async with bare_hands(emulator, tmp_path) as hands:
        await hands.ls(VOICES)
        clock.jump(FRESH)
        emulator.add_file(VOICES, "b.wav", b"b")
        emulator.inject(Fault(Operation.LIST, Kind.DELAY, KNOWN_LIMIT + 1))
        before = clock.current_time()
        assert await hands.ls(VOICES) == ["a.wav"]
        first = clock.current_time()
        assert first - before >= KNOWN_LIMIT
        assert await hands.ls(VOICES) == ["a.wav"]
        assert clock.current_time() - first < KNOWN_LIMIT
        await until(lambda: hands.drive.keeping.state(f"{VOICES}/b.wav") == "stored")
        assert await hands.ls(VOICES) == ["a.wav", "b.wav"]
        assert emulator.requests["list"] == 2


async def test_what_was_never_seen_is_waited_for(
    clock: MockClock, emulator: Emulator, tmp_path: Path
) -> None:
    """An empty directory would be a lie."""
    emulator.add_file(VOICES, "a.wav", b"a")
    emulator.inject(Fault(Operation.LIST, Kind.DELAY, KNOWN_LIMIT + 1))
    async with bare_hands(emulator, tmp_path) as hands:
        assert await hands.ls(VOICES) == ["a.wav"]
        assert clock.current_time() > KNOWN_LIMIT


async def test_a_refusal_is_told_to_all_who_look(emulator: Emulator, tmp_path: Path) -> None:
    """A wrong key is no outage: what is known is not shown in its place."""
    async with bare_hands(emulator, tmp_path) as hands:
        await hands.ls(VOICES)
        emulator.inject(Fault(Operation.LIST, Kind.CODE, value=1004, times=None))
        refused: list[FsError] = []

        async def look() -> None:
            try:
                await hands.drive.keeping.refresh(VOICES)
            except FsError as error:
                refused.append(error)

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(look)
        with pytest.raises(AccessRefused):
            await hands.ls(VOICES)
        assert [type(error) for error in refused] == [AccessRefused] * 3


async def test_a_listing_that_failed_is_in_the_history(emulator: Emulator, tmp_path: Path) -> None:
    """What is known was shown without a word."""
    async with bare_hands(emulator, tmp_path) as hands:
        await hands.ls(VOICES)
    async with bare_hands(emulator, tmp_path) as hands:
        with emulator.offline():
            assert await hands.ls(VOICES) == []
        told = hands.drive.history.last(VOICES)
        assert told is not None
        assert (told.operation, told.means) == ("list", "the store cannot be reached from this machine")


async def test_uploads_go_on_when_the_store_is_back(emulator: Emulator, tmp_path: Path) -> None:
    """Any answer will do: nobody waits for the next try, which may be minutes away."""
    async with bare_hands(emulator, tmp_path, Rules(write_back=True)) as hands:
        await hands.ls(VOICES)
        handle = await hands.create(f"{VOICES}/a.wav")
        await hands.drive.handles.write(handle, 0, b"text")
        file = hands.drive.handles.file(handle)
        with emulator.offline():
            await hands.drive.handles.store_if_due(file)
            await until(lambda: any(one.tries >= 2 and one.next_try_in for one in hands.drive.desk.uploads()))
        assert await hands.ls("prompt_audio") == []
        await until(lambda: file.draft is None)
        await hands.drive.handles.release(handle)
    assert emulator.requests["upload"] == 1
