"""Promises where several things happen at once: a death, a delete, a rename, another writer."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from commands import eventually
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from mounted_drive import MountedDrive

TEXTS = "t2a_async_input"
SLOW = Fault(Operation.UPLOAD, Kind.DELAY, value=1.5)


def stored(drive: MountedDrive, purpose: str = TEXTS) -> dict[str, bytes]:
    files = drive.emulator.files(purpose)
    assert len({file.filename for file in files}) == len(files)
    return {file.filename: drive.emulator.content(file.file_id) for file in files}


def state(path: Path) -> str:
    return os.getxattr(path, "user.minimax.state").decode()


@contextmanager
def being_sent(drive: MountedDrive, path: Path, data: bytes) -> Iterator[None]:
    """While the block runs the store has the bytes, and has not answered."""
    drive.emulator.inject(SLOW)

    def copy() -> None:
        with suppress(OSError):
            path.write_bytes(data)

    before = drive.emulator.requests["upload"]
    copier = threading.Thread(target=copy)
    copier.start()
    assert eventually(lambda: drive.emulator.requests["upload"] > before and state(path) == "sending")
    yield
    copier.join(30)


def test_half_a_file_is_not_sent_by_who_looks_at_it(drive: MountedDrive) -> None:
    """After kill -9 reading what is half there sends nothing; the good version stays in the store."""
    path = drive / TEXTS / "f.txt"
    path.write_bytes(b"good and whole")
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
    os.write(descriptor, b"half")
    drive.kill()
    with suppress(OSError):
        os.close(descriptor)
    drive.mount()
    assert path.read_bytes() == b"half"
    os.close(os.open(path, os.O_RDWR))
    subprocess.run(["cat", path], check=True, capture_output=True)
    drive.remount()
    assert path.read_bytes() == b"half"
    assert stored(drive) == {"f.txt": b"good and whole"}
    path.write_bytes(b"whole again")
    assert stored(drive) == {"f.txt": b"whole again"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_refused_write_fails_every_close(drive: MountedDrive, order: tuple[int, int]) -> None:
    """A file of which a part was refused is not sent by the close of another descriptor."""
    drive.expect("EFBIG")
    path = drive / "voice_clone/a.mp3"
    both = [os.open(path, os.O_CREAT | os.O_WRONLY), os.open(path, os.O_WRONLY)]
    os.pwrite(both[0], b"x" * 1000, 20 * 1024 * 1024 - 1000)
    with pytest.raises(OSError, match="File too large"):
        os.pwrite(both[0], b"x" * 1000, 20 * 1024 * 1024)
    for index in order:
        with pytest.raises(OSError, match="File too large"):
            os.close(both[index])
    assert stored(drive, "voice_clone") == {}


def test_rm_during_an_upload_is_a_delete(drive: MountedDrive) -> None:
    """What arrives in the store after its name has gone does not stay there."""
    path = drive / TEXTS / "f.txt"
    path.write_bytes(b"old")
    with being_sent(drive, path, b"new"):
        path.unlink()
    assert eventually(lambda: stored(drive) == {})
    assert os.listdir(drive / TEXTS) == []


def test_rm_and_kill_nine_during_an_upload(drive: MountedDrive) -> None:
    """A delete that was accepted while the file was sent outlives the daemon."""
    path = drive / TEXTS / "f.txt"
    with being_sent(drive, path, b"new"):
        path.unlink()
        drive.kill()
    drive.mount()
    assert eventually(lambda: stored(drive) == {})
    assert os.listdir(drive / TEXTS) == []


def test_mv_and_kill_nine_during_an_upload(drive: MountedDrive) -> None:
    """So does a rename."""
    path = drive / TEXTS / "f.txt"
    with being_sent(drive, path, b"new"):
        path.rename(drive / TEXTS / "g.txt")
        drive.kill()
    drive.mount()
    assert os.listdir(drive / TEXTS) == ["g.txt"]
    assert eventually(lambda: state(drive / TEXTS / "g.txt") == "stored")
    assert list(stored(drive).values()) == [b"new"]


def test_a_store_that_is_slow_to_show_a_file(drive: MountedDrive) -> None:
    """A body that went whole, without an answer, is waited for before it is sent again."""
    path = drive / TEXTS / "f.txt"
    os.listdir(drive / TEXTS)
    drive.emulator.inject(Fault(Operation.UPLOAD, Kind.LOSE_REPLY))
    drive.emulator.inject(Fault(Operation.LIST, Kind.CODE, value=0, text="success", times=2))
    path.write_bytes(b"text")
    assert stored(drive) == {"f.txt": b"text"}
    assert drive.emulator.requests["upload"] == 1


@pytest.mark.parametrize("way", ["--rename=alias", "--rename=upload"])
def test_a_file_that_is_renamed_over_is_read_on(drive_with: Callable[..., MountedDrive], way: str) -> None:
    """Readers of the replaced file keep their bytes; it leaves the store after the last of them."""
    drive = drive_with(way)
    old, new = drive / TEXTS / "f.txt", drive / TEXTS / "n.txt"
    drive.emulator.add_file(TEXTS, "f.txt", b"0123456789" * 30_000)
    os.listdir(drive / TEXTS)
    reader = os.open(old, os.O_RDONLY)
    writer = os.open(new, os.O_CREAT | os.O_WRONLY)
    os.write(writer, b"new")
    new.replace(old)
    assert os.pread(reader, 300_001, 0) == b"0123456789" * 30_000
    os.close(writer)
    assert old.read_bytes() == b"new"
    os.close(reader)
    assert eventually(lambda: len(drive.emulator.files(TEXTS)) == 1)
    assert stored(drive) == {"f.txt": b"new"}


def test_an_unlinked_file_can_be_truncated(drive: MountedDrive) -> None:
    """A temporary file that has lost its name is still a file."""
    path = drive / TEXTS / "f.txt"
    with path.open("w+b", buffering=0) as file:
        file.write(b"text")
        path.unlink()
        os.ftruncate(file.fileno(), 2)
        file.seek(0)
        assert file.read() == b"te"
    assert drive.emulator.requests["upload"] == 0


def test_backups_stay_here_where_renames_are_uploads(drive_with: Callable[..., MountedDrive]) -> None:
    """With --rename=upload a name that stays here is an alias all the same."""
    drive = drive_with("--rename=upload")
    drive.emulator.add_file(TEXTS, "f.txt", b"text")
    os.listdir(drive / TEXTS)
    (drive / TEXTS / "f.txt").rename(drive / TEXTS / "f.txt~")
    assert os.listdir(drive / TEXTS) == ["f.txt~"]
    assert drive.emulator.requests["upload"] == 0


def test_what_waits_stays_here_once_its_name_does(drive_with: Callable[..., MountedDrive]) -> None:
    """A waiting upload that is renamed to a backup is not sent; what takes its place is."""
    drive = drive_with("--write-back")
    drive.expect("showing what is known")
    os.listdir(drive / TEXTS)
    with drive.emulator.offline():
        (drive / TEXTS / "f.txt").write_bytes(b"one")
        (drive / TEXTS / "f.txt").rename(drive / TEXTS / "f.txt~")
        (drive / TEXTS / "f.txt").write_bytes(b"two")
    assert eventually(lambda: state(drive / TEXTS / "f.txt") == "stored")
    assert stored(drive) == {"f.txt": b"two"}
    assert state(drive / TEXTS / "f.txt~") == "open"
