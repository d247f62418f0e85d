"""The end of a drive: uploads get their time, and what is not through is named, kept and sent later."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from commands import eventually
from drive_commands import TEXTS, Copy, command, listed, state, stored
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from mounted_drive import MountedDrive

STALLED = Fault(Operation.UPLOAD, Kind.STALL, times=None)

Mounting = Callable[..., MountedDrive]


def test_unmount_lets_an_upload_end(drive: MountedDrive) -> None:
    """The program that copies in sees it end well, then the drive goes: status 0, after some progress."""
    drive.emulator.inject(Fault(Operation.UPLOAD, Kind.DELAY, value=1.5, executed=True))
    copy = Copy(drive, "a.txt", b"text")
    done = command(drive, "unmount", drive.path)
    assert (done.returncode, copy.status(), drive.wait(2)) == (0, 0, 0)
    assert done.stderr.startswith("1 upload: ")
    assert stored(drive) == {"a.txt": b"text"}


def test_an_upload_that_is_not_through_goes_on_at_the_next_mount(drive: MountedDrive) -> None:
    """When the time is up the drive goes, the command names what is left, and nothing is lost."""
    drive.emulator.inject(STALLED)
    copy = Copy(drive, "a.txt", b"text")
    before = time.monotonic()
    done = command(drive, "unmount", drive.path, "--drain", "1")
    assert 1 <= time.monotonic() - before < 5
    assert done.returncode == 3
    what, advice = done.stderr.splitlines()[-2:]
    assert what == f"minimaxfs: {drive.path} is unmounted, but 1 upload is not in the store: {TEXTS}/a.txt"
    assert advice == "The next mount goes on with what waits."
    assert copy.status() != 0
    assert drive.wait(2) == 0
    drive.emulator.clear_faults()
    drive.mount()
    assert eventually(lambda: state(drive / TEXTS / "a.txt") == "stored")
    assert stored(drive) == {"a.txt": b"text"}


def test_unmount_of_a_busy_drive_leaves_it_and_its_uploads(drive: MountedDrive) -> None:
    """A program that still has a file open is named; the stalled upload goes on, and the drive answers."""
    drive.emulator.inject(STALLED)
    copy = Copy(drive, "a.txt", b"text")
    with (drive / TEXTS / "other.txt").open("wb"):
        done = command(drive, "unmount", drive.path, "--drain", "0.5")
        assert done.returncode == 1
        assert f"({os.getpid()})" in done.stderr
        assert list(listed(drive)) == [f"{TEXTS}/a.txt", f"{TEXTS}/other.txt"]
    drive.unmount()
    assert copy.status() != 0


def test_plain_fusermount_lets_uploads_end_too(drive: MountedDrive) -> None:
    """Nobody waits for the upload of a program that was killed: the daemon does, without its mount."""
    drive.emulator.inject(Fault(Operation.UPLOAD, Kind.DELAY, value=1.5, executed=True))
    reader, writer = os.pipe()
    writing = f"printf text > {TEXTS}/a.txt; printf x >&{writer}"
    with subprocess.Popen(["bash", "-c", writing], cwd=drive.path, pass_fds=[writer]) as process:
        assert eventually(lambda: drive.emulator.requests["upload"] == 1)
        process.kill()
    os.close(writer)
    os.close(reader)
    assert eventually(lambda: subprocess.run(["fusermount3", "-u", drive.path], check=False).returncode == 0)
    assert drive.wait(5) == 0
    assert stored(drive) == {"a.txt": b"text"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_an_upload_end(drive: MountedDrive, number: signal.Signals) -> None:
    """`cp` gets its answer from a drive that is about to end, and other files can be read meanwhile."""
    drive.emulator.add_file("voice_clone", "b.wav", b"other")
    drive.emulator.inject(Fault(Operation.UPLOAD, Kind.DELAY, value=1.5, executed=True))
    copy = Copy(drive, "a.txt", b"text")
    drive.send(number)
    assert (drive / "voice_clone/b.wav").read_bytes() == b"other"
    assert (copy.status(), drive.wait(2)) == (0, 0)
    assert stored(drive) == {"a.txt": b"text"}


def test_a_second_signal_ends_the_drive_at_once(drive_with: Mounting) -> None:
    """Who presses Ctrl-C twice does not want to wait; the bytes are kept."""
    drive = drive_with("--drain", "60")
    drive.emulator.inject(STALLED)
    copy = Copy(drive, "a.txt", b"text")
    drive.send(signal.SIGINT)
    assert eventually(lambda: "after at most 60 s" in drive.log.read_text())
    drive.send(signal.SIGINT)
    assert drive.wait(2) == 0
    assert copy.status() != 0
    drive.emulator.clear_faults()
    drive.mount()
    assert eventually(lambda: state(drive / TEXTS / "a.txt") == "stored")


def test_a_file_that_is_only_open_gets_two_seconds(drive: MountedDrive) -> None:
    """A drive does not wait for a program that writes all day."""
    descriptor = os.open(drive / TEXTS / "a.txt", os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, b"text")
    drive.send(signal.SIGTERM)
    before = time.monotonic()
    assert drive.wait(4) == 0
    assert time.monotonic() - before > 1.5
    with pytest.raises(OSError, match=r"not connected|abort"):
        os.close(descriptor)
