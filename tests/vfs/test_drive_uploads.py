"""Writes through the drive: one close is one file in the store, and what is not there is not lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from block_contents import open_descriptors, pattern
from kernelless_drive import MIB, BareHands, bare_hands
from minimaxfs.core.errors import ContentRefused, FsError, NotPermitted, Offline, TooLarge
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from reading_side import HASTE, until

TEXTS, VOICES = "t2a_async_input", "voice_clone"
DATA = pattern(3 * MIB + 5)
UPLOAD = Operation.UPLOAD


@pytest.fixture
async def hands(emulator: Emulator, tmp_path: Path) -> AsyncIterator[BareHands]:
    async with bare_hands(emulator, tmp_path / "state") as hands:
        yield hands


def contents(emulator: Emulator, purpose: str = TEXTS) -> dict[str, bytes]:
    """What the store has, by name; a test whose files share a name counts `emulator.files`."""
    return {file.filename: emulator.content(file.file_id) for file in emulator.files(purpose)}


async def test_a_failed_upload_keeps_the_bytes(hands: BareHands, emulator: Emulator) -> None:
    """`cp` fails with the store's reason, the bytes stay readable at their path, and say why."""
    emulator.inject(Fault(UPLOAD, Kind.CODE, 1026, text="input new_sensitive"))
    with pytest.raises(ContentRefused):
        await hands.put(f"{TEXTS}/a.txt", DATA)
    assert emulator.files(TEXTS) == []
    assert await hands.cat(f"{TEXTS}/a.txt") == DATA
    assert await hands.xattr(f"{TEXTS}/a.txt", "state") == "failed"
    assert "new_sensitive" in await hands.xattr(f"{TEXTS}/a.txt", "error")


async def test_a_failed_upload_outlives_the_mount(emulator: Emulator, tmp_path: Path) -> None:
    """The bytes are there in the next mount, are not sent by themselves, and can be replaced."""
    emulator.inject(Fault(UPLOAD, Kind.CODE, 1026, text="input new_sensitive"))
    async with bare_hands(emulator, tmp_path / "state") as hands:
        with pytest.raises(ContentRefused):
            await hands.put(f"{TEXTS}/a.txt", DATA)
    async with bare_hands(emulator, tmp_path / "state") as hands:
        assert await hands.cat(f"{TEXTS}/a.txt") == DATA
        assert await hands.xattr(f"{TEXTS}/a.txt", "state") == "failed"
        await hands.overwrite(f"{TEXTS}/a.txt", b"better")
        assert await hands.xattr(f"{TEXTS}/a.txt", "state") == "stored"
    assert contents(emulator) == {"a.txt": b"better"}
    assert emulator.requests["upload"] == 2


async def test_a_lost_reply_is_looked_for_and_not_sent_twice(hands: BareHands, emulator: Emulator) -> None:
    """The store has the file and never said so: a listing finds it, and `cp` succeeds."""
    emulator.inject(Fault(UPLOAD, Kind.LOSE_REPLY))
    await hands.put(f"{TEXTS}/a.txt", DATA)
    assert contents(emulator) == {"a.txt": DATA}
    assert (emulator.requests["upload"], emulator.requests["list"]) == (1, 1)
    assert await hands.xattr(f"{TEXTS}/a.txt", "file_id") == str(emulator.files(TEXTS)[0].file_id)


async def test_a_lost_request_is_sent_again(clock: MockClock, hands: BareHands, emulator: Emulator) -> None:
    """The connection broke before the store took anything: it is looked for, then sent again, once."""
    clock.rate = HASTE
    emulator.inject(Fault(UPLOAD, Kind.RESET))
    await hands.put(f"{TEXTS}/a.txt", DATA)
    assert [file.filename for file in emulator.files(TEXTS)] == ["a.txt"]
    assert emulator.requests["upload"] == 2


async def test_a_twin_is_not_taken_for_the_lost_upload(hands: BareHands, emulator: Emulator) -> None:
    """A file of the same name and size that was there before is not the one that was sent."""
    emulator.add_file(TEXTS, "a.txt", DATA[::-1])
    await hands.ls(TEXTS)
    emulator.inject(Fault(UPLOAD, Kind.LOSE_REPLY))
    await hands.overwrite(f"{TEXTS}/a.txt", DATA)
    assert contents(emulator) == {"a.txt": DATA}
    assert emulator.requests["upload"] == 1


async def test_a_cancelled_caller_does_not_end_the_upload(hands: BareHands, emulator: Emulator) -> None:
    """Ctrl-C in `cp` while it waits for the store: what was sealed is stored all the same, once."""
    emulator.inject(Fault(UPLOAD, Kind.DELAY, 0.3))
    handle = await hands.create(f"{TEXTS}/a.txt")
    await hands.drive.handles.write(handle, 0, DATA)
    with trio.move_on_after(0.1) as left:
        await hands.drive.handles.flush(handle)
    assert left.cancelled_caught
    await hands.drive.handles.release(handle)
    await until(lambda: contents(emulator) == {"a.txt": DATA})
    assert emulator.requests["upload"] == 1


async def test_an_overwrite_that_fails_keeps_the_old_file(hands: BareHands, emulator: Emulator) -> None:
    """The old bytes go only when the store has the new ones."""
    old = emulator.add_file(TEXTS, "a.txt", b"old")
    await hands.ls(TEXTS)
    emulator.inject(Fault(UPLOAD, Kind.CODE, 1008, text="insufficient balance"))
    with pytest.raises(FsError):
        await hands.overwrite(f"{TEXTS}/a.txt", b"new")
    assert emulator.content(old) == b"old"
    assert emulator.requests["delete"] == 0
    assert await hands.cat(f"{TEXTS}/a.txt") == b"new"


