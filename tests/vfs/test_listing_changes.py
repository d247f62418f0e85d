"""What a listing changes: in the tree, in the ledger, in the blocks and for the kernel."""

import pytest
import trio
from trio.testing import MockClock

from block_contents import fill, pattern
from listed_mount import VOICES, Mount
from minimaxfs.core.files import RemoteFile
from minimaxfs.core.inodes import File
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.disk.database import Database
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.vfs.listings import FRESH
from reading_side import ReadingSide


@pytest.fixture
def mount(side: ReadingSide, database: Database) -> Mount:
    return Mount.of(side, database)


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


async def _until_asked(emulator: Emulator, times: int) -> None:
    with trio.fail_after(10):
        while emulator.requests["list"] < times:
            await trio.sleep(0.005)
