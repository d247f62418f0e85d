"""Listings: asked for when somebody looks and the last one is old, and never otherwise."""

from dataclasses import replace
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from listed_mount import VIDEOS, VOICES, Mount
from minimaxfs.core.errors import FsError
from minimaxfs.core.inodes import File
from minimaxfs.disk.database import Database
from minimaxfs.disk.ledger import AT_ONCE, Ledger
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.emulator.settings import Unlisted
from minimaxfs.vfs.listings import BEHIND, FRESH, PAUSE, UNLISTED_FRESH
from reading_side import ReadingSide
from small_disk import fill_up, small_disk

MANY = AT_ONCE + 1
"""Files in a listing that is not written at once."""


@pytest.fixture
def mount(side: ReadingSide, database: Database) -> Mount:
    return Mount.of(side, database)


async def test_mounting_asks_nothing_and_looking_asks_once(
    clock: MockClock, mount: Mount, emulator: Emulator
) -> None:
    """One request shows a purpose for 60 seconds, and the next look after that asks again."""
    assert emulator.requests.total() == 0
    emulator.add_file(VOICES, "a.wav", b"a")
    assert await mount.names(VOICES) == ["a.wav"]
    emulator.add_file(VOICES, "b.wav", b"b")
    clock.jump(FRESH - 2)
    assert await mount.names(VOICES) == ["a.wav"]
    assert emulator.requests["list"] == 1
    clock.jump(2)
    assert await mount.names(VOICES) == ["a.wav", "b.wav"]
    assert emulator.requests["list"] == 2


async def test_idle_costs_nothing(clock: MockClock, mount: Mount, emulator: Emulator) -> None:
    """Nobody looks for a week: nobody asks."""
    await mount.names(VOICES)
    clock.jump(7 * 24 * 3600)
    await trio.sleep(0.05)
    assert emulator.requests["list"] == 1


async def test_ten_thousand_files_are_one_request(mount: Mount, emulator: Emulator) -> None:
    """The store lists everything at once, and every name, size and time is in it."""
    for index in range(10_000):
        emulator.add_file(VOICES, f"{index}.wav", b"x" * (index % 7 + 1), created_at=index + 1)
    assert len(await mount.names(VOICES)) == 10_000
    file = mount.directory(VOICES).names["4321.wav"]
    assert isinstance(file, File)
    assert (file.size, file.mtime_ns) == (4321 % 7 + 1, 4322 * 10**9)
    assert emulator.requests == {"list": 1}


async def test_many_who_look_at_once_cost_one_request(mount: Mount, emulator: Emulator) -> None:
    """Single flight: all of them see what the one request brought."""
    emulator.add_file(VOICES, "a.wav", b"a")
    emulator.inject(Fault(Operation.LIST, Kind.DELAY, 0.2))
    seen: list[list[str]] = []

    async def look() -> None:
        seen.append(await mount.names(VOICES))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(look)
    assert seen == [["a.wav"]] * 10
    assert emulator.requests["list"] == 1


async def test_a_passing_failure_leaves_what_is_known(
    clock: MockClock, mount: Mount, emulator: Emulator
) -> None:
    """Offline, a purpose that was seen shows what it showed; the store is asked again after a pause."""
    emulator.add_file(VOICES, "a.wav", b"a")
    await mount.names(VOICES)
    clock.jump(FRESH + 1)
    with emulator.offline():
        assert await mount.names(VOICES) == ["a.wav"]
    emulator.add_file(VOICES, "b.wav", b"b")
    assert await mount.names(VOICES) == ["a.wav"]
    clock.jump(PAUSE + 1)
    assert await mount.names(VOICES) == ["a.wav", "b.wav"]


async def test_offline_and_never_seen_is_an_error(mount: Mount, emulator: Emulator) -> None:
    """An empty directory would be a lie; once the network is back, the next look works."""
    with emulator.offline(), pytest.raises(FsError):
        await mount.names(VOICES)
    assert await mount.names(VOICES) == []


async def test_what_was_known_is_shown_offline_in_the_next_mount(
    mount: Mount, side: ReadingSide, database: Database, emulator: Emulator
) -> None:
    """The ledger brings names, sizes and times back, and no request is needed for them."""
    emulator.add_file(VOICES, "a.wav", b"abc", created_at=5)
    await mount.names(VOICES)
    with emulator.offline():
        again = Mount.of(side, database)
        assert await again.names(VOICES) == ["a.wav"]
        file = again.directory(VOICES).names["a.wav"]
        assert isinstance(file, File)
        assert (file.size, file.mtime_ns) == (3, 5 * 10**9)


