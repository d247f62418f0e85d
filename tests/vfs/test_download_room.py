"""Reading with little room on disk: limits hold, a disk filled by others is survived, no byte is wrong."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from block_contents import allocated, pattern
from minimaxfs.emulator.background import Emulator
from reading_side import MIB, ReadingSide, reading_side, stored
from small_disk import fill_up, small_disk

SIZE = 24 * MIB + 777
DATA = pattern(SIZE)
LIMIT = 4 * MIB


@pytest.fixture
async def narrow(emulator: Emulator, tmp_path: Path) -> AsyncIterator[ReadingSide]:
    """Blocks with the smallest limit that a mount can be given."""
    async with reading_side(emulator, tmp_path / "blocks", LIMIT) as side:
        yield side


async def test_a_file_larger_than_the_limit_is_read_once(
    narrow: ReadingSide, emulator: Emulator, tmp_path: Path
) -> None:
    """A sequential reader gets it all, the disk never holds more than the limit, no byte comes twice."""
    async with narrow.reader(stored(emulator, DATA)) as reader:
        for at in range(0, SIZE, 128 * 1024):
            assert await reader.read(at, 128 * 1024) == DATA[at : at + 128 * 1024]
            assert allocated(tmp_path / "blocks") <= LIMIT
    assert emulator.bytes_sent == SIZE
    assert allocated(tmp_path / "blocks") <= LIMIT


async def test_readers_at_many_places_of_a_file_larger_than_the_limit(
    narrow: ReadingSide, emulator: Emulator, tmp_path: Path
) -> None:
    """Eight readers that take each other's room away still get their own bytes."""
    remote = stored(emulator, DATA)

    async def read_from(start: int) -> None:
        async with narrow.reader(remote) as reader:
            assert await reader.read_on(start, start + 3 * MIB) == DATA[start : start + 3 * MIB]

    async with trio.open_nursery() as nursery:
        for index in range(8):
            nursery.start_soon(read_from, index * 3 * MIB)
    assert allocated(tmp_path / "blocks") <= LIMIT


async def test_many_files_within_the_limit(narrow: ReadingSide, emulator: Emulator, tmp_path: Path) -> None:
    """Files that are open at the same time share the room that there is."""
    remotes = [stored(emulator, DATA[index * MIB : (index + 2) * MIB]) for index in range(6)]

    async def read_all(index: int) -> None:
        async with narrow.reader(remotes[index]) as reader:
            expected = DATA[index * MIB : (index + 2) * MIB]
            assert await reader.read_on(0, 2 * MIB) == expected
            assert allocated(tmp_path / "blocks") <= LIMIT

    async with trio.open_nursery() as nursery:
        for index in range(6):
            nursery.start_soon(read_all, index)


async def test_a_read_larger_than_the_limit(narrow: ReadingSide, emulator: Emulator) -> None:
    """What can never lie on disk all at once is read past it."""
    async with narrow.reader(stored(emulator, DATA)) as reader:
        assert await reader.read(100, 6 * MIB) == DATA[100 : 100 + 6 * MIB]


async def test_a_disk_that_is_smaller_than_the_file(emulator: Emulator, tmp_path: Path) -> None:
    """The limit is far away and the disk ends before: old blocks give way, and reading goes on."""
    with small_disk(tmp_path / "disk", 6 * MIB) as disk:
        async with (
            reading_side(emulator, disk / "blocks") as side,
            side.reader(stored(emulator, DATA)) as reader,
        ):
            assert await reader.read_on(0, SIZE) == DATA


async def test_a_disk_that_others_fill_while_a_file_is_read(emulator: Emulator, tmp_path: Path) -> None:
    """Not a byte of room is left, and reading goes on; later there is room, and blocks are kept again."""
    remote = stored(emulator, DATA)
    with small_disk(tmp_path / "disk", 6 * MIB) as disk:
        async with reading_side(emulator, disk / "blocks") as side, side.reader(remote) as reader:
            fill_up(disk / "others")
            assert await reader.read_on(0, 3 * MIB) == DATA[: 3 * MIB]
            (disk / "others").unlink()
            assert await reader.read_on(3 * MIB, 6 * MIB) == DATA[3 * MIB : 6 * MIB]
            emulator.clear_counts()
            assert await reader.read_on(5 * MIB, 6 * MIB) == DATA[5 * MIB : 6 * MIB]
            assert emulator.requests["retrieve"] == 0
            assert emulator.requests["download"] <= 2  # ahead


async def test_random_reads_on_a_full_disk(emulator: Emulator, tmp_path: Path) -> None:
    """Readers all over the file, on a disk that somebody else keeps full."""
    dice = random.Random(7)
    with small_disk(tmp_path / "disk", 3 * MIB) as disk:
        async with (
            reading_side(emulator, disk / "blocks") as side,
            side.reader(stored(emulator, DATA)) as reader,
        ):
            for index in range(60):
                at, size = dice.randrange(SIZE), dice.randrange(1, 300_000)
                assert await reader.read(at, size) == DATA[at : at + size]
                if index % 20 == 10:
                    fill_up(disk / f"others-{index}")
