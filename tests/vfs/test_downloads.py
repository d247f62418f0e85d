"""Reading: the right bytes, and for what they cost in requests and bytes."""

import random
import tracemalloc
from pathlib import Path

import pytest
import trio

from block_contents import open_descriptors, pattern
from minimaxfs.core.ranges import Range
from minimaxfs.core.window import FIRST
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from reading_side import MIB, Reader, ReadingSide, reading_side, stored, until

SIZE = 20 * MIB + 12345
DATA = pattern(SIZE)


@pytest.mark.parametrize(
    ("offset", "size"),
    [
        (0, 1),
        (0, SIZE),
        (BLOCK - 1, 2),
        (4 * MIB - 5, 10),
        (SIZE - 1, 1),
        (SIZE - 5 * MIB, 5 * MIB),
        (777, MIB),
    ],
)
async def test_any_offset_and_any_size(side: ReadingSide, emulator: Emulator, offset: int, size: int) -> None:
    """What is read is what is stored, wherever it lies."""
    async with side.reader(stored(emulator, DATA)) as reader:
        assert await reader.read(offset, size) == DATA[offset : offset + size]


@pytest.mark.parametrize("size", [0, 1, BLOCK, BLOCK + 1, 4 * MIB, 4 * MIB + 1])
async def test_files_of_any_size_are_read_once(side: ReadingSide, emulator: Emulator, size: int) -> None:
    """Small files come in one GET, and no byte of any file is asked for twice."""
    async with side.reader(stored(emulator, DATA[:size])) as reader:
        assert await reader.read_on(0, size) == DATA[:size]
    assert emulator.bytes_sent == size
    assert size > 4 * MIB or emulator.requests["download"] == min(size, 1)
    assert emulator.requests["retrieve"] == min(size, 1)


async def test_a_sequential_reader_costs_one_retrieve_and_each_byte_once(
    side: ReadingSide, emulator: Emulator
) -> None:
    """A file of any size costs one retrieve, and no more bytes than it has."""
    async with side.reader(stored(emulator, DATA)) as reader:
        assert await reader.read_on(0, SIZE) == DATA
    assert emulator.bytes_sent == SIZE
    assert emulator.requests["retrieve"] == 1
    assert emulator.requests["download"] <= 12  # five while the window grows, then one for each 4 MiB


async def test_eight_readers_at_once_ask_for_each_byte_once(side: ReadingSide, emulator: Emulator) -> None:
    """Readers of one file share what is on its way: one retrieve, and every byte once."""
    remote = stored(emulator, DATA)
    got: list[bytes] = []

    async def read_all() -> None:
        async with side.reader(remote) as reader:
            got.append(await reader.read_on(0, SIZE, step=random.choice([100_000, 128 * 1024, MIB])))

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(read_all)
    assert got == [DATA] * 8
    assert emulator.bytes_sent == SIZE
    assert emulator.requests["retrieve"] == 1


async def test_what_was_read_costs_nothing_in_later_mounts(emulator: Emulator, tmp_path: Path) -> None:
    """A cached file is read without a request, after a remount and without a network too."""
    remote = stored(emulator, DATA)
    async with reading_side(emulator, tmp_path / "blocks") as side, side.reader(remote) as reader:
        assert await reader.read_on(0, SIZE) == DATA
    emulator.clear_counts()
    with emulator.offline():
        async with reading_side(emulator, tmp_path / "blocks") as side, side.reader(remote) as reader:
            assert await reader.read_on(0, SIZE) == DATA
    assert emulator.requests.total() == 0


async def test_a_first_read_fetches_little_more_than_it_needs(side: ReadingSide, emulator: Emulator) -> None:
    """A cold read of the head of a file fetches 256 KiB beyond it, and no more."""
    async with side.reader(stored(emulator, DATA)) as reader:
        assert await reader.read(0, 128 * 1024) == DATA[: 128 * 1024]
        await until(lambda: not reader.download.fetches)
    assert emulator.bytes_sent <= 128 * 1024 + FIRST + BLOCK


async def test_readahead_stays_within_the_window(side: ReadingSide, emulator: Emulator) -> None:
    """Whatever was read, nothing beyond the window's edge is asked for."""
    async with side.reader(stored(emulator, DATA)) as reader:
        for at in range(0, 2 * MIB, 128 * 1024):
            await reader.read(at, 128 * 1024)
            await until(lambda: not reader.download.fetches)
            asked = [seen.headers["range"] for seen in emulator.log if seen.operation == Operation.DOWNLOAD]
            assert max(int(part.rpartition("-")[2]) for part in asked) < reader.window.edge + BLOCK


