"""True sizes: what the store gives as 0 bytes is asked for once, and kept."""

from dataclasses import dataclass, replace

import pytest
import trio
from trio.testing import MockClock

from minimaxfs.core.errors import FsError
from minimaxfs.core.files import PURPOSES, RemoteFile
from minimaxfs.core.inodes import File
from minimaxfs.core.tree import Tree
from minimaxfs.disk.database import Database
from minimaxfs.disk.ledger import Ledger
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.emulator.settings import Urls
from minimaxfs.vfs.sizes import PAUSE, Sizes
from reading_side import HASTE, ReadingSide
from recording_kernel import RecordingKernel

VIDEOS = "video_generation"


@dataclass
class Shown:
    """A generated file as the tree has it, before anybody knows its size."""

    file: File
    remote: RemoteFile
    sizes: Sizes
    ledger: Ledger
    kernel: RecordingKernel


def shown(side: ReadingSide, emulator: Emulator, database: Database, data: bytes) -> Shown:
    remote = RemoteFile(emulator.add_file(VIDEOS, "output.mp4", data), VIDEOS, "output.mp4", 0, 5)
    tree, ledger, kernel = Tree(PURPOSES), Ledger(database), RecordingKernel()
    purpose = next(one for one in PURPOSES if one.name == VIDEOS)
    (file,) = tree.apply(purpose, [remote], {}, asked_at=0.0, is_complete=False).added
    return Shown(file, remote, Sizes(side.downloads, ledger, kernel), ledger, kernel)


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
async def test_a_size_is_learnt_once_and_kept(
    side: ReadingSide, emulator: Emulator, database: Database, size: int
) -> None:
    """One retrieve and one byte tell the size, of an empty file too; the ledger keeps it for other mounts."""
    one = shown(side, emulator, database, b"x" * size)
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(one.sizes.learn, one.file)
    await one.sizes.learn(one.file)
    assert one.file.size == size
    assert emulator.requests == {"retrieve": 1, "download": 1}
    assert one.ledger.remembered(VIDEOS)[one.remote.file_id].size == size


async def test_a_retrieve_that_knows_the_size_is_enough(
    side: ReadingSide, emulator: Emulator, database: Database
) -> None:
    """Where the store tells the size after all, no byte is fetched for it."""
    one = shown(side, emulator, database, b"xyz")
    emulator.change(replace(emulator.settings, true_sizes=True))
    await one.sizes.learn(one.file)
    assert one.file.size == 3
    assert emulator.requests == {"retrieve": 1}


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("length", [True, False])
async def test_sizes_of_files_without_a_url(
    side: ReadingSide, emulator: Emulator, database: Database, ranges: bool, length: bool
) -> None:
    """By file_id, with ranges or without, with a length or without: the size comes with one request."""
    one = shown(side, emulator, database, b"x" * 100_000)
    emulator.change(
        replace(emulator.settings, generated_urls=Urls.ABSENT, content_ranges=ranges, content_length=length)
    )
    await one.sizes.learn(one.file)
    assert one.file.size == 100_000
    assert emulator.requests == {"retrieve": 1, "retrieve_content": 1}


async def test_a_server_that_ignores_ranges(
    side: ReadingSide, emulator: Emulator, database: Database
) -> None:
    """The length of the whole is the size, and its bytes are not waited for."""
    one = shown(side, emulator, database, b"x" * 50_000_000)
    emulator.change(replace(emulator.settings, ranges=False))
    await one.sizes.learn(one.file)
    assert one.file.size == 50_000_000
    assert emulator.bytes_sent < 20_000_000


async def test_faults_that_pass_are_waited_out(
    clock: MockClock, side: ReadingSide, emulator: Emulator, database: Database
) -> None:
    """A bad gateway and an ended URL do not make a file look empty."""
    clock.rate = HASTE
    one = shown(side, emulator, database, b"xyz")
    emulator.inject(
        Fault(Operation.DOWNLOAD, Kind.STATUS, 502), Fault(Operation.DOWNLOAD, Kind.STATUS, 403, after=1)
    )
    await one.sizes.learn(one.file)
    assert one.file.size == 3


async def test_what_cannot_be_learnt_is_asked_for_again_later(
    clock: MockClock, side: ReadingSide, emulator: Emulator, database: Database
) -> None:
    """Who looks is not kept waiting each time: after a failure there is a minute of rest."""
    one = shown(side, emulator, database, b"xyz")
    with emulator.offline():
        await one.sizes.learn(one.file)
    await one.sizes.learn(one.file)
    assert one.file.size is None
    assert emulator.requests.total() == 0
    clock.jump(PAUSE + 1)
    await one.sizes.learn(one.file)
    assert one.file.size == 3


async def test_who_reads_is_told(side: ReadingSide, emulator: Emulator, database: Database) -> None:
    """A reader who would take 0 bytes for the file gets the error, and asks whatever others met before."""
    one = shown(side, emulator, database, b"xyz")
    with emulator.offline():
        await one.sizes.learn(one.file)
        with pytest.raises(FsError):
            await one.sizes.require(one.file)
    await one.sizes.require(one.file)
    assert one.file.size == 3


async def test_a_correction_is_kept_and_told(
    side: ReadingSide, emulator: Emulator, database: Database
) -> None:
    """A file that turned out to have another size is shown with it, also by the kernel."""
    one = shown(side, emulator, database, b"xyz")
    await one.sizes.learn(one.file)
    one.sizes.correct(one.file, 4)
    assert one.file.size == 4
    assert one.kernel.changed == [one.file.number]
    assert one.ledger.remembered(VIDEOS)[one.remote.file_id].size == 4
