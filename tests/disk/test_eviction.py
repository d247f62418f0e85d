"""What makes room: used least recently first, the ends of files last, never more than is needed by much."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from block_contents import allocated, fetch, fill, open_descriptors, pattern, present, put_away
from minimaxfs.core.errors import LocalDiskFull
from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BLOCK, BlockFile
from minimaxfs.disk.blocks import Blocks

MIB = 1024 * 1024
LIMIT = 8 * MIB
SIZE = 4 * MIB
ENDS = [*range(4), *range(60, 64)]


def reopened(directory: Path, limit: int = LIMIT) -> Blocks:
    blocks = Blocks(directory, limit)
    blocks.open()
    return blocks


def held(blocks: Blocks, file_id: int, size: int = SIZE) -> list[int]:
    """The blocks that are there of a file."""
    file = blocks.open_file(file_id, size)
    found = present(file)
    put_away(blocks, file)
    return found


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "blocks"


@pytest.fixture
def narrow(directory: Path) -> Blocks:
    return reopened(directory)


@pytest.mark.parametrize("is_remounted", [False, True])
def test_middles_go_before_ends(narrow: Blocks, directory: Path, *, is_remounted: bool) -> None:
    """Of a file that nobody has open the first and last 256 KiB outlive the middle, over remounts too."""
    for file_id in (1, 2):
        fill(narrow, file_id, pattern(SIZE, file_id))
    if is_remounted:
        narrow = reopened(directory)
    fill(narrow, 3, pattern(SIZE, 3))
    fill(narrow, 4, pattern(2 * MIB, 4))
    assert allocated(directory) <= LIMIT
    assert held(narrow, 1) in (ENDS, sorted([*ENDS, ENDS[4] - 1]))
    assert set(ENDS) < set(held(narrow, 2)) < set(range(64))
    assert held(narrow, 3) == list(range(64))


def test_only_as_much_as_is_needed_goes(narrow: Blocks, directory: Path) -> None:
    """A file that has to give way to a small one loses a part of its middle, not all of it."""
    fill(narrow, 1, pattern(7 * MIB, 1))
    fill(narrow, 2, pattern(1 * MIB + 128 * 1024, 2))
    assert len(held(narrow, 1, 7 * MIB)) >= 7 * 16 - 8
    assert allocated(directory) <= LIMIT


def test_an_open_file_gives_of_its_middle_before_closed_ones_of_their_ends(narrow: Blocks) -> None:
    """A stream larger than the limit drives out its own past, and no small file."""
    for file_id in range(10, 14):
        fill(narrow, file_id, pattern(400_000, file_id))
    size = 20 * MIB
    file = narrow.open_file(1, size)
    data = pattern(size)
    for start in range(0, size, BLOCK):
        assert fetch(narrow, file, Range(start, start + BLOCK), data)
        assert file.peek(Range(start, start + BLOCK)) == data[start : start + BLOCK]
        assert narrow.used <= LIMIT
    there = present(file)
    assert there[:4] == [0, 1, 2, 3]
    assert there[4:] == list(range(there[4], size // BLOCK))
    narrow.close_file(file)
    for file_id in range(10, 14):
        assert held(narrow, file_id, 400_000) == list(range(7))


def test_small_files_do_not_crowd_out_a_stream(narrow: Blocks) -> None:
    """Small files are spared up to a quarter of the limit: beyond it the oldest give way to what is newer."""
    for file_id in range(10, 40):
        fill(narrow, file_id, pattern(400_000, file_id))
    file = narrow.open_file(1, SIZE)
    _stream(narrow, file, pattern(SIZE))
    put_away(narrow, file)
    assert held(narrow, 1) == list(range(64))
    kept = [file_id for file_id in range(10, 40) if held(narrow, file_id, 400_000)]
    assert kept == list(range(40 - len(kept), 40))
    assert len(kept) >= 5


def test_within_a_file_what_was_read_lately_stays(directory: Path) -> None:
    """What was not read since it came goes before what was."""
    narrow = reopened(directory, 4 * MIB)
    size = 40 * BLOCK
    file = narrow.open_file(1, size)
    narrow.write(file, 0, pattern(size))
    for index in (4, 7):
        assert file.read(Range(index * BLOCK, index * BLOCK + 1)) is not None
    narrow.make_room(30 * BLOCK)
    assert present(file) == [0, 1, 2, 3, 4, 7, 36, 37, 38, 39]
    narrow.close_file(file)


def test_a_hole_is_no_rot(narrow: Blocks, directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What was given back is absent for the next process; nobody is told that the disk failed."""
    fill(narrow, 1, pattern(SIZE))
    before = (directory / "1.blocks").stat().st_mtime_ns
    narrow.make_room(2 * MIB)
    assert (directory / "1.blocks").stat().st_mtime_ns == before
    again = reopened(directory)
    assert again.used == allocated(directory)
    found = held(again, 1)
    assert found[:4] == [0, 1, 2, 3]
    assert found[4:] == list(range(64 - len(found) + 4, 64))
    assert caplog.messages == []


def test_what_waits_for_its_record_makes_room_too(narrow: Blocks, directory: Path) -> None:
    """A file that was closed a moment ago is as good as others; what is left of it is recorded."""
    file = narrow.open_file(1, SIZE)
    narrow.write(file, 0, pattern(SIZE))
    narrow.close_file(file)
    fill(narrow, 2, pattern(6 * MIB))
    assert allocated(directory) <= LIMIT
    found = held(reopened(directory), 1)
    assert set(ENDS) <= set(found) < set(range(64))


def test_many_files_wait_for_their_records(narrow: Blocks, directory: Path) -> None:
    """Where nobody comes for the records they are written at once: descriptors are not without end."""
    before = open_descriptors(directory)
    for file_id in range(200):
        file = narrow.open_file(file_id, 1000)
        narrow.write(file, 0, pattern(1000, file_id))
        narrow.close_file(file)
    assert open_descriptors(directory) - before <= 128
    again = reopened(directory)
    assert held(again, 0, 1000) == [0]
    assert len(narrow.to_record()) <= 128


@pytest.fixture
def unpunchable(tmp_path: Path) -> Iterator[Path]:
    """A file system that cannot give a part of a file back."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "ramfs", "ramfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_disk_that_cannot_make_holes(unpunchable: Path) -> None:
    """There a file goes as a whole or not at all; what is open is not lost for nothing."""
    blocks = reopened(unpunchable / "blocks", LIMIT)
    for file_id in range(1, 5):
        fill(blocks, file_id, pattern(3 * MIB, file_id))
        assert allocated(unpunchable / "blocks") <= LIMIT
    file = blocks.open_file(4, 3 * MIB)
    other = blocks.open_file(9, 20 * MIB)
    with pytest.raises(LocalDiskFull):
        _stream(blocks, other, pattern(20 * MIB))
    assert allocated(unpunchable / "blocks") <= LIMIT
    assert len(present(file)) >= 3 * 16 - 1
    for used in (file, other):
        put_away(blocks, used)
    assert allocated(unpunchable / "blocks") <= blocks.used <= LIMIT


def _stream(blocks: Blocks, file: BlockFile, data: bytes) -> None:
    for start in range(0, len(data), BLOCK):
        blocks.write(file, start, data[start : start + BLOCK])
