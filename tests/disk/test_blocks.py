"""The directory of blocks: what stays, what goes, and what an id means from one mount to the next."""

from pathlib import Path

import pytest

from block_contents import allocated, fill, open_descriptors, pattern, present, put_away
from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.disk.blocks import Blocks

SIZE = 2 * BLOCK + 10


def kept_ids(blocks: Blocks, ids: range, size: int = SIZE) -> list[int]:
    """The files of which every block is there."""
    kept = []
    for file_id in ids:
        file = blocks.open_file(file_id, size)
        kept += [file_id] if not file.absent(Range(0, size)) else []
        blocks.close_file(file)
    return kept


def reopened(directory: Path, limit: int) -> Blocks:
    blocks = Blocks(directory, limit)
    blocks.open()
    return blocks


def test_one_file_is_opened_once(blocks: Blocks) -> None:
    """Two readers of a file share its blocks; it is closed with the last of them."""
    before = open_descriptors()
    first = blocks.open_file(1, SIZE)
    assert blocks.open_file(1, SIZE) is first
    blocks.write(first, 0, b"a")
    assert open_descriptors() == before + 1
    blocks.close_file(first)
    assert open_descriptors() == before + 1
    blocks.close_file(first)
    assert open_descriptors() == before


def test_a_file_that_was_only_opened_leaves_nothing(blocks: Blocks, tmp_path: Path) -> None:
    """Opening ten thousand files without reading them does not fill the directory."""
    put_away(blocks, blocks.open_file(1, SIZE))
    assert list((tmp_path / "blocks").iterdir()) == []


def test_a_discarded_file_is_read_to_its_end(blocks: Blocks, tmp_path: Path) -> None:
    """Who has it open goes on; nobody finds it again, and its record is not written any more."""
    file = blocks.open_file(1, SIZE)
    blocks.write(file, 0, pattern(SIZE))
    blocks.discard(1)
    assert file.read(Range(0, SIZE)) == pattern(SIZE)
    put_away(blocks, file)
    assert list((tmp_path / "blocks").iterdir()) == []
    assert blocks.used == 0


def test_an_id_may_be_used_again_while_its_old_file_is_open(blocks: Blocks, tmp_path: Path) -> None:
    """Old readers see the old bytes and new ones the new, and only the new ones are kept."""
    old = blocks.open_file(1, SIZE)
    blocks.write(old, 0, pattern(SIZE, seed=1))
    blocks.discard(1)
    new = blocks.open_file(1, SIZE)
    assert new is not old
    blocks.write(new, 0, pattern(SIZE, seed=2))
    assert old.read(Range(0, SIZE)) == pattern(SIZE, seed=1)
    put_away(blocks, new)
    put_away(blocks, old)
    file = reopened(tmp_path / "blocks", 64 * BLOCK).open_file(1, SIZE)
    assert file.read(Range(0, SIZE)) == pattern(SIZE, seed=2)
    file.close()


def test_a_file_that_was_discarded_before_its_first_byte(blocks: Blocks, tmp_path: Path) -> None:
    """Its readers fetch, and read, to its end, and the one that has the id now is not touched by it."""
    old = blocks.open_file(1, SIZE)
    blocks.discard(1)
    new = blocks.open_file(1, SIZE)
    blocks.write(new, 0, pattern(SIZE, seed=2))
    blocks.write(old, 0, pattern(SIZE, seed=1))
    assert old.read(Range(0, SIZE)) == pattern(SIZE, seed=1)
    put_away(blocks, old)
    put_away(blocks, new)
    file = reopened(tmp_path / "blocks", 64 * BLOCK).open_file(1, SIZE)
    assert file.read(Range(0, SIZE)) == pattern(SIZE, seed=2)


def test_another_size_discards_what_was_there(blocks: Blocks) -> None:
    """A file that turns out to have another size begins anew, while its old readers go on."""
    old = blocks.open_file(1, SIZE)
    blocks.write(old, 0, pattern(SIZE))
    new = blocks.open_file(1, SIZE + BLOCK)
    assert present(new) == []
    assert old.read(Range(0, SIZE)) == pattern(SIZE)
    blocks.close_file(old)
    blocks.close_file(new)
    assert blocks.used == 0


def test_the_limit_holds_over_many_files(tmp_path: Path) -> None:
    """Before a byte is written, what was used least recently makes room for it."""
    blocks = reopened(tmp_path / "blocks", 12 * BLOCK)
    for file_id in range(10):
        fill(blocks, file_id, pattern(SIZE, file_id))
        assert allocated(tmp_path / "blocks") <= 12 * BLOCK
    assert kept_ids(blocks, range(10)) == [5, 6, 7, 8, 9]


