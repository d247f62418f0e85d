"""Deletes and renames through the kernel."""

import errno
import os
import shutil
from contextlib import suppress

import pytest

from commands import eventually
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from mounted_drive import MountedDrive

VOICES = "voice_clone"


def filenames(drive: MountedDrive, purpose: str = VOICES) -> list[str]:
    return sorted(file.filename for file in drive.emulator.files(purpose))


def test_rm_is_one_delete(drive: MountedDrive) -> None:
    """`rm` deletes in the store, for one request, and the name is gone."""
    drive.emulator.add_file(VOICES, "a.wav", b"a")
    drive.emulator.add_file(VOICES, "b.wav", b"b")
    (drive / VOICES / "a.wav").unlink()
    assert os.listdir(drive / VOICES) == ["b.wav"]
    assert filenames(drive) == ["b.wav"]
    assert drive.emulator.requests == {"list": 1, "delete": 1}


def test_rm_of_a_whole_purpose(drive: MountedDrive) -> None:
    """`rm -r purpose/*` deletes every file, each for one request."""
    for number in range(50):
        drive.emulator.add_file(VOICES, "same.wav", str(number).encode())
    for path in sorted((drive / VOICES).iterdir()):
        path.unlink()
    assert filenames(drive) == []
    assert drive.emulator.requests == {"list": 1, "delete": 50}


def test_a_delete_that_the_store_refuses(drive: MountedDrive) -> None:
    """Where the store deletes nothing `rm` gets EPERM, and the file stays visible."""
    drive.emulator.add_file("video_generation_input", "a.png", b"a")
    with pytest.raises(PermissionError):
        (drive / "video_generation_input/a.png").unlink()
    assert os.listdir(drive / "video_generation_input") == ["a.png"]


def test_a_delete_that_fails_keeps_the_file(drive: MountedDrive) -> None:
    """A store that fails leaves the file where it is, and `rm` says so."""
    drive.expect("unlink .*EIO")
    drive.emulator.add_file(VOICES, "a.wav", b"a")
    assert os.listdir(drive / VOICES) == ["a.wav"]
    drive.emulator.inject(Fault(Operation.DELETE, Kind.STATUS, value=500, times=None))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        (drive / VOICES / "a.wav").unlink()
    assert os.listdir(drive / VOICES) == ["a.wav"]


def test_a_file_that_was_deleted_elsewhere_can_be_removed(drive: MountedDrive) -> None:
    """`rm` of a file that is gone already succeeds: it is gone."""
    gone = drive.emulator.add_file(VOICES, "a.wav", b"a")
    assert os.listdir(drive / VOICES) == ["a.wav"]
    drive.emulator.remove_file(gone)
    (drive / VOICES / "a.wav").unlink()
    assert os.listdir(drive / VOICES) == []


def test_an_open_file_can_be_deleted(drive: MountedDrive) -> None:
    """The name goes at once, its reader reads on, and the store is told after the last close."""
    data = os.urandom(9_000_000)
    drive.emulator.add_file(VOICES, "a.wav", data)
    with (drive / VOICES / "a.wav").open("rb", buffering=0) as file:
        assert file.read(1000) == data[:1000]
        (drive / VOICES / "a.wav").unlink()
        assert os.listdir(drive / VOICES) == []
        assert os.fstat(file.fileno()).st_size == len(data)
        assert os.pread(file.fileno(), len(data), 0)[:5_000_000] == data[:5_000_000]
        assert filenames(drive) == ["a.wav"]
    assert eventually(lambda: filenames(drive) == [])
    assert drive.emulator.requests["delete"] == 1


def test_a_delete_that_is_owed_outlives_the_daemon(drive: MountedDrive) -> None:
    """The daemon is killed while a deleted file is still open: the next one tells the store."""
    drive.emulator.add_file(VOICES, "a.wav", b"a")
    reader = os.open(drive / VOICES / "a.wav", os.O_RDONLY)
    (drive / VOICES / "a.wav").unlink()
    drive.kill()
    with suppress(OSError):  # the daemon is gone
        os.close(reader)
    assert filenames(drive) == ["a.wav"]
    drive.mount()
    assert eventually(lambda: filenames(drive) == [])
    assert os.listdir(drive / VOICES) == []


