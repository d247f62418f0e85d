"""Listings: asked for when somebody looks and the last one is old, and never otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from block_contents import fill, pattern
from minimaxfs.core.errors import FsError, NotPermitted
from minimaxfs.core.files import PURPOSES, Purpose, RemoteFile
from minimaxfs.core.inodes import Directory, File
from minimaxfs.core.tree import Tree
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.disk.database import Database
from minimaxfs.disk.ledger import Ledger
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.emulator.settings import Unlisted
from minimaxfs.vfs.listings import FRESH, PAUSE, UNLISTED_FRESH, Listings
from reading_side import ReadingSide
from recording_kernel import RecordingKernel
from small_disk import fill_up, small_disk

VOICES, VIDEOS = "voice_clone", "video_generation"


@dataclass
class Mount:
    """The listings of one mount, and the tree that they fill."""

    tree: Tree
    listings: Listings
    ledger: Ledger
    kernel: RecordingKernel

    @classmethod
    def of(cls, side: ReadingSide, database: Database, purposes: tuple[Purpose, ...] = PURPOSES) -> "Mount":
        tree, ledger, kernel = Tree(purposes), Ledger(database), RecordingKernel()
        mount = cls(tree, Listings(side.client, tree, ledger, side.blocks, kernel), ledger, kernel)
        mount.listings.load()
        return mount

    def directory(self, purpose: str) -> Directory:
        directory = self.tree.root.names[purpose]
        assert isinstance(directory, Directory)
        return directory

    async def names(self, purpose: str) -> list[str]:
        """What `ls` shows."""
        await self.listings.refresh(self.directory(purpose))
        return sorted(self.directory(purpose).names)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "ledger.sqlite")
    database.open()
    yield database
    database.close()


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


async def test_a_documented_purpose_that_is_refused_is_an_error(mount: Mount, emulator: Emulator) -> None:
    """A purpose that ought to be listed and is not is not shown as empty."""
    emulator.inject(Fault(Operation.LIST, Kind.CODE, 2013, text="invalid params", times=None))
    with pytest.raises(NotPermitted):
        await mount.names(VOICES)


async def test_the_kernel_is_told_of_what_vanished(
    clock: MockClock, mount: Mount, side: ReadingSide, emulator: Emulator
) -> None:
    """A file that another client deleted goes from the tree, the ledger, the blocks and the kernel."""
    gone = emulator.add_file(VOICES, "a.wav", pattern(BLOCK))
    emulator.add_file(VOICES, "b.wav", b"b")
    await mount.names(VOICES)
    file = mount.directory(VOICES).names["a.wav"]
    fill(side.blocks, gone, pattern(BLOCK))
    emulator.remove_file(gone)
    clock.jump(FRESH + 1)
    assert await mount.names(VOICES) == ["b.wav"]
    assert mount.kernel.gone == [(mount.directory(VOICES).number, "a.wav", file.number)]
    assert [known.filename for known in mount.ledger.files(VOICES)] == ["b.wav"]
    assert side.blocks.used == 0


async def test_an_id_that_means_other_bytes_loses_its_blocks(
    clock: MockClock, mount: Mount, side: ReadingSide, emulator: Emulator
) -> None:
    """Another size under a known id is another store's file: nothing that was kept is shown for it."""
    file_id = emulator.add_file(VOICES, "a.wav", pattern(BLOCK), created_at=5)
    await mount.names(VOICES)
    fill(side.blocks, file_id, pattern(BLOCK))
    emulator.remove_file(file_id)
    emulator.add_file(VOICES, "a.wav", pattern(100), created_at=9, file_id=file_id)
    clock.jump(FRESH + 1)
    await mount.names(VOICES)
    file = mount.directory(VOICES).names["a.wav"]
    assert isinstance(file, File)
    assert file.size == 100
    assert mount.kernel.changed == [file.number]
    assert side.blocks.used == 0
    assert [known.size for known in mount.ledger.files(VOICES)] == [100]


async def test_a_listing_on_its_way_does_not_undo_our_delete(mount: Mount, emulator: Emulator) -> None:
    """What we deleted after the store was asked stays away, though the answer still shows it."""
    doomed = emulator.add_file(VOICES, "a.wav", b"a")
    await mount.names(VOICES)
    file = mount.tree.file(doomed)
    assert file is not None
    mount.listings.expire(file.purpose)
    emulator.inject(Fault(Operation.LIST, Kind.DELAY, 0.3))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mount.names, VOICES)
        await _until_asked(emulator, 2)
        emulator.remove_file(doomed)
        mount.tree.detach(file)
        mount.tree.mark_deleted(doomed, trio.current_time())
    assert sorted(mount.directory(VOICES).names) == []


async def test_a_listing_on_its_way_does_not_undo_our_upload(mount: Mount, emulator: Emulator) -> None:
    """What we stored after the store was asked stays, though the answer does not show it yet."""
    await mount.names(VOICES)
    directory = mount.directory(VOICES)
    assert directory.purpose is not None
    mount.listings.expire(directory.purpose)
    emulator.inject(Fault(Operation.LIST, Kind.DELAY, 0.3))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mount.names, VOICES)
        await _until_asked(emulator, 2)
        file_id = emulator.add_file(VOICES, "new.wav", b"new")
        file = mount.tree.create(directory, "new.wav", mtime_ns=1)
        mount.tree.bind(file, RemoteFile(file_id, VOICES, "new.wav", 3, 1), trio.current_time())
    assert sorted(directory.names) == ["new.wav"]


async def test_a_ledger_without_room_does_not_hide_the_files(
    side: ReadingSide, emulator: Emulator, tmp_path: Path
) -> None:
    """The local disk is full: what the store lists is shown all the same."""
    for index in range(3000):
        emulator.add_file(VOICES, f"{index}.wav", b"x")
    with small_disk(tmp_path / "disk", 512 * 1024) as disk:
        database = Database(disk / "ledger.sqlite")
        database.open()
        fill_up(disk / "others")
        assert len(await Mount.of(side, database).names(VOICES)) == 3000
        database.close()


async def _until_asked(emulator: Emulator, times: int) -> None:
    with trio.fail_after(10):
        while emulator.requests["list"] < times:
            await trio.sleep(0.005)
