"""`minimaxfs explain`, after things went wrong on a real mount."""

import errno
from pathlib import Path

import pytest

from drive_commands import TEXTS, command
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from mounted_drive import MountedDrive

VOICES = "voice_clone"


def explained(drive: MountedDrive, path: Path) -> str:
    done = command(drive, "explain", path)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_refused_upload_is_explained(drive: MountedDrive) -> None:
    """Code, message and trace id of the store, the errno that the program got, and what to do."""
    drive.expect("not stored|EDQUOT")
    drive.emulator.inject(Fault(Operation.UPLOAD, Kind.CODE, value=1008, text="insufficient balance"))
    path = drive / TEXTS / "a.txt"
    with pytest.raises(OSError, match="quota"):
        path.write_bytes(b"text")
    told = explained(drive, path)
    assert told.startswith(
        f"{path}: close failed 0 s ago with EDQUOT (Disk quota exceeded), because upload of"
    )
    assert "the store answered 1008 (insufficient balance), trace id " in told
    assert "It means that the account's balance or quota is used up." in told
    assert "What to do: " in told
    assert "kept here (failed)" in told
    assert command(drive, "retry", path).returncode == 0
    assert explained(drive, path).endswith("The store has a file of this name now.\n")
    shown = command(drive, "status").stdout
    assert f"of {TEXTS}/a.txt: Disk quota exceeded: " in shown


def test_what_an_earlier_mount_left_is_explained(drive: MountedDrive) -> None:
    """The record of failures ends with the mount; the journal keeps why a file is not stored."""
    drive.expect("not stored|EDQUOT")
    drive.emulator.inject(Fault(Operation.UPLOAD, Kind.CODE, value=1008, text="insufficient balance"))
    path = drive / TEXTS / "a.txt"
    with pytest.raises(OSError, match="quota"):
        path.write_bytes(b"text")
    drive.remount()
    told = explained(drive, path)
    assert f"{path}: not stored (failed): " in told
    assert "insufficient balance" in told


def test_a_file_that_could_not_be_made_is_explained(drive: MountedDrive) -> None:
    """There is nothing at the path, and yet something to say."""
    drive.expect("EINVAL")
    path = drive / VOICES / "a.exe"
    with pytest.raises(OSError, match="Invalid argument"):
        path.write_bytes(b"text")
    assert "create failed 0 s ago with EINVAL (Invalid argument), because voice_clone does not take" in (
        explained(drive, path)
    )
    with pytest.raises(PermissionError):
        (drive / VOICES / "folder").mkdir()
    assert "fixed directories" in explained(drive, drive / VOICES / "folder")


def test_a_file_that_cannot_be_read_is_explained(drive: MountedDrive) -> None:
    """The request that failed may be one that no program asked for."""
    drive.expect("EACCES")
    drive.emulator.add_file(VOICES, "a.wav", b"x")
    drive.emulator.inject(Fault(Operation.RETRIEVE, Kind.CODE, value=1004, text="login fail", times=None))
    with pytest.raises(PermissionError) as failed:
        (drive / VOICES / "a.wav").read_bytes()
    assert failed.value.errno == errno.EACCES
    told = explained(drive, drive / VOICES / "a.wav")
    assert "the store answered 1004 (login fail)" in told
    assert "It means that the store does not accept the key." in told


def test_names_that_are_only_looked_for_are_no_failures(drive: MountedDrive) -> None:
    """Programs look for many names; that one is not there is no news."""
    assert not (drive / VOICES / "no.wav").exists()
    assert "nothing has failed there" in explained(drive, drive / VOICES / "no.wav")
    assert "errors    none" in command(drive, "status").stdout
    done = command(drive, "explain", drive.home)
    assert (done.returncode, done.stdout) == (1, "")
