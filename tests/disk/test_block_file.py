"""What a block file shows is what was written, whatever happened to the disk meanwhile."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from block_contents import allocated, fill, pattern, present, put_away
from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BLOCK, BlockFile
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.record import place_of
from minimaxfs.disk.sparse import punch

SIZE = 3 * BLOCK + 1000
DATA = pattern(SIZE)
FILE = 444795417354723


def reopened(directory: Path, size: int = SIZE) -> tuple[Blocks, BlockFile]:
    """What the next process finds."""
    blocks = Blocks(directory, 64 * BLOCK)
    blocks.open()
    return blocks, blocks.open_file(FILE, size)


@pytest.fixture
def kept(blocks: Blocks, tmp_path: Path) -> Path:
    """A directory in which the whole file is recorded."""
    fill(blocks, FILE, DATA)
    return tmp_path / "blocks"


def test_bytes_come_back(blocks: Blocks) -> None:
    """Any range of what was written is read, the short last block too."""
    file = blocks.open_file(FILE, SIZE)
    blocks.write(file, 0, DATA)
    for part in (Range(0, SIZE), Range(5, 7), Range(BLOCK - 1, 2 * BLOCK + 1), Range(SIZE - 1, SIZE)):
        assert file.read(part) == DATA[part.start : part.stop]
    blocks.close_file(file)


def test_bytes_come_in_pieces(blocks: Blocks) -> None:
    """Blocks are whole when all their bytes are, however they were cut."""
    file = blocks.open_file(FILE, SIZE)
    whole = [blocks.write(file, at, DATA[at : at + 7000]) for at in range(0, SIZE, 7000)]
    assert whole.count(True) == 3  # the last one makes two
    assert file.read(Range(0, SIZE)) == DATA
    blocks.close_file(file)


def test_what_was_not_written_is_absent(blocks: Blocks) -> None:
    """A range that touches a block that is not whole has no bytes, and its blocks are named as absent."""
    file = blocks.open_file(FILE, SIZE)
    blocks.write(file, BLOCK, DATA[BLOCK : 2 * BLOCK])
    assert file.read(Range(BLOCK - 1, BLOCK + 1)) is None
    assert file.absent(Range(0, SIZE)) == [Range(0, BLOCK), Range(2 * BLOCK, SIZE)]
    assert file.absent(Range(BLOCK + 5, BLOCK + 6)) == []
    blocks.close_file(file)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_every_size(blocks: Blocks, size: int) -> None:
    """Files of no byte, of one, and of a block more or less are kept like others."""
    data = pattern(size)
    fill(blocks, FILE, data)
    file = blocks.open_file(FILE, size)
    assert file.read(Range(0, size)) == data
    blocks.close_file(file)


@given(st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(1, SIZE)), max_size=12))
def test_only_gapless_writing_makes_a_block_whole(writes: list[tuple[int, int]]) -> None:
    """Writes in any order and of any length never show a byte that was not written."""
    written = bytearray(SIZE)
    with TemporaryDirectory() as directory:
        blocks, file = reopened(Path(directory))
        for offset, length in writes:
            chunk = DATA[offset : offset + length]
            blocks.write(file, offset, chunk)
            written[offset : offset + len(chunk)] = b"\1" * len(chunk)
        for index in present(file):
            span = Range(index * BLOCK, min(SIZE, (index + 1) * BLOCK))
            assert file.read(span) == DATA[span.start : span.stop]
            assert all(written[span.start : span.stop])
        blocks.close_file(file)


def test_a_record_outlives_the_process(kept: Path) -> None:
    """What was recorded is there for the next process, without a write."""
    blocks, file = reopened(kept)
    assert file.absent(Range(0, SIZE)) == []
    assert file.read(Range(0, SIZE)) == DATA
    blocks.close_file(file)


def test_a_process_that_was_killed_leaves_nothing_to_be_believed(blocks: Blocks, tmp_path: Path) -> None:
    """Bytes without a record are not shown, and their disk space is given back."""
    file = blocks.open_file(FILE, SIZE)
    blocks.write(file, 0, DATA)
    again, other = reopened(tmp_path / "blocks")
    assert other.absent(Range(0, SIZE)) == [Range(0, SIZE)]
    assert allocated(tmp_path / "blocks") == 0
    again.close_file(other)
    blocks.close_file(file)


def test_a_kill_after_a_record_keeps_what_it_says(blocks: Blocks, tmp_path: Path) -> None:
    """What was written since the last record is gone, from the disk too; the rest is shown."""
    fill(blocks, FILE, DATA[:BLOCK], SIZE)
    file = blocks.open_file(FILE, SIZE)
    blocks.write(file, BLOCK, DATA[BLOCK:])
    again, other = reopened(tmp_path / "blocks")
    assert present(other) == [0]
    assert allocated(tmp_path / "blocks") <= other.map.held < 2 * BLOCK
    again.close_file(other)
    blocks.close_file(file)


def test_every_flipped_byte_of_data_is_noticed(kept: Path) -> None:
    """A block of which any byte changed is absent, and the others are shown as they were."""
    path = kept / f"{FILE}.blocks"
    for at in [*range(0, SIZE, 4099), BLOCK - 1, BLOCK, SIZE - 1]:
        _flip(path, at)
        blocks, file = reopened(kept)
        assert present(file) == [index for index in range(4) if index != at // BLOCK]
        blocks.write(file, at // BLOCK * BLOCK, DATA[at // BLOCK * BLOCK : (at // BLOCK + 1) * BLOCK])
        assert file.read(Range(0, SIZE)) == DATA
        put_away(blocks, file)


def test_every_flipped_byte_of_a_record_is_noticed(kept: Path) -> None:
    """A record of which any byte changed says nothing at all."""
    path = kept / f"{FILE}.blocks"
    whole = path.read_bytes()
    for at in range(place_of(SIZE), len(whole)):
        _flip(path, at)
        blocks, file = reopened(kept)
        assert file.absent(Range(0, SIZE)) == [Range(0, SIZE)]
        blocks.close_file(file)
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "harm",
    [
        lambda _: b"",
        lambda content: content[:-1],
        lambda content: content[: place_of(SIZE)],
        lambda content: content[: place_of(SIZE)] + pattern(5000),
        lambda content: pattern(SIZE, seed=9) + content[SIZE:],
        lambda content: bytes(SIZE) + content[SIZE:],
        lambda content: bytes(len(content)),
        lambda _: pattern(5000),
    ],
)
def test_torn_files_are_never_shown(
    kept: Path, harm: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever was done to a file or to its record, no wrong byte comes out of it."""
    path = kept / f"{FILE}.blocks"
    path.write_bytes(harm(path.read_bytes()))
    blocks, file = reopened(kept)
    assert file.read(Range(0, SIZE)) is None
    assert present(file) == []
    blocks.write(file, 0, DATA)
    assert file.read(Range(0, SIZE)) == DATA
    blocks.close_file(file)
    assert len(caplog.messages) <= 1