@pytest.mark.parametrize("unlisted", [Unlisted.REFUSED, Unlisted.EMPTY])
async def test_purposes_that_are_not_listed_are_asked_once_a_day(
    clock: MockClock,
    mount: Mount,
    side: ReadingSide,
    database: Database,
    emulator: Emulator,
    unlisted: Unlisted,
) -> None:
    """A refusal is an empty directory and is believed for a day, over remounts too."""
    emulator.change(replace(emulator.settings, unlisted=unlisted))
    emulator.add_file(VIDEOS, "output.mp4", b"x")
    assert await mount.names(VIDEOS) == []
    clock.jump(UNLISTED_FRESH - 60)
    assert await mount.names(VIDEOS) == []
    assert await Mount.of(side, database).names(VIDEOS) == []
    assert emulator.requests["list"] == 1
    clock.jump(61)
    await mount.names(VIDEOS)
    assert emulator.requests["list"] == 2


async def test_a_store_that_lists_more_than_documented_is_believed(
    clock: MockClock, mount: Mount, emulator: Emulator
) -> None:
    """Generated files show where the store lists them, and are then as fresh as any."""
    emulator.change(replace(emulator.settings, unlisted=Unlisted.LISTED))
    emulator.add_file(VIDEOS, "output.mp4", b"x")
    assert await mount.names(VIDEOS) == ["output.mp4"]
    emulator.add_file(VIDEOS, "other.mp4", b"x")
    clock.jump(FRESH + 1)
    assert await mount.names(VIDEOS) == ["other.mp4", "output.mp4"]


async def test_a_documented_purpose_that_is_refused_shows_what_is_known(
    mount: Mount, emulator: Emulator
) -> None:
    """Accounts differ in what they list: files can still be copied in, and it is not asked at each touch."""
    emulator.add_file(VOICES, "a.wav", b"x")
    emulator.inject(Fault(Operation.LIST, Kind.CODE, 2013, text="invalid params", times=None))
    for _ in range(3):
        assert await mount.names(VOICES) == []
    assert emulator.requests == {"list": 1}


@pytest.mark.parametrize("count", [AT_ONCE, MANY])
async def test_a_ledger_without_room_does_not_hide_the_files(
    side: ReadingSide, emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    """The local disk is full: what the store lists is shown all the same; the log says what is lost."""
    add(emulator, count)
    with small_disk(tmp_path / "disk", 512 * 1024) as disk:
        database = Database(disk / "ledger.sqlite")
        database.open()
        fill_up(disk / "others")
        mount = Mount.of(side, database)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(mount.listings.keep)
            assert len(await mount.names(VOICES)) == count
            nursery.cancel_scope.cancel()
        database.close()
    assert (
        caplog.text.count("listing is not kept for other mounts: write the ledger: the local disk is full")
        == 1
    )


async def test_a_long_listing_is_written_down_behind_the_answer(
    clock: MockClock, mount: Mount, emulator: Emulator, tmp_path: Path
) -> None:
    """Thousands of names are shown first; a second later they are on the disk, for the mounts to come."""
    add(emulator, MANY)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mount.listings.keep)
        assert len(await mount.names(VOICES)) == MANY
        assert on_disk(tmp_path) == 0
        clock.jump(BEHIND)
        with trio.fail_after(10):
            while on_disk(tmp_path) < MANY:
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()


async def test_the_end_of_a_mount_waits_for_what_is_not_written(
    mount: Mount, emulator: Emulator, tmp_path: Path
) -> None:
    """A mount that ends at once keeps what was listed."""
    add(emulator, MANY)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mount.listings.keep)
        await mount.names(VOICES)
        assert on_disk(tmp_path) == 0
        nursery.cancel_scope.cancel()
    assert on_disk(tmp_path) == MANY


async def test_what_is_not_written_yet_is_remembered_all_the_same(
    mount: Mount, side: ReadingSide, database: Database, emulator: Emulator
) -> None:
    """Whoever asks the ledger before that, another mount too, finds what was listed."""
    add(emulator, MANY)
    await mount.names(VOICES)
    with emulator.offline():
        assert len(await Mount.of(side, database).names(VOICES)) == MANY


def add(emulator: Emulator, count: int) -> None:
    for index in range(count):
        emulator.add_file(VOICES, f"{index}.wav", b"x")


def on_disk(place: Path) -> int:
    """The files that another process would find in the ledger."""
    database = Database(place / "ledger.sqlite")
    database.open()
    try:
        return len(Ledger(database).files(VOICES))
    finally:
        database.close()
