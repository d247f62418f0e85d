"""What of the store is kept on this disk: pinned, prefetched, evicted, asked for again; and what it costs."""

from pathlib import Path

import pytest

from kernelless_drive import MIB, BareHands, bare_hands
from minimaxfs.core.errors import LocalDiskFull, NoSuchFile, Offline
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.vfs.keeping import Fetching, Pinned
from reading_side import until

VOICES = "voice_clone"


def money(emulator: Emulator) -> dict[str, int]:
    """The requests that go to the API: a signed URL's GETs cost nothing."""
    return {name: count for name, count in emulator.requests.items() if name != "download"}


async def prefetched(hands: BareHands, *paths: str) -> Fetching:
    fetching = Fetching()
    assert await hands.drive.keeping.prefetch(paths, fetching) == []
    return fetching


async def test_what_was_prefetched_is_read_without_the_store(emulator: Emulator, tmp_path: Path) -> None:
    """One listing and one retrieve a file; then the network may go."""
    data = {f"{number}.wav": bytes([number]) * (2 * MIB + number) for number in range(6)}
    for name, content in data.items():
        emulator.add_file(VOICES, name, content)
    async with bare_hands(emulator, tmp_path) as hands:
        fetching = await prefetched(hands, VOICES)
        size = sum(map(len, data.values()))
        assert fetching == Fetching(files=0, done=size, size=size)
        assert money(emulator) == {"list": 1, "retrieve": 6}
        with emulator.offline():
            for name, content in data.items():
                assert await hands.cat(f"{VOICES}/{name}") == content
        await prefetched(hands, f"{VOICES}/1.wav", f"{VOICES}/1.wav")
        assert money(emulator) == {"list": 1, "retrieve": 6}


async def test_the_whole_drive_can_be_prefetched(emulator: Emulator, tmp_path: Path) -> None:
    """What the store does not list is left out: nobody can know it."""
    emulator.add_file(VOICES, "a.wav", b"a")
    emulator.add_file("t2a_async_input", "b.txt", b"bb")
    async with bare_hands(emulator, tmp_path) as hands:
        assert (await prefetched(hands, "")).size == 3
        assert emulator.requests["list"] == 4


async def test_a_file_that_fails_does_not_keep_the_others(emulator: Emulator, tmp_path: Path) -> None:
    """It is named, with its error, and can be explained later."""
    for name in ("a.wav", "b.wav"):
        emulator.add_file(VOICES, name, b"x" * 1000)
    async with bare_hands(emulator, tmp_path) as hands:
        await hands.ls(VOICES)
        emulator.inject(Fault(Operation.RETRIEVE, Kind.CODE, value=1008, text="no balance"))
        failed = await hands.drive.keeping.prefetch([VOICES], fetching := Fetching())
        assert [type(one.error).__name__ for one in failed] == ["QuotaSpent"]
        assert (fetching.done, fetching.files) == (1000, 0)
        told = hands.drive.history.last(failed[0].path)
        assert told is not None
        assert (told.operation, told.code) == ("prefetch", 1008)


async def test_what_has_no_room_is_refused_before_it_costs(emulator: Emulator, tmp_path: Path) -> None:
    """A file beyond the limit would push itself out; pinned files leave room for the others."""
    emulator.add_file(VOICES, "a.wav", b"x" * MIB)
    async with bare_hands(emulator, tmp_path) as hands:
        await hands.ls(VOICES)
        hands.shelf.blocks.limit = MIB - 1
        with pytest.raises(LocalDiskFull, match="--cache-size"):
            await hands.drive.keeping.prefetch([VOICES], Fetching())
        hands.shelf.blocks.limit = MIB + 1
        with pytest.raises(LocalDiskFull, match="pinned files"):
            await hands.drive.keeping.pin(VOICES, Fetching())
        assert hands.drive.keeping.pinned() == []
        assert emulator.requests == {"list": 1}


async def test_evicted_bytes_leave_the_disk_and_come_again(emulator: Emulator, tmp_path: Path) -> None:
    """The blocks are gone; the signed URL is still good, so that the next read costs nothing either."""
    emulator.add_file(VOICES, "a.wav", b"x" * MIB)
    async with bare_hands(emulator, tmp_path) as hands:
        await prefetched(hands, f"{VOICES}/a.wav")
        assert hands.shelf.blocks.used >= MIB
        hands.drive.keeping.evict(VOICES)
        await until(lambda: hands.shelf.blocks.used == 0)
        assert await hands.cat(f"{VOICES}/a.wav") == b"x" * MIB
        assert emulator.requests["retrieve"] == 1


async def test_a_pin_holds_over_mounts_until_it_is_removed(emulator: Emulator, tmp_path: Path) -> None:
    """Evicting says how to let it go; afterwards the file goes like any other."""
    emulator.add_file(VOICES, "a.wav", b"x" * MIB)
    path = f"{VOICES}/a.wav"
    async with bare_hands(emulator, tmp_path) as hands:
        assert await hands.drive.keeping.pin(path, Fetching()) == []
    async with bare_hands(emulator, tmp_path) as hands:
        keeping = hands.drive.keeping
        assert [file.label for file in keeping.pinned()] == [path]
        with pytest.raises(Pinned, match="is pinned"):
            keeping.evict(path)
        assert keeping.evict(VOICES) == 0
        assert hands.shelf.blocks.used >= MIB
        assert (keeping.unpin(path), keeping.unpin(path)) == (1, 0)
        assert keeping.evict(path) >= MIB
        assert hands.shelf.blocks.used == 0
    async with bare_hands(emulator, tmp_path) as hands:
        assert hands.drive.keeping.pinned() == []