@pytest.mark.parametrize("length", [*range(0, SIZE, 30_011), *range(place_of(SIZE), place_of(SIZE) + 60, 7)])
def test_a_kill_at_any_line(blocks: Blocks, tmp_path: Path, length: int) -> None:
    """A file that was cut anywhere, in its data or in its record, is right in what it shows."""
    fill(blocks, FILE, DATA)
    os.truncate(tmp_path / "blocks" / f"{FILE}.blocks", length)
    again, file = reopened(tmp_path / "blocks")
    assert file.read(Range(0, SIZE)) in {None, DATA}
    again.write(file, 0, DATA)
    put_away(again, file)
    assert present(reopened(tmp_path / "blocks")[1]) == [0, 1, 2, 3]


def test_a_record_without_its_data(kept: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Power failed when the record was on disk and its data was not: that is absent, and nobody's fault."""
    with (kept / f"{FILE}.blocks").open("r+b") as file:
        assert punch(file.fileno(), Range(BLOCK - 4096, BLOCK + 4096))
    blocks, again = reopened(kept)
    assert again.absent(Range(0, SIZE)) == [Range(0, 2 * BLOCK)]
    assert again.read(Range(2 * BLOCK, SIZE)) == DATA[2 * BLOCK :]
    blocks.close_file(again)
    assert caplog.messages == []


def test_a_file_under_another_name_is_not_believed(kept: Path) -> None:
    """What was renamed to the id of another file of the same size does not become that file."""
    (kept / f"{FILE}.blocks").rename(kept / "17.blocks")
    blocks = Blocks(kept, 64 * BLOCK)
    blocks.open()
    assert present(blocks.open_file(17, SIZE)) == []


def test_rot_is_not_vouched_for_by_a_later_record(kept: Path) -> None:
    """A process that never read a rotten block does not give it a new checksum."""
    _flip(kept / f"{FILE}.blocks", 2 * BLOCK + 5)
    blocks, file = reopened(kept)
    file.evict(Range(1, 2), 1)
    blocks.write(file, BLOCK, DATA[BLOCK : 2 * BLOCK])
    put_away(blocks, file)
    blocks, file = reopened(kept)
    assert present(file) == [0, 1, 3]
    blocks.close_file(file)


def test_another_size_is_another_file(kept: Path) -> None:
    """A file_id that comes with another size shows nothing of what was kept for the first."""
    blocks, file = reopened(kept, SIZE + 1)
    assert file.absent(Range(0, SIZE)) == [Range(0, SIZE + 1)]
    blocks.close_file(file)


def test_a_record_that_was_overtaken_is_not_kept(blocks: Blocks, tmp_path: Path) -> None:
    """A block that was lost and half written again while the record was made is not vouched for."""
    fill(blocks, FILE, DATA)
    file = blocks.open_file(FILE, SIZE)
    file.evict(Range(0, 1), 1)
    blocks.write(file, 0, DATA[:BLOCK])
    blocks.close_file(file)
    (record,) = blocks.to_record()
    file = blocks.open_file(FILE, SIZE)
    file.evict(Range(0, 1), 1)
    blocks.write(file, 0, DATA[: BLOCK - 100])  # no hole gives it away
    record.write()
    again, other = reopened(tmp_path / "blocks")
    assert 0 not in present(other)
    again.close_file(other)
    blocks.close_file(file)


def test_recording_twice_costs_the_second_time_nothing(kept: Path) -> None:
    """A file of which nothing new was fetched keeps its record as it is."""
    before = (kept / f"{FILE}.blocks").read_bytes()
    blocks, file = reopened(kept)
    assert file.read(Range(0, SIZE)) == DATA
    blocks.close_file(file)
    assert blocks.to_record() == []
    assert (kept / f"{FILE}.blocks").read_bytes() == before


def test_a_file_that_stays_open_is_recorded_when_it_is_quiet(blocks: Blocks, tmp_path: Path) -> None:
    """A kill takes what came lately, and not all that came while a file was open; a stream is left alone."""
    file = blocks.open_file(FILE, SIZE)
    for start in range(0, 2 * BLOCK, BLOCK):
        blocks.write(file, start, DATA[start : start + BLOCK])
        assert blocks.to_record() == []
    (record,) = blocks.to_record()
    record.write()
    assert blocks.to_record() == []
    blocks.write(file, 2 * BLOCK, DATA[2 * BLOCK :])
    assert blocks.to_record() == []
    assert present(reopened(tmp_path / "blocks")[1]) == [0, 1]
    blocks.close_file(file)


def test_a_failed_read_is_an_absent_block(
    blocks: Blocks, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that cannot give a block back costs another fetch, and no error."""
    file = blocks.open_file(FILE, SIZE)
    blocks.write(file, 0, DATA)
    os.truncate(tmp_path / "blocks" / f"{FILE}.blocks", BLOCK)
    assert file.read(Range(0, SIZE)) is None
    assert file.absent(Range(0, SIZE)) == [Range(0, SIZE)]
    blocks.close_file(file)
    assert len(caplog.messages) == 1


def test_a_failed_read_of_a_block_that_is_begun(blocks: Blocks, tmp_path: Path) -> None:
    """What came of a block before the disk failed does not count as its beginning."""
    file = blocks.open_file(FILE, SIZE)
    blocks.write(file, 0, DATA[:2000])
    os.truncate(tmp_path / "blocks" / f"{FILE}.blocks", 0)
    assert file.read(Range(0, 2000)) is None
    assert not blocks.write(file, 2000, DATA[2000:BLOCK])
    assert file.read(Range(0, 2000)) is None
    blocks.close_file(file)


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)
