"""Uploads under a person's eye: seen, retried, discarded."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import eventually
from drive_commands import TEXTS, command, listed, state, stored
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from mounted_drive import MountedDrive

REFUSED = Fault(Operation.UPLOAD, Kind.CODE, value=1026, text="content refused", times=None)

Mounting = Callable[..., MountedDrive]


def write_refused(path: Path, data: bytes) -> None:
    with pytest.raises(OSError, match=r"Invalid argument"):
        path.write_bytes(data)


def test_a_refused_upload_is_seen_retried_and_stored(drive: MountedDrive) -> None:
    """The table says why; `retry` fails while the store refuses, and is 0 once the store has the file."""
    drive.expect("not stored|EINVAL")
    drive.emulator.inject(REFUSED)
    path = drive / TEXTS / "a.txt"
    write_refused(path, b"text")
    row = listed(drive)[f"{TEXTS}/a.txt"]
    assert (row["state"], row["size"]) == ("failed", 4)
    assert "content refused" in str(row["why"])
    shown = command(drive, "uploads").stdout
    assert str(path) in shown
    assert "content refused" in shown
    again = command(drive, "retry", path)
    assert again.returncode == 1
    assert "content refused" in again.stderr.splitlines()[0]
    assert len(again.stderr.splitlines()) == 2
    drive.emulator.clear_faults()
    done = command(drive, "retry", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert stored(drive) == {"a.txt": b"text"}
    assert state(path) == "stored"
    assert command(drive, "uploads").stdout == "The store has everything.\n"


def test_discard_brings_the_old_version_back(drive: MountedDrive) -> None:
    """What the store has shows again, what was to replace it is gone; a second discard has nothing to do."""
    drive.expect("not stored|EINVAL")
    path = drive / TEXTS / "a.txt"
    path.write_bytes(b"old version")
    drive.emulator.inject(REFUSED)
    write_refused(path, b"new")
    assert path.read_bytes() == b"new"
    done = command(drive, "discard", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert path.read_bytes() == b"old version"
    assert listed(drive) == {}
    assert stored(drive) == {"a.txt": b"old version"}
    again = command(drive, "discard", path)
    assert again.returncode == 1
    assert "nothing that waits to be stored" in again.stderr


def test_discard_of_a_file_that_the_store_never_had(drive: MountedDrive) -> None:
    """The file is gone, and several paths are several results."""
    drive.expect("not stored|EINVAL")
    drive.emulator.inject(REFUSED)
    paths = [drive / TEXTS / name for name in ("a.txt", "b.txt")]
    for path in paths:
        write_refused(path, b"text")
    done = command(drive, "discard", paths[0], drive.home, paths[1])
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"minimaxfs: {drive.home} is in no drive of minimaxfs"
    assert os.listdir(drive / TEXTS) == []


def test_commands_say_what_they_cannot_find(drive: MountedDrive) -> None:
    """A directory that is no drive, and a drive that has ended."""
    assert "nothing is mounted at" in command(drive, "uploads", drive.home).stderr
    drive.unmount()
    done = command(drive, "uploads")
    assert done.returncode == 1
    assert done.stderr.startswith("minimaxfs: no drive is mounted\n")
    assert os.listdir(drive.home / "minimaxfs") == []


def test_a_command_does_not_touch_the_drive(drive: MountedDrive) -> None:
    """Also a drive that the store has left alone is asked without a request."""
    command(drive, "retry", drive / TEXTS / "none.txt")
    command(drive, "uploads", drive.path)
    assert sum(drive.emulator.requests.values()) == 0


def test_write_back_closes_at_once_and_the_file_arrives(drive_with: Mounting) -> None:
    """Offline, too: close returns after the seal, and the upload goes on by itself when it can."""
    drive = drive_with("--write-back")
    path = drive / TEXTS / "a.txt"
    with drive.emulator.offline():
        path.write_bytes(b"text")
        assert path.read_bytes() == b"text"
        assert eventually(lambda: "no connection" in str(listed(drive)[f"{TEXTS}/a.txt"]["why"]))
    assert eventually(lambda: state(path) == "stored")
    assert stored(drive) == {"a.txt": b"text"}


def test_a_listing_that_comes_lets_waiting_uploads_go_on(drive_with: Mounting) -> None:
    """Who sees that the network is back need not wait for the next try, minutes away."""
    drive = drive_with("--write-back")
    path = drive / TEXTS / "a.txt"
    with drive.emulator.offline():
        path.write_bytes(b"text")
        assert eventually(lambda: int(str(listed(drive)[f"{TEXTS}/a.txt"]["tries"])) >= 3)
    (drive / "voice_clone").stat()
    os.listdir(drive / "voice_clone")
    assert eventually(lambda: state(path) == "stored", limit=2)


def test_rename_upload_renames_in_the_store(drive_with: Mounting) -> None:
    """With --rename=upload the store has the file by its new name, and not by the old one."""
    drive = drive_with("--rename=upload")
    (drive / TEXTS / "a.txt").write_bytes(b"text")
    (drive / TEXTS / "a.txt").rename(drive / TEXTS / "b.txt")
    assert stored(drive) == {"b.txt": b"text"}
    assert os.listdir(drive / TEXTS) == ["b.txt"]


def test_a_slow_client_is_not_felt(drive: MountedDrive) -> None:
    """Clients that ask and never read, or never ask, take nothing from the drive."""
    code = (
        "import socket, sys\n"
        "found = [socket.socket(socket.AF_UNIX) for _ in range(16)]\n"
        "for one in found: one.connect(sys.argv[1]); one.send(b'{\"command\": ')\n"
        "print('connected', flush=True); sys.stdin.read()"
    )
    address = str(drive.home / "minimaxfs/default.sock")
    client = [sys.executable, "-c", code, address]
    with subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "connected\n"
        (drive / TEXTS / "a.txt").write_bytes(b"text")
        assert eventually(lambda: command(drive, "uploads", drive.path).returncode == 0)
        process.communicate()
