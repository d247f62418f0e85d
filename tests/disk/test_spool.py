"""The spool: bytes that only this machine has."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from block_contents import open_descriptors
from minimaxfs.disk.spool import Spool


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool")
    spool.open()
    yield spool
    spool.close()


def test_bytes_at_any_offset(spool: Spool) -> None:
    """Holes read as zeros, the end cuts a read short, and the size is that of the furthest byte."""
    file = spool.file(1)
    file.write(100, b"later")
    file.write(0, b"first")
    assert file.size == 105
    assert file.read(0, 10) == b"first" + bytes(5)
    assert file.read(100, 1000) == b"later"
    assert file.read(105, 10) == b""


def test_cut_and_extended(spool: Spool) -> None:
    """What was cut off does not come back when the file grows again."""
    file = spool.file(1)
    file.write(0, b"abcdef")
    file.truncate(3)
    file.truncate(6)
    assert file.read(0, 10) == b"abc" + bytes(3)


def test_bytes_outlive_the_process(spool: Spool, tmp_path: Path) -> None:
    """A sealed draft is there for the next mount, under its key."""
    file = spool.file(17)
    file.write(0, b"precious")
    file.seal()
    spool.close()
    assert Spool(tmp_path / "spool").path(17).read_bytes() == b"precious"


def test_descriptors_are_given_back(spool: Spool) -> None:
    """A draft is opened once, and released as often as one likes."""
    before = open_descriptors()
    assert spool.file(1) is spool.file(1)
    spool.file(2)
    assert open_descriptors() == before + 2
    spool.release(1)
    spool.release(1)
    spool.remove(2)
    assert open_descriptors() == before


def test_removing_is_final_and_may_be_repeated(spool: Spool) -> None:
    """A draft that is not wanted leaves no bytes."""
    spool.file(1).write(0, b"x")
    spool.remove(1)
    spool.remove(1)
    assert not spool.path(1).exists()
    assert spool.file(1).size == 0


def test_it_is_private(spool: Spool, tmp_path: Path) -> None:
    """Nobody else of the machine can read what is being uploaded."""
    spool.file(1)
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert spool.path(1).stat().st_mode & 0o777 == 0o600
