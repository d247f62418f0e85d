"""Reading blocks: at once where memory has them, else by a thread, whose outcome is judged afterwards."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from block_contents import fetch, fill, open_descriptors, pattern, put_away
from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BLOCK, BlockFile
from minimaxfs.disk.blocks import Blocks
from small_disk import small_disk

MIB = 1024 * 1024
SIZE = 8 * MIB + 777
DATA = pattern(SIZE)
HEAD = Range(0, 2 * BLOCK)


@pytest.fixture
def file(blocks: Blocks) -> BlockFile:
    """A file whose first half was written by this process."""
    file = blocks.open_file(1, SIZE)
    blocks.write(file, 0, DATA[: 4 * MIB])
    return file


@pytest.fixture
def recorded(blocks: Blocks, tmp_path: Path) -> Iterator[tuple[Blocks, BlockFile]]:
    """A file that is whole, and was written by an earlier process."""
    fill(blocks, 1, DATA)
    again = Blocks(tmp_path / "blocks", 64 * MIB)
    again.open()
    file = again.open_file(1, SIZE)
    yield again, file
    again.close_file(file)


def of(part: Range) -> bytes:
    return DATA[part.start : part.stop]


def loaded(file: BlockFile, part: Range) -> bytes | None:
    """What a thread brings."""
    load = file.load(part)
    assert load is not None
    load.run()
    return file.loaded(load)


def flip(directory: Path, at: int) -> None:
    with (directory / "1.blocks").open("r+b") as file:
        file.seek(at)
        file.write(bytes([DATA[at] ^ 1]))


@pytest.mark.parametrize("part", [HEAD, Range(5, 6), Range(BLOCK - 1, 3 * BLOCK + 7), Range(0, 3 * MIB)])
def test_what_memory_has_is_answered_at_once(file: BlockFile, part: Range) -> None:
    """What was just written is there without a thread, however little or much of it is asked for."""
    assert file.peek(part) == of(part)


def test_what_is_absent_is_not_answered(file: BlockFile) -> None:
    """Neither at once nor by a thread is a range read of which a block is missing."""
    for part in (Range(4 * MIB - 1, 4 * MIB + 1), Range(SIZE - 1, SIZE)):
        assert file.peek(part) is None
        assert file.load(part) is None


def test_what_the_disk_has_to_be_waited_for(file: BlockFile) -> None:
    """Pages that memory has lost are brought by a thread, and then are there at once."""
    os.fsync(file.descriptor)
    os.posix_fadvise(file.descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    assert file.peek(HEAD) is None
    assert loaded(file, HEAD) == of(HEAD)
    assert file.peek(HEAD) == of(HEAD)


def test_a_file_system_that_cannot_tell(tmp_path: Path) -> None:
    """Where nobody knows what memory has, a thread reads, and nothing is wrong."""
    with small_disk(tmp_path / "disk", 4 * MIB) as disk:
        blocks = Blocks(disk / "blocks", MIB)
        blocks.open()
        file = blocks.open_file(1, 2 * BLOCK)
        blocks.write(file, 0, of(HEAD))
        assert file.peek(HEAD) in {None, of(HEAD)}
        assert file.read(HEAD) == of(HEAD)
        put_away(blocks, file)


def test_recorded_blocks_are_verified_before_they_are_believed(recorded: tuple[Blocks, BlockFile]) -> None:
    """What an earlier process left is not answered from memory before a thread has compared it."""
    _, file = recorded
    assert file.peek(HEAD) is None
    assert loaded(file, HEAD) == of(HEAD)
    assert file.peek(HEAD) == of(HEAD)


def test_a_sequential_reader_needs_one_thread_a_mebibyte(recorded: tuple[Blocks, BlockFile]) -> None:
    """What follows is verified with what was asked for, up to the file's end."""
    _, file = recorded
    threads = 0
    for start in range(0, SIZE, 128 * 1024):
        part = Range(start, min(SIZE, start + 128 * 1024))
        if file.peek(part) is None:
            threads += 1
            assert loaded(file, part) == of(part)
    assert threads <= 9


def test_a_random_reader_verifies_nothing_else(recorded: tuple[Blocks, BlockFile]) -> None:
    """A read far from the one before does not make the disk read what nobody asked for."""
    _, file = recorded
    here = Range(4 * MIB, 4 * MIB + BLOCK)
    assert loaded(file, here) == of(here)
    assert file.peek(here) == of(here)
    assert file.peek(Range(here.stop, here.stop + 1)) is None