def test_mv_is_a_local_alias(drive: MountedDrive) -> None:
    """`mv` in a directory costs no request and is remembered; the file_id stays."""
    file_id = drive.emulator.add_file(VOICES, "a.wav", b"a")
    (drive / VOICES / "a.wav").rename(drive / VOICES / "b.wav")
    drive.remount()
    assert os.listdir(drive / VOICES) == ["b.wav"]
    assert os.getxattr(drive / VOICES / "b.wav", "user.minimax.file_id") == str(file_id).encode()
    assert os.getxattr(drive / VOICES / "b.wav", "user.minimax.filename") == b"a.wav"
    assert drive.emulator.requests == {"list": 2}


def test_mv_over_another_file(drive: MountedDrive) -> None:
    """The file that is replaced is deleted; nothing is sent."""
    drive.emulator.add_file(VOICES, "a.wav", b"a")
    drive.emulator.add_file(VOICES, "b.wav", b"b")
    (drive / VOICES / "a.wav").replace(drive / VOICES / "b.wav")
    assert os.listdir(drive / VOICES) == ["b.wav"]
    assert (drive / VOICES / "b.wav").read_bytes() == b"a"
    assert filenames(drive) == ["a.wav"]
    assert drive.emulator.requests["upload"] == 0


def test_mv_to_another_purpose_copies(drive: MountedDrive) -> None:
    """Across purposes rename is EXDEV, so `mv` copies and deletes."""
    drive.emulator.add_file(VOICES, "a.wav", b"a")
    with pytest.raises(OSError, match="cross-device"):
        (drive / VOICES / "a.wav").rename(drive / "prompt_audio/a.wav")
    shutil.move(drive / VOICES / "a.wav", drive / "prompt_audio/a.wav")
    assert filenames(drive) == []
    assert filenames(drive, "prompt_audio") == ["a.wav"]


def test_local_only_names_are_promoted_by_rename(drive: MountedDrive) -> None:
    """What a program writes beside and renames into place is one upload, under its real name."""
    texts = drive / "t2a_async_input"
    (texts / "f.txt").write_bytes(b"old")
    (texts / ".f.txt.Xy12ab").write_bytes(b"new")
    assert drive.emulator.requests["upload"] == 1
    (texts / ".f.txt.Xy12ab").replace(texts / "f.txt")
    assert os.listdir(texts) == ["f.txt"]
    assert (texts / "f.txt").read_bytes() == b"new"
    assert filenames(drive, "t2a_async_input") == ["f.txt"]
    assert drive.emulator.requests == {"list": 1, "upload": 2, "delete": 1}


def test_a_promotion_that_fails_changes_nothing(drive: MountedDrive) -> None:
    """The rename gets the upload's errno; both names stay what they were."""
    drive.expect("not stored|rename .*EDQUOT")
    texts = drive / "t2a_async_input"
    (texts / "f.txt").write_bytes(b"old")
    (texts / "f.txt.tmp").write_bytes(b"new")
    drive.emulator.inject(Fault(Operation.UPLOAD, Kind.CODE, value=1008))
    with pytest.raises(OSError, match=os.strerror(errno.EDQUOT)):
        (texts / "f.txt.tmp").replace(texts / "f.txt")
    assert sorted(os.listdir(texts)) == ["f.txt", "f.txt.tmp"]
    assert (texts / "f.txt").read_bytes() == b"old"
    assert (texts / "f.txt.tmp").read_bytes() == b"new"


def test_changes_made_elsewhere_show(drive: MountedDrive) -> None:
    """A listing older than 60 s is asked for again on use, and the kernel forgets what vanished."""
    first = drive.emulator.add_file(VOICES, "a.wav", b"a")
    assert os.listdir(drive / VOICES) == ["a.wav"]
    drive.emulator.remove_file(first)
    drive.emulator.add_file(VOICES, "b.wav", b"b")
    assert os.listdir(drive / VOICES) == ["a.wav"]
    assert eventually(lambda: os.listdir(drive / VOICES) == ["b.wav"], limit=70)
    assert eventually(lambda: not (drive / VOICES / "a.wav").exists(), limit=10)
    assert drive.emulator.requests == {"list": 2}
