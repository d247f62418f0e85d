"""How programs of every kind save files: flags of rename, synchronous writes, lock files, downloads."""

import ctypes
import errno
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from commands import eventually
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from mounted_drive import MountedDrive

TEXTS = "t2a_async_input"

AT_FDCWD = -100
RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2

libc = ctypes.CDLL(None, use_errno=True)


def renameat2(old: Path, new: Path, flags: int) -> int:
    """Answer 0 or the errno."""
    done = libc.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags)
    return 0 if done == 0 else ctypes.get_errno()


def stored(drive: MountedDrive) -> dict[str, bytes]:
    files = drive.emulator.files(TEXTS)
    assert len({file.filename for file in files}) == len(files)
    return {file.filename: drive.emulator.content(file.file_id) for file in files}


def test_rename_without_replacing(drive: MountedDrive) -> None:
    """RENAME_NOREPLACE spares a file that is there, and renames to a free name."""
    for name in ("a.txt", "b.txt"):
        drive.emulator.add_file(TEXTS, name, name.encode())
    texts = drive / TEXTS
    assert renameat2(texts / "a.txt", texts / "b.txt", RENAME_NOREPLACE) == errno.EEXIST
    assert renameat2(texts / "a.txt", texts / "c.txt", RENAME_NOREPLACE) == 0
    assert sorted(os.listdir(texts)) == ["b.txt", "c.txt"]


def test_names_cannot_be_exchanged(drive: MountedDrive) -> None:
    """RENAME_EXCHANGE is answered as by every file system that does not know it, and changes nothing."""
    for name in ("a.txt", "b.txt"):
        drive.emulator.add_file(TEXTS, name, name.encode())
    assert renameat2(drive / TEXTS / "a.txt", drive / TEXTS / "b.txt", RENAME_EXCHANGE) == errno.EINVAL
    assert (drive / TEXTS / "a.txt").read_bytes() == b"a.txt"


@pytest.mark.parametrize("flag", [os.O_SYNC, os.O_DSYNC])
def test_synchronous_writes_tell_the_truth(drive: MountedDrive, flag: int) -> None:
    """When a write with O_SYNC returns the store has it; older versions go, and the close sends nothing."""
    descriptor = os.open(drive / TEXTS / "f.txt", os.O_CREAT | os.O_WRONLY | flag)
    for part, whole in ((b"one ", b"one "), (b"two", b"one two")):
        os.write(descriptor, part)
        assert stored(drive) == {"f.txt": whole}
    os.close(descriptor)
    assert (drive.emulator.requests["upload"], drive.emulator.requests["delete"]) == (2, 1)


def test_a_file_that_was_being_written_is_shown_and_said(drive: MountedDrive) -> None:
    """After kill -9 half a file is kept and named as such; it is not sent by itself."""
    path = drive / TEXTS / "f.txt"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, b"half")
    drive.kill()
    with pytest.raises(OSError, match="not connected"):
        os.close(descriptor)
    drive.mount()
    assert path.read_bytes() == b"half"
    assert os.getxattr(path, "user.minimax.state") == b"open"
    assert b"half a file" in os.getxattr(path, "user.minimax.error")
    assert drive.emulator.requests["upload"] == 0


def test_a_browser_downloads_into_the_drive(drive: MountedDrive) -> None:
    """A placeholder, a `.part` that grows, and a rename over the placeholder: one upload, nothing left."""
    texts = drive / TEXTS
    (texts / "book.txt").touch()
    with (texts / "book.txt.part").open("wb", buffering=0) as part:
        for number in range(10):
            part.write(b"%d\n" % number)
    (texts / "book.txt.part").replace(texts / "book.txt")
    assert os.listdir(texts) == ["book.txt"]
    assert stored(drive) == {"book.txt": b"".join(b"%d\n" % number for number in range(10))}
    assert drive.emulator.requests == {"list": 1, "upload": 1}


def test_an_office_locks_and_saves(drive: MountedDrive) -> None:
    """A lock file beside the document, a new version by a temporary name: one upload and one delete."""
    texts = drive / TEXTS
    (texts / "letter.txt").write_bytes(b"old")
    (texts / ".~lock.letter.txt#").write_bytes(b"me")
    (texts / "lu123.tmp").write_bytes(b"new")
    (texts / "lu123.tmp").replace(texts / "letter.txt")
    (texts / ".~lock.letter.txt#").unlink()
    assert os.listdir(texts) == ["letter.txt"]
    assert stored(drive) == {"letter.txt": b"new"}
    assert (drive.emulator.requests["upload"], drive.emulator.requests["delete"]) == (2, 1)


def test_a_backup_is_made_by_renaming(drive: MountedDrive) -> None:
    """An editor that moves the old file aside, writes anew and removes the backup: one upload, one delete."""
    path = drive / TEXTS / "f.txt"
    path.write_bytes(b"old")
    path.rename(drive / TEXTS / "f.txt~")
    path.write_bytes(b"new")
    (drive / TEXTS / "f.txt~").unlink()
    assert stored(drive) == {"f.txt": b"new"}
    assert (drive.emulator.requests["upload"], drive.emulator.requests["delete"]) == (2, 1)


def test_copies_through_kills_and_faults(drive: MountedDrive) -> None:
    """Copies repeated until they are accepted, through kill -9 and failing uploads, are there once."""
    drive.expect("not stored|close .*E|showing what is known|not deleted")
    chance = random.Random(5)
    contents = {
        f"{number}.txt": chance.randbytes(chance.choice([10, 5000, 100_000])) for number in range(120)
    }
    is_up, is_over = threading.Event(), threading.Event()
    is_up.set()

    def trouble() -> None:
        for kind in [Kind.RESET, Kind.LOSE_REPLY, Kind.GARBAGE, Kind.RESET, Kind.LOSE_REPLY]:
            drive.emulator.inject(Fault(Operation.UPLOAD, kind))
            is_over.wait(chance.uniform(0.1, 0.5))
            is_up.clear()
            drive.kill()
            drive.mount()
            is_up.set()

    def copy(name: str) -> None:
        for _ in range(1000):
            is_up.wait(30)
            try:
                (drive / TEXTS / name).write_bytes(contents[name])
            except OSError:
                is_over.wait(0.02)
            else:
                return
        raise AssertionError(name)

    troubler = threading.Thread(target=trouble)
    troubler.start()
    with ThreadPoolExecutor(4) as copiers:
        list(copiers.map(copy, contents))
    troubler.join()
    os.listdir(drive / TEXTS)
    assert eventually(lambda: len(drive.emulator.files(TEXTS)) <= len(contents))
    assert stored(drive) == contents
    assert {path.name: path.read_bytes() for path in (drive / TEXTS).iterdir()} == contents
