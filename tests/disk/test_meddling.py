"""A cache directory in which others were at work: fetched again, said once, nothing of theirs touched."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from block_contents import fill, open_descriptors, pattern, present, put_away, record
from minimaxfs.core.errors import LocalDiskFull, LocalFault
from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.disk.blocks import Blocks

SIZE = 2 * BLOCK + 10
DATA = pattern(SIZE)
WHOLE = Range(0, SIZE)


def link_out(path: Path) -> None:
    outside = path.parent.parent / "outside"
    path.rename(outside)
    path.symlink_to(outside)


def link_twice(path: Path) -> None:
    os.link(path, path.parent.parent / "outside")


def directory_of_others(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "theirs").write_bytes(b"theirs")


def empty_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/at/all")


HARMS: list[Callable[[Path], object]] = [
    link_out,
    link_twice,
    directory_of_others,
    empty_directory,
    pipe,
    dangling_link,
    lambda path: path.chmod(0o644),
    lambda path: os.chown(path, 12345, 12345),
    lambda path: path.unlink(),
]


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("is_remounted", [False, True])
def test_what_is_not_ours_is_fetched_again(
    blocks: Blocks,
    tmp_path: Path,
    harm: Callable[[Path], object],
    caplog: pytest.LogCaptureFixture,
    *,
    is_remounted: bool,
) -> None:
    """Whatever has the name of a block file, reading goes on, one line says so, and what is theirs stays."""
    fill(blocks, 1, DATA)
    path = tmp_path / "blocks/1.blocks"
    kept = path.read_bytes()
    harm(path)
    is_noticed = not is_remounted or os.path.lexists(path)
    if is_remounted:
        blocks = Blocks(tmp_path / "blocks", 64 * BLOCK)
        blocks.open()
    for _ in range(2):
        file = blocks.open_file(1, SIZE)
        if file.absent(WHOLE):
            blocks.write(file, 0, DATA)
        assert file.read(WHOLE) == DATA
        put_away(blocks, file)
    outside = tmp_path / "outside"
    assert not outside.exists() or outside.read_bytes() == kept
    theirs = path / "theirs"
    assert harm is not directory_of_others or theirs.read_bytes() == b"theirs"
    assert [str(path) in message for message in caplog.messages] == [True] * is_noticed


def test_the_directory_is_deleted_under_the_drive(
    blocks: Blocks, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Readers go on with what they have open, later ones fetch again, and the directory is made anew."""
    for file_id in range(2, 12):
        fill(blocks, file_id, DATA)
    file = blocks.open_file(1, SIZE)
    blocks.write(file, 0, DATA)
    shutil.rmtree(tmp_path / "blocks")
    assert file.read(WHOLE) == DATA
    for file_id in range(2, 12):
        other = blocks.open_file(file_id, SIZE)
        assert present(other) == []
        blocks.write(other, 0, DATA)
        put_away(blocks, other)
    assert file.read(WHOLE) == DATA
    put_away(blocks, file)
    assert len(caplog.messages) == 1
    assert sorted(os.listdir(tmp_path / "blocks")) == sorted(f"{file_id}.blocks" for file_id in range(2, 12))
    again = Blocks(tmp_path / "blocks", 64 * BLOCK)
    again.open()
    assert present(again.open_file(5, SIZE)) == [0, 1, 2]


def test_the_directory_is_deleted_before_a_file_is_recorded(blocks: Blocks, tmp_path: Path) -> None:
    """A file that was closed and has no name any more is no reason to fail."""
    file = blocks.open_file(1, SIZE)
    blocks.write(file, 0, DATA)
    blocks.close_file(file)
    shutil.rmtree(tmp_path / "blocks")
    record(blocks)
    again = blocks.open_file(1, SIZE)
    assert present(again) == []
    blocks.write(again, 0, DATA)
    put_away(blocks, again)
    assert os.listdir(tmp_path / "blocks") == ["1.blocks"]


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    """At the start it is an error with an errno; later it is a disk without room."""
    before = open_descriptors()
    (tmp_path / "file").write_bytes(b"")
    blocks = Blocks(tmp_path / "file", 64 * BLOCK)
    with pytest.raises(LocalFault):
        blocks.open()
    file = blocks.open_file(1, SIZE)
    with pytest.raises(LocalDiskFull):
        blocks.write(file, 0, DATA)
    assert file.read(WHOLE) is None
    assert file.absent(WHOLE) == [WHOLE]
    blocks.close_file(file)
    assert open_descriptors() == before


def test_no_descriptor_is_left_for_the_cache(blocks: Blocks, tmp_path: Path) -> None:
    """A file that cannot be opened now is read by the side of the disk, and is not given up for it."""
    fill(blocks, 1, DATA)
    taken = []
    try:
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        file = blocks.open_file(1, SIZE)
        with pytest.raises(LocalDiskFull):
            blocks.write(file, 0, DATA)
        blocks.close_file(file)
    finally:
        for fd in taken:
            os.close(fd)
    again = Blocks(tmp_path / "blocks", 64 * BLOCK)
    again.open()
    assert present(again.open_file(1, SIZE)) == [0, 1, 2]
