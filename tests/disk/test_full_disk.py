"""A disk that others have filled: what is kept makes room, and what cannot be kept is an error in words."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from block_contents import fill, pattern, present, put_away
from minimaxfs.core.errors import LocalDiskFull
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.spool import Spool
from small_disk import fill_up, small_disk

MIB = 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 4 * MIB) as disk:
        yield disk


@pytest.fixture
def crowded(disk: Path) -> Blocks:
    """Blocks whose own limit is far away."""
    blocks = Blocks(disk / "blocks", 1024 * MIB)
    blocks.open()
    return blocks


def test_old_blocks_make_room_for_new_ones(crowded: Blocks) -> None:
    """A disk that is full is no reason not to read: the least recently used goes."""
    file = crowded.open_file(1, 200 * BLOCK)
    data = pattern(200 * BLOCK)
    for index in range(200):
        crowded.write(file, index * BLOCK, data[index * BLOCK : (index + 1) * BLOCK])
    assert present(file)[-10:] == list(range(190, 200))
    crowded.close_file(file)


def test_closed_files_make_room_first(disk: Path, crowded: Blocks) -> None:
    """Others fill the disk while a file is read: files that nobody reads are given up for it."""
    for file_id in range(10):
        fill(crowded, file_id, pattern(2 * BLOCK))
    fill_up(disk / "others")
    file = crowded.open_file(99, 4 * BLOCK)
    crowded.write(file, 0, pattern(4 * BLOCK))
    assert present(file) == [0, 1, 2, 3]
    crowded.close_file(file)


def test_a_disk_without_any_room(disk: Path, crowded: Blocks) -> None:
    """Where nothing is left to give up, the error says so; later, with room, the same file works."""
    file = crowded.open_file(1, BLOCK)
    fill_up(disk / "others")
    with pytest.raises(LocalDiskFull):
        crowded.write(file, 0, pattern(BLOCK))
    assert present(file) == []
    (disk / "others").unlink()
    crowded.write(file, 0, pattern(BLOCK))
    assert present(file) == [0]
    crowded.close_file(file)


def test_a_record_that_has_no_room(disk: Path, crowded: Blocks, caplog: pytest.LogCaptureFixture) -> None:
    """A file whose record cannot be written is given up: it would only take room from what can be kept."""
    file = crowded.open_file(1, 2 * BLOCK)
    crowded.write(file, 0, pattern(2 * BLOCK))
    fill_up(disk / "others")
    put_away(crowded, file)
    assert list((disk / "blocks").iterdir()) == []
    assert caplog.messages == ["blocks of file 1 are not kept: record blocks: the local disk is full"]
    (disk / "others").unlink()
    fill(crowded, 1, pattern(2 * BLOCK))
    again = Blocks(disk / "blocks", 1024 * MIB)
    again.open()
    assert present(again.open_file(1, 2 * BLOCK)) == [0, 1]


def test_the_spool_says_that_the_disk_is_full(disk: Path) -> None:
    """What is being written into the drive is refused with an errno, and what was taken stays."""
    spool = Spool(disk / "spool")
    spool.open()
    file = spool.file(1)
    file.write(0, b"first")
    fill_up(disk / "others")
    with pytest.raises(LocalDiskFull):
        file.write(0, bytes(MIB))
    assert file.read(0, 5) in {b"first", bytes(5)}
    (disk / "others").unlink()
    file.write(0, bytes(MIB))
    spool.close()


def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path: Path) -> None:
    """`ulimit -f` ends a write with EFBIG, which is said as what it is for the one who writes."""
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from minimaxfs.core.errors import LocalDiskFull\n"
        "from minimaxfs.disk.spool import SpoolFile\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "file = SpoolFile(Path(sys.argv[1]))\n"
        "try: file.write(0, bytes(100_000))\n"
        "except LocalDiskFull as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "spooled")], check=True, capture_output=True, text=True
    )
    assert done.stdout == "write to the spool: the local disk is full\n"