def test_least_recently_used_over_remounts(tmp_path: Path) -> None:
    """What was only read, not fetched, in the last mount counts as used in it."""
    blocks = reopened(tmp_path / "blocks", 64 * BLOCK)
    for file_id in range(4):
        fill(blocks, file_id, pattern(SIZE, file_id))
    blocks = reopened(tmp_path / "blocks", 64 * BLOCK)
    file = blocks.open_file(0, SIZE)
    assert file.read(Range(0, SIZE)) == pattern(SIZE)
    put_away(blocks, file)
    blocks = reopened(tmp_path / "blocks", 5 * BLOCK)
    assert allocated(tmp_path / "blocks") <= 5 * BLOCK
    assert kept_ids(blocks, range(4)) == [0, 3]


def test_a_lower_limit_holds_from_the_start(tmp_path: Path) -> None:
    """A mount with a smaller limit than the last one frees the difference before it reads anything."""
    fill(reopened(tmp_path / "blocks", 64 * BLOCK), 1, pattern(20 * BLOCK))
    for limit in (18, 10, 5):
        blocks = reopened(tmp_path / "blocks", limit * BLOCK)
        assert allocated(tmp_path / "blocks") <= blocks.used <= limit * BLOCK


def test_strangers_and_leftovers(tmp_path: Path) -> None:
    """Files of others are left alone; records of a former kind, in files of their own, are cleared away."""
    directory = tmp_path / "blocks"
    directory.mkdir()
    for name in ("notes.blocks", "²3.blocks", "7.record", "7.1f.draft", "README"):
        (directory / name).write_bytes(b"something")
    blocks = reopened(directory, BLOCK)
    assert sorted(path.name for path in directory.iterdir()) == ["README", "notes.blocks", "²3.blocks"]
    assert blocks.used == 0


def test_the_directory_is_private(blocks: Blocks, tmp_path: Path) -> None:
    """Others of the machine cannot look into it."""
    fill(blocks, 1, pattern(10))
    assert (tmp_path / "blocks").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "blocks" / "1.blocks").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("size", [1, BLOCK, SIZE])
def test_a_spool_file_is_adopted(blocks: Blocks, tmp_path: Path, size: int) -> None:
    """What was uploaded is there to be read, in this mount and in later ones, and was not copied."""
    spooled = tmp_path / "17"
    spooled.write_bytes(pattern(size))
    inode = spooled.stat().st_ino
    file = blocks.adopt(1, size, spooled)
    assert file is not None
    assert file.read(Range(0, size)) == pattern(size)
    put_away(blocks, file)
    assert not spooled.exists()
    assert (tmp_path / "blocks" / "1.blocks").stat().st_ino == inode
    assert kept_ids(reopened(tmp_path / "blocks", 64 * BLOCK), range(1, 2), size) == [1]


def test_adopting_takes_the_place_of_what_the_id_meant_before(blocks: Blocks, tmp_path: Path) -> None:
    """Blocks and record of an id that is used again do not mix with what was uploaded."""
    fill(blocks, 1, pattern(SIZE, seed=5))
    spooled = tmp_path / "17"
    spooled.write_bytes(pattern(SIZE, seed=6))
    file = blocks.adopt(1, SIZE, spooled)
    assert file is not None
    put_away(blocks, file)
    again = reopened(tmp_path / "blocks", 64 * BLOCK).open_file(1, SIZE)
    assert again.read(Range(0, SIZE)) == pattern(SIZE, seed=6)
    again.close()


def test_adopting_makes_room_or_is_refused(tmp_path: Path) -> None:
    """The limit holds for what is adopted, and a file above it stays where it was."""
    blocks = reopened(tmp_path / "blocks", 4 * BLOCK)
    fill(blocks, 1, pattern(3 * BLOCK))
    spooled = tmp_path / "17"
    spooled.write_bytes(pattern(5 * BLOCK))
    assert blocks.adopt(2, 5 * BLOCK, spooled) is None
    assert spooled.exists()
    spooled.write_bytes(pattern(2 * BLOCK))
    file = blocks.adopt(2, 2 * BLOCK, spooled)
    assert file is not None
    put_away(blocks, file)
    assert allocated(tmp_path / "blocks") <= 4 * BLOCK
    assert kept_ids(blocks, range(1, 2), 3 * BLOCK) == []


def test_a_file_that_is_open_already_is_not_adopted(blocks: Blocks, tmp_path: Path) -> None:
    """Somebody reads the new id already: both have the same bytes, and one is enough."""
    file = blocks.open_file(1, SIZE)
    assert blocks.adopt(1, SIZE, tmp_path / "17") is None
    blocks.close_file(file)


def test_a_spool_that_is_missing_is_not_adopted(blocks: Blocks, tmp_path: Path) -> None:
    """What cannot be moved is not believed to be there."""
    assert blocks.adopt(1, SIZE, tmp_path / "missing") is None
    file = blocks.open_file(1, SIZE)
    assert present(file) == []
    blocks.close_file(file)
