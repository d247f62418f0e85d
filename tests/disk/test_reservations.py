"""Room that is kept for what others are to write: counted from the start, and given back to the byte."""

import os
from pathlib import Path

import pytest

from block_contents import allocated, fetch, fill, pattern, present
from minimaxfs.core.errors import LocalDiskFull
from minimaxfs.core.ranges import Range, pieces
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.disk.blocks import Blocks

SIZE = 20 * BLOCK + 100
DATA = pattern(SIZE)
LIMIT = 16 * BLOCK


@pytest.fixture
def narrow(tmp_path: Path) -> Blocks:
    blocks = Blocks(tmp_path / "blocks", LIMIT)
    blocks.open()
    return blocks


def test_a_reservation_counts_before_a_byte_is_written(narrow: Blocks, tmp_path: Path) -> None:
    """What is on its way cannot be promised to another; once it is given back, it can."""
    file = narrow.open_file(1, SIZE)
    narrow.reserve(file, Range(0, 10 * BLOCK))
    assert 10 * BLOCK <= narrow.used <= LIMIT
    other = narrow.open_file(2, SIZE)
    with pytest.raises(LocalDiskFull):
        narrow.reserve(other, Range(0, 10 * BLOCK))
    narrow.release(file, Range(0, 10 * BLOCK))
    assert narrow.used == 0
    narrow.reserve(other, Range(0, 10 * BLOCK))
    narrow.close_file(other)
    narrow.close_file(file)
    assert narrow.used == allocated(tmp_path / "blocks") == 0


def test_a_refused_reservation_leaves_no_trace(narrow: Blocks) -> None:
    """A range that can never fit costs the others what may go, and holds nothing itself."""
    file = narrow.open_file(1, SIZE)
    for _ in range(300):
        with pytest.raises(LocalDiskFull):
            narrow.reserve(file, Range(0, SIZE))
    assert narrow.used == 0
    assert fetch(narrow, file, Range(0, BLOCK), DATA)
    file.evict(Range(0, 1), 1)
    assert present(file) == []


@pytest.mark.parametrize("step", [1000, BLOCK - 1, BLOCK, BLOCK + 1, 4 * BLOCK + 17])
def test_notes_of_any_size(narrow: Blocks, step: int) -> None:
    """Blocks become whole as their last bytes are told of, and then are as good to evict as others."""
    file = narrow.open_file(1, SIZE)
    part = Range(BLOCK, 11 * BLOCK)
    narrow.reserve(file, part)
    used = narrow.used
    for piece in pieces(part, step):
        before = len(present(file))
        os.pwrite(file.descriptor, DATA[piece.start : piece.stop], piece.start)
        assert file.wrote(piece) == (len(present(file)) > before)
    assert narrow.used == used
    assert present(file) == list(range(1, 11))
    narrow.make_room(LIMIT)
    assert narrow.used == 0


def test_what_is_on_its_way_is_never_what_makes_room(narrow: Blocks) -> None:
    """Blocks that somebody brings again stay, those too that are there already."""
    file = narrow.open_file(1, SIZE)
    narrow.write(file, 4 * BLOCK, DATA[4 * BLOCK : 6 * BLOCK])
    narrow.reserve(file, Range(4 * BLOCK, 8 * BLOCK))
    narrow.make_room(LIMIT)
    assert present(file) == [4, 5]
    narrow.release(file, Range(4 * BLOCK, 8 * BLOCK))
    narrow.make_room(LIMIT)
    assert present(file) == []


def test_a_note_that_comes_after_the_bytes_of_another(narrow: Blocks) -> None:
    """A block that two bring, of which one gives up, stays with the other."""
    file = narrow.open_file(1, SIZE)
    both = Range(0, 2 * BLOCK)
    narrow.reserve(file, both)
    narrow.reserve(file, both)
    os.pwrite(file.descriptor, DATA[: BLOCK + 1000], 0)
    assert file.wrote(Range(0, BLOCK + 1000))
    narrow.release(file, Range(BLOCK + 1000, 2 * BLOCK))
    narrow.make_room(LIMIT)
    assert present(file) == [0]
    os.pwrite(file.descriptor, DATA[: 2 * BLOCK], 0)
    assert file.wrote(both)
    assert file.read(both) == DATA[: 2 * BLOCK]
    narrow.make_room(LIMIT)
    assert narrow.used == 0


def test_half_a_block_goes_with_the_one_who_brought_it(narrow: Blocks, tmp_path: Path) -> None:
    """A fetch that is given up in the middle of a block leaves nothing of that block on disk."""
    file = narrow.open_file(1, SIZE)
    narrow.reserve(file, Range(0, 4 * BLOCK))
    os.pwrite(file.descriptor, DATA[: BLOCK + 5000], 0)
    file.wrote(Range(0, BLOCK + 5000))
    narrow.release(file, Range(BLOCK + 5000, 4 * BLOCK))
    assert present(file) == [0]
    assert allocated(tmp_path / "blocks") == BLOCK
    assert fetch(narrow, file, Range(BLOCK, 2 * BLOCK), DATA)
    assert file.read(Range(0, 2 * BLOCK)) == DATA[: 2 * BLOCK]


def test_what_was_begun_before_a_block_was_lost_does_not_count(narrow: Blocks) -> None:
    """A block that was filled twice, then lost, is not whole by the second half of a third time."""
    file = narrow.open_file(1, SIZE)
    narrow.write(file, 0, DATA[:1000])
    assert fetch(narrow, file, Range(0, BLOCK), DATA)
    file.evict(Range(0, 1), 1)
    assert not narrow.write(file, 1000, DATA[1000:BLOCK])
    assert file.read(Range(0, BLOCK)) is None


def test_a_note_of_a_file_that_was_closed(narrow: Blocks) -> None:
    """Whoever tells too late of what it wrote is told that it is of no use."""
    file = narrow.open_file(1, SIZE)
    narrow.reserve(file, Range(0, BLOCK))
    narrow.close_file(file)
    assert not file.wrote(Range(0, BLOCK))
    narrow.release(file, Range(0, BLOCK))
    assert narrow.used == 0


@pytest.mark.parametrize("size", [1, 4096, 5000, BLOCK + 1, 300_000])
def test_small_files_count_as_what_they_take(tmp_path: Path, size: int) -> None:
    """The limit is one on the pages that the disk gives, not on whole blocks."""
    blocks = Blocks(tmp_path / "blocks", 1024 * BLOCK)
    blocks.open()
    for file_id in range(10):
        fill(blocks, file_id, pattern(size))
    assert allocated(tmp_path / "blocks") <= blocks.used <= allocated(tmp_path / "blocks") + 10 * 4096