async def test_random_reads_cost_at_most_twice_their_bytes(side: ReadingSide, emulator: Emulator) -> None:
    """64 KiB anywhere touch two blocks at most, and nothing is fetched ahead for them."""
    dice = random.Random(5)
    async with side.reader(stored(emulator, DATA)) as reader:
        await reader.read(SIZE // 2, 1)
        emulator.clear_counts()
        offset = SIZE // 2
        for _ in range(40):
            offset = (offset + dice.randrange(5 * MIB, 15 * MIB)) % (SIZE - BLOCK)
            assert await reader.read(offset, BLOCK) == DATA[offset : offset + BLOCK]
    assert emulator.bytes_sent <= 2 * 40 * BLOCK


async def test_a_read_over_many_gaps(side: ReadingSide, emulator: Emulator) -> None:
    """A read that finds every other block on disk gets the others, however many there are."""
    async with side.reader(stored(emulator, DATA)) as reader:
        for index in range(1, 64, 2):
            await side.downloads.read(reader.download, Range(index * BLOCK, index * BLOCK + 1), 0)
        assert await reader.read(0, 4 * MIB) == DATA[: 4 * MIB]
    assert emulator.bytes_sent <= 5 * MIB


async def test_the_last_reader_takes_the_fetches_along(emulator: Emulator, tmp_path: Path) -> None:
    """Nobody reads any more: nothing is fetched any more, and at the end all descriptors are given back."""
    remote, before = stored(emulator, DATA), open_descriptors()
    emulator.inject(Fault(Operation.DOWNLOAD, Kind.SLOW, 200_000, times=None))
    async with reading_side(emulator, tmp_path / "blocks") as side:
        async with side.reader(remote) as reader:
            with trio.move_on_after(0.3):
                await reader.read(0, SIZE)
            assert reader.download.fetches
        await until(lambda: not reader.download.fetches)
        sent = emulator.bytes_sent
        await until(lambda: open_descriptors(tmp_path) == 0)
        await trio.sleep(0.2)
        assert emulator.bytes_sent <= sent + MIB
    await until(lambda: open_descriptors() <= before)


async def test_one_reader_that_goes_away_harms_no_other(side: ReadingSide, emulator: Emulator) -> None:
    """A read that is cancelled leaves the fetch to the others who wait for it."""
    remote = stored(emulator, DATA)
    emulator.inject(Fault(Operation.DOWNLOAD, Kind.DELAY, 0.3, times=None))
    async with side.reader(remote) as first, side.reader(remote) as second, trio.open_nursery() as nursery:
        nursery.start_soon(_read_for_a_moment, first)
        assert await second.read(0, 100) == DATA[:100]
    assert emulator.requests["download"] == 1


async def _read_for_a_moment(reader: Reader) -> None:
    with trio.move_on_after(0.1):
        await reader.read(0, 100)


async def test_a_file_is_reopened_while_it_is_put_away(side: ReadingSide, emulator: Emulator) -> None:
    """Closing and opening at the same time neither loses bytes nor descriptors."""
    remote = stored(emulator, DATA)

    async def come_and_go() -> None:
        for at in range(0, SIZE, 3 * MIB):
            async with side.reader(remote) as reader:
                assert await reader.read(at, 1000) == DATA[at : at + 1000]

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(come_and_go)
    assert emulator.requests["retrieve"] == 1
    async with side.reader(remote) as reader:
        assert await reader.read_on(0, SIZE) == DATA


async def test_rotten_blocks_are_fetched_again(emulator: Emulator, tmp_path: Path) -> None:
    """What rotted on disk between two mounts is noticed and costs its own bytes, no more."""
    remote = stored(emulator, DATA)
    async with reading_side(emulator, tmp_path / "blocks") as side, side.reader(remote) as reader:
        await reader.read_on(0, SIZE)
    path = tmp_path / "blocks" / f"{remote.file_id}.blocks"
    rotten = bytearray(path.read_bytes())
    for at in (0, 5 * MIB, SIZE - 1):
        rotten[at] ^= 1
    path.write_bytes(rotten)
    emulator.clear_counts()
    async with reading_side(emulator, tmp_path / "blocks") as side, side.reader(remote) as reader:
        assert await reader.read_on(0, SIZE) == DATA
    assert emulator.bytes_sent <= 3 * BLOCK


async def test_a_file_that_is_discarded_is_read_to_its_end(side: ReadingSide, emulator: Emulator) -> None:
    """An id that comes to mean other bytes while it is open: old readers read on, new ones see the new."""
    remote = stored(emulator, DATA)
    async with side.reader(remote) as old:
        assert await old.read_on(0, SIZE) == DATA
        side.blocks.discard(remote.file_id)
        emulator.remove_file(remote.file_id)
        emulator.add_file("t2a_async_input", "a file.txt", DATA[::-1], file_id=remote.file_id)
        async with side.reader(remote) as new:
            assert await new.read(5, 100) == DATA[::-1][5:105]
            assert await old.read(5, 100) == DATA[5:105]


async def test_memory_stays_flat(side: ReadingSide, emulator: Emulator, tmp_path: Path) -> None:
    """A quarter of a gigabyte passes through a few mebibytes of memory."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(256 * MIB)
    async with side.reader(stored(emulator, tmp_path / "large")) as reader:
        tracemalloc.start()
        try:
            for at in range(0, 256 * MIB, MIB):
                assert len(await reader.read(at, MIB)) == MIB
            assert tracemalloc.get_traced_memory()[1] < 24 * MIB
        finally:
            tracemalloc.stop()
    assert emulator.bytes_sent == 256 * MIB