async def test_unlinking_an_open_file(hands: BareHands, emulator: Emulator) -> None:
    """The name goes at once, the reader reads on, and the delete follows the last close."""
    emulator.add_file(TEXTS, "a.txt", DATA)
    handle = await hands.drive.handles.open(await hands.file(f"{TEXTS}/a.txt"), 0)
    await hands.rm(f"{TEXTS}/a.txt")
    assert await hands.ls(TEXTS) == []
    assert emulator.requests["delete"] == 0
    assert await hands.read(handle) == DATA
    await hands.drive.handles.release(handle)
    assert emulator.files(TEXTS) == []
    assert emulator.requests["delete"] == 1


async def test_a_local_only_name_is_promoted_by_rename(hands: BareHands, emulator: Emulator) -> None:
    """An editor writes beside the file and renames over it: one upload, one delete, nothing else."""
    emulator.add_file(TEXTS, "a.txt", b"old")
    await hands.ls(TEXTS)
    await hands.put(f"{TEXTS}/.a.txt.swp", b"draft")
    await hands.put(f"{TEXTS}/a.txt~", b"new")
    assert emulator.requests["upload"] == 0
    await hands.mv(f"{TEXTS}/a.txt~", "a.txt")
    await hands.rm(f"{TEXTS}/.a.txt.swp")
    assert contents(emulator) == {"a.txt": b"new"}
    assert await hands.ls(TEXTS) == ["a.txt"]
    assert (emulator.requests["upload"], emulator.requests["delete"]) == (1, 1)


async def test_a_promotion_that_fails_leaves_both_names(hands: BareHands, emulator: Emulator) -> None:
    """The rename fails with the upload's reason; nothing was moved and nothing lost."""
    emulator.add_file(TEXTS, "a.txt", b"old")
    await hands.ls(TEXTS)
    await hands.put(f"{TEXTS}/a.txt~", b"new")
    emulator.inject(Fault(UPLOAD, Kind.CODE, 1026, text="input new_sensitive"))
    with pytest.raises(ContentRefused):
        await hands.mv(f"{TEXTS}/a.txt~", "a.txt")
    assert await hands.cat(f"{TEXTS}/a.txt") == b"old"
    assert await hands.cat(f"{TEXTS}/a.txt~") == b"new"


async def test_an_empty_file_stays_here_until_bytes_arrive(hands: BareHands, emulator: Emulator) -> None:
    """`touch` uploads nothing; the bytes that follow do."""
    await hands.put(f"{TEXTS}/a.txt", b"")
    assert await hands.ls(TEXTS) == ["a.txt"]
    assert emulator.requests["upload"] == 0
    await hands.overwrite(f"{TEXTS}/a.txt", b"bytes")
    assert contents(emulator) == {"a.txt": b"bytes"}
    assert emulator.requests["upload"] == 1


async def test_refusals_come_before_the_bytes(hands: BareHands, emulator: Emulator) -> None:
    """A type, a purpose or a size that the store would refuse is refused here, for nothing."""
    with pytest.raises(ContentRefused):
        await hands.create(f"{VOICES}/a.txt")
    with pytest.raises(NotPermitted):
        await hands.create("video_generation/a.mp4")
    handle = await hands.create(f"{VOICES}/a.wav")
    with pytest.raises(TooLarge):
        await hands.drive.handles.write(handle, 20 * MIB, b"x")
    await hands.drive.handles.release(handle)
    assert emulator.requests["upload"] == 0


async def test_offline_a_copy_fails_and_is_kept(hands: BareHands, emulator: Emulator) -> None:
    """Without a network `cp` says so at once, and the bytes wait on this machine."""
    await hands.ls(TEXTS)
    with emulator.offline(), trio.fail_after(10), pytest.raises(Offline):
        await hands.put(f"{TEXTS}/a.txt", DATA)
    assert await hands.cat(f"{TEXTS}/a.txt") == DATA


async def test_a_sealed_draft_is_sent_by_the_next_mount(emulator: Emulator, tmp_path: Path) -> None:
    """The mount ended while the store was silent: the next one finishes what was begun, once."""
    emulator.inject(Fault(UPLOAD, Kind.STALL))
    async with bare_hands(emulator, tmp_path / "state") as hands:
        handle = await hands.create(f"{TEXTS}/a.txt")
        await hands.drive.handles.write(handle, 0, DATA)
        with trio.move_on_after(0.3):
            await hands.drive.handles.flush(handle)
    assert emulator.files(TEXTS) == []
    async with bare_hands(emulator, tmp_path / "state") as hands:
        await until(lambda: contents(emulator) == {"a.txt": DATA})
        assert await hands.cat(f"{TEXTS}/a.txt") == DATA


async def test_nothing_leaks(emulator: Emulator, tmp_path: Path) -> None:
    """Copying in, reading, overwriting and deleting give every descriptor back."""
    before = open_descriptors()
    async with bare_hands(emulator, tmp_path / "state") as hands:
        await hands.put(f"{TEXTS}/a.txt", DATA)
        await hands.cat(f"{TEXTS}/a.txt")
        held = open_descriptors(tmp_path)
        for index in range(20):
            await hands.put(f"{TEXTS}/{index}.txt", pattern(1000, index))
            await hands.overwrite(f"{TEXTS}/{index}.txt", DATA[:1000])
            assert await hands.cat(f"{TEXTS}/{index}.txt") == DATA[:1000]
            await hands.rm(f"{TEXTS}/{index}.txt")
        assert open_descriptors(tmp_path) == held
        assert list((tmp_path / "state" / "spool").iterdir()) == []
    await until(lambda: open_descriptors() <= before)