def test_two_threads_verify_a_block_once(recorded: tuple[Blocks, BlockFile]) -> None:
    """Reads that overlap share the work, whichever thread begins, and each gets its bytes."""
    _, file = recorded
    later = Range(BLOCK, 3 * BLOCK)
    loads = [file.load(HEAD), file.load(later)]
    first, second = (load for load in loads if load is not None)
    assert first.checks == second.checks
    second.run()
    assert file.loaded(second) == of(later)
    first.run()
    assert file.loaded(first) == of(HEAD)


def test_a_load_that_nobody_runs_holds_up_nobody(recorded: tuple[Blocks, BlockFile]) -> None:
    """A reader that went away leaves what it wanted verified to the next one."""
    _, file = recorded
    assert file.load(HEAD) is not None
    assert loaded(file, HEAD) == of(HEAD)


def test_rot_is_absent_and_said_once(
    recorded: tuple[Blocks, BlockFile], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Blocks that are not what was recorded are fetched again, and their neighbours are not."""
    _, file = recorded
    for at in (10, 5 * BLOCK, SIZE - 1):
        flip(tmp_path / "blocks", at)
    for start in range(0, SIZE, BLOCK):
        part = Range(start, min(SIZE, start + BLOCK))
        assert file.read(part) in {None, of(part)}
    last = SIZE // BLOCK * BLOCK
    assert file.absent(Range(0, SIZE)) == [Range(0, BLOCK), Range(5 * BLOCK, 6 * BLOCK), Range(last, SIZE)]
    assert len(caplog.messages) == 1
    assert "1.blocks does not hold what was written into it" in caplog.text


@pytest.mark.parametrize("is_written_again", [False, True])
def test_a_block_that_goes_while_a_thread_reads(
    blocks: Blocks, file: BlockFile, *, is_written_again: bool
) -> None:
    """What was given back before or while it was read is not believed: a hole reads as zeros."""
    load = file.load(HEAD)
    assert load is not None
    file.evict(Range(0, 1), 1)
    load.run()
    assert load.data[:100] == bytes(100)
    if is_written_again:
        blocks.write(file, 0, DATA[:BLOCK])
    assert file.loaded(load) == (of(HEAD) if is_written_again else None)


def test_the_beginning_of_a_block_that_goes_while_a_thread_reads(blocks: Blocks, file: BlockFile) -> None:
    """Who brought it gave up: what a thread read after that is a hole."""
    part = Range(4 * MIB, 4 * MIB + 1000)
    blocks.reserve(file, Range(part.start, SIZE))
    os.pwrite(file.descriptor, of(part), part.start)
    file.wrote(part)
    load = file.load(part)
    assert load is not None
    blocks.release(file, Range(part.stop, SIZE))
    load.run()
    assert file.loaded(load) is None


def test_a_file_that_is_closed_while_a_thread_reads(
    recorded: tuple[Blocks, BlockFile], tmp_path: Path
) -> None:
    """Nobody asks for it any more, and nobody is shown what was not compared."""
    blocks, _ = recorded
    flip(tmp_path / "blocks", 10)
    file = blocks.open_file(1, SIZE)
    load = file.load(HEAD)
    assert load is not None
    blocks.discard(1)
    blocks.close_file(file)
    blocks.close_file(file)
    load.run()
    assert file.loaded(load) is None
    blocks.open_file(1, SIZE)


def test_a_thread_reads_its_own_file_whatever_happens(blocks: Blocks, file: BlockFile) -> None:
    """A file that is discarded and closed meanwhile is not mistaken for the one that got its number."""
    before = open_descriptors()
    load = file.load(HEAD)
    assert load is not None
    blocks.discard(1)
    blocks.close_file(file)
    other = blocks.open_file(2, SIZE)
    blocks.write(other, 0, pattern(SIZE, seed=7))
    load.run()
    assert load.data == of(HEAD)
    del load
    assert open_descriptors() == before


def test_what_is_being_written_anew_is_not_punched(
    recorded: tuple[Blocks, BlockFile], tmp_path: Path
) -> None:
    """A rotten block that another process has just overwritten stays as that left it."""
    blocks, file = recorded
    flip(tmp_path / "blocks", 10)
    load = file.load(HEAD)
    assert load is not None
    load.run()
    blocks.reserve(file, HEAD)
    os.pwrite(file.descriptor, of(HEAD), 0)
    assert file.loaded(load) is None
    assert file.wrote(HEAD)
    assert file.read(HEAD) == of(HEAD)


def test_others_may_write_into_it(blocks: Blocks, file: BlockFile) -> None:
    """Bytes that were put into the descriptor are there once that was told."""
    part = Range(4 * MIB, SIZE)
    assert fetch(blocks, file, part, DATA)
    assert file.peek(Range(SIZE - 1000, SIZE)) == DATA[-1000:]
    assert file.absent(Range(0, SIZE)) == []