async def test_a_pin_follows_its_file(emulator: Emulator, tmp_path: Path) -> None:
    """Overwritten or renamed, the file is still pinned, and a deleted one is not."""
    async with bare_hands(emulator, tmp_path) as hands:
        await hands.put(f"{VOICES}/a.wav", b"old")
        await hands.drive.keeping.pin(f"{VOICES}/a.wav", Fetching())
        await hands.overwrite(f"{VOICES}/a.wav", b"new")
        await hands.mv(f"{VOICES}/a.wav", "b.wav")
        assert [file.label for file in hands.drive.keeping.pinned()] == [f"{VOICES}/b.wav"]
        await hands.rm(f"{VOICES}/b.wav")
        assert hands.drive.keeping.pinned() == []
        assert hands.shelf.ledger.pins() == set()


async def test_a_pin_without_the_network_is_kept_all_the_same(emulator: Emulator, tmp_path: Path) -> None:
    """What could not be fetched is told; what is pinned stays as it comes."""
    emulator.add_file(VOICES, "a.wav", b"x")
    async with bare_hands(emulator, tmp_path) as hands:
        await hands.ls(VOICES)
        with emulator.offline():
            failed = await hands.drive.keeping.pin(VOICES, Fetching())
        assert [type(one.error) for one in failed] == [Offline]
        assert len(hands.drive.keeping.pinned()) == 1


async def test_refresh_shows_what_is_new_for_one_request(emulator: Emulator, tmp_path: Path) -> None:
    """However fresh the last listing is; of a file, its purpose; of the drive, all that can be listed."""
    async with bare_hands(emulator, tmp_path) as hands:
        assert await hands.ls(VOICES) == []
        emulator.add_file(VOICES, "a.wav", b"x")
        assert await hands.ls(VOICES) == []
        assert await hands.drive.keeping.refresh(f"{VOICES}/a.wav") == 1
        assert await hands.ls(VOICES) == ["a.wav"]
        assert emulator.requests == {"list": 2}
        await hands.drive.keeping.refresh("")
        assert emulator.requests == {"list": 6}


async def test_a_refresh_that_fails_says_so_and_keeps_what_is_known(
    emulator: Emulator, tmp_path: Path
) -> None:
    """A look would show what is known without a word."""
    emulator.add_file(VOICES, "a.wav", b"x")
    async with bare_hands(emulator, tmp_path) as hands:
        await hands.ls(VOICES)
        with emulator.offline():
            with pytest.raises(Offline):
                await hands.drive.keeping.refresh(VOICES)
            assert await hands.ls(VOICES) == ["a.wav"]
        assert await hands.drive.keeping.refresh(VOICES) == 1


async def test_paths_that_are_not_there_are_refused(emulator: Emulator, tmp_path: Path) -> None:
    """By each of the commands."""
    async with bare_hands(emulator, tmp_path) as hands:
        keeping = hands.drive.keeping
        for path in ("nowhere", "nowhere/a", f"{VOICES}/a.wav"):
            with pytest.raises(NoSuchFile, match="the drive has no"):
                keeping.evict(path)
            with pytest.raises(NoSuchFile):
                keeping.unpin(path)
            with pytest.raises(NoSuchFile):
                await keeping.prefetch([path], Fetching())
        with pytest.raises(NoSuchFile):
            await keeping.refresh("nowhere")


async def test_what_is_pinned_stays_when_room_is_made(emulator: Emulator, tmp_path: Path) -> None:
    """Others go, or are read past the disk; over a mount too."""
    for name in ("a.wav", "b.wav", "c.wav"):
        emulator.add_file(VOICES, name, name.encode() * (MIB // 5))
    async with bare_hands(emulator, tmp_path) as hands:
        assert await hands.drive.keeping.pin(f"{VOICES}/a.wav", Fetching()) == []
        await until(lambda: not hands.drive.handles.reads())
        hands.shelf.blocks.limit = 2 * MIB + MIB // 4
        for name in ("b.wav", "c.wav"):
            assert await hands.cat(f"{VOICES}/{name}") == name.encode() * (MIB // 5)
        assert hands.shelf.blocks.used <= hands.shelf.blocks.limit
        with emulator.offline():
            assert await hands.cat(f"{VOICES}/a.wav") == b"a.wav" * (MIB // 5)
    async with bare_hands(emulator, tmp_path) as hands:
        hands.shelf.blocks.limit = MIB + MIB // 4
        assert await hands.cat(f"{VOICES}/b.wav") == b"b.wav" * (MIB // 5)
        with emulator.offline():
            assert await hands.cat(f"{VOICES}/a.wav") == b"a.wav" * (MIB // 5)
