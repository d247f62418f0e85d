"""The boundary: a hung network, a bug or a signal never leaves a caller or the mount stuck."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from commands import eventually, run
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.emulator.settings import Unlisted
from mounted_drive import MountedDrive

_MINIMAXFS = [sys.executable, "-m", "minimaxfs"]

STALLED = Fault(Operation.DOWNLOAD, Kind.STALL, times=None)


def quiet_cat(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["cat", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextmanager
def hung_reader(drive: MountedDrive) -> Iterator[subprocess.Popen[bytes]]:
    """A program that waits for bytes that never come."""
    drive.emulator.add_file("voice_clone", "a.wav", os.urandom(1_000_000))
    drive.emulator.inject(STALLED)
    reader = quiet_cat(drive / "voice_clone/a.wav")
    try:
        assert eventually(lambda: drive.emulator.requests["download"] > 0)
        yield reader
    finally:
        reader.kill()
        reader.wait(10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_while_a_read_hangs(drive: MountedDrive, number: signal.Signals) -> None:
    """Within 2 s the daemon has gone, the mount too, and the reader got an error."""
    with hung_reader(drive) as reader:
        drive.send(number)
        assert drive.wait(2) == 0
        assert reader.wait(2) == 1
    assert not drive.path.is_mount()


@pytest.mark.parametrize("options", [["-u", "-z"]])
def test_fusermount_ends_the_daemon_while_a_read_hangs(drive: MountedDrive, options: list[str]) -> None:
    """A lazy unmount ends the daemon within 2 s though a reader still holds the file system."""
    with hung_reader(drive) as reader:
        subprocess.run(["fusermount3", *options, drive.path], check=True)
        assert drive.wait(2) == 0
        assert reader.wait(2) == 1


def test_fusermount_ends_an_idle_daemon(drive: MountedDrive) -> None:
    """`fusermount3 -u` is all that it takes."""
    os.listdir(drive / "voice_clone")
    subprocess.run(["fusermount3", "-u", drive.path], check=True)
    assert drive.wait(2) == 0


def test_a_hung_read_stops_nobody_else(drive: MountedDrive) -> None:
    """While a read hangs, other files and directories answer."""
    with hung_reader(drive):
        drive.emulator.clear_faults()
        drive.emulator.add_file("prompt_audio", "b.wav", b"other")
        assert (drive / "prompt_audio/b.wav").read_bytes() == b"other"
        assert "a.wav" in os.listdir(drive / "voice_clone")


def test_many_hung_reads_stop_nobody_else(drive: MountedDrive) -> None:
    """Neither do more of them than pyfuse3 would serve by itself."""
    for number in range(150):
        drive.emulator.add_file("voice_clone", f"{number}.wav", b"x" * 1000)
    os.listdir(drive / "voice_clone")
    drive.emulator.inject(Fault(Operation.RETRIEVE, Kind.STALL, times=150))
    readers = [quiet_cat(drive / f"voice_clone/{number}.wav") for number in range(150)]
    try:
        assert eventually(lambda: drive.emulator.requests["retrieve"] >= 90)
        drive.emulator.add_file("prompt_audio", "b.wav", b"other")
        assert os.listdir(drive / "prompt_audio") == ["b.wav"]
    finally:
        drive.send(signal.SIGTERM)
        for reader in readers:
            reader.wait(10)
    assert drive.wait(5) == 0


def test_offline_is_said_fast_and_heals(drive: MountedDrive) -> None:
    """Without a network what is not cached is ENETUNREACH, what is cached is read, and all is well after."""
    drive.expect("ENETUNREACH|showing what is known|not stored")
    drive.emulator.add_file("voice_clone", "a.wav", b"cached")
    drive.emulator.add_file("voice_clone", "b.wav", b"not cached")
    assert (drive / "voice_clone/a.wav").read_bytes() == b"cached"
    with drive.emulator.offline():
        assert sorted(os.listdir(drive / "voice_clone")) == ["a.wav", "b.wav"]
        assert (drive / "voice_clone/a.wav").read_bytes() == b"cached"
        for refused in (
            (drive / "voice_clone/b.wav").read_bytes,
            (drive / "prompt_audio").iterdir().__next__,
            lambda: (drive / "t2a_async_input/c.txt").write_bytes(b"text"),
        ):
            with pytest.raises(OSError, match="Network is unreachable"):
                refused()
    assert (drive / "voice_clone/b.wav").read_bytes() == b"not cached"
    (drive / "t2a_async_input/c.txt").write_bytes(b"text")
    assert [file.filename for file in drive.emulator.files("t2a_async_input")] == ["c.txt"]


def test_kill_nine_during_an_upload_stores_once(drive: MountedDrive) -> None:
    """The daemon dies after the store took the file and before it said so: the next one finds it there."""
    drive.emulator.inject(Fault(Operation.UPLOAD, Kind.DELAY, value=30, executed=True))
    path = drive / "t2a_async_input/f.txt"
    writer = threading.Thread(target=_try_to_write, args=(path, b"text"))
    writer.start()
    assert eventually(lambda: drive.emulator.requests["upload"] == 1)
    drive.kill()
    writer.join(10)
    drive.mount()
    assert path.read_bytes() == b"text"
    assert eventually(lambda: state(path) == b"stored")
    assert [file.filename for file in drive.emulator.files("t2a_async_input")] == ["f.txt"]


def test_kill_nine_during_an_overwrite_loses_nothing(drive: MountedDrive) -> None:
    """An older file of the same name and size is never taken for the upload that was cut off."""
    path = drive / "t2a_async_input/f.txt"
    old, new = os.urandom(30_000_000), os.urandom(30_000_000)
    path.write_bytes(old)
    writer = threading.Thread(target=_try_to_write, args=(path, new))
    writer.start()
    assert eventually(lambda: state(path) == b"sending")
    drive.kill()
    writer.join(10)
    drive.mount()
    assert path.read_bytes() == new
    assert eventually(lambda: len(drive.emulator.files("t2a_async_input")) == 1 and state(path) == b"stored")
    (file,) = drive.emulator.files("t2a_async_input")
    assert drive.emulator.content(file.file_id) == new


def state(path: Path) -> bytes:
    return os.getxattr(path, "user.minimax.state")


def _try_to_write(path: Path, data: bytes) -> None:
    with suppress(OSError):
        path.write_bytes(data)


def test_a_dead_mount_is_loud_and_the_next_start_clears_it(drive: MountedDrive) -> None:
    """After kill -9 the mountpoint answers ENOTCONN, never an empty directory; mounting again heals it."""
    drive.emulator.add_file("voice_clone", "a.wav", b"a")
    drive.send(signal.SIGKILL)
    drive.wait(5)
    with pytest.raises(OSError, match="not connected"):
        os.listdir(drive.path)
    drive.mount()
    assert os.listdir(drive / "voice_clone") == ["a.wav"]


def test_mount_in_the_background(tmp_path: Path, drive_with: Callable[..., MountedDrive]) -> None:
    """`minimaxfs mount` returns 0 when the drive answers, a second one is refused, `unmount` ends it."""
    drive = drive_with()
    drive.emulator.add_file("voice_clone", "a.wav", b"a")
    other = tmp_path / "other place"
    other.mkdir()
    options = ["--profile", "other", "--api-host", drive.emulator.api_origin]
    mount = [*_MINIMAXFS, "mount", *options, str(other)]
    done = run(mount, drive.environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.listdir(other / "voice_clone") == ["a.wav"]
    again = run(mount, drive.environ)
    assert again.returncode == 78
    ended = run([*_MINIMAXFS, "unmount", str(other)], drive.environ)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert os.listdir(other) == []
    assert drive.path.is_mount()


def test_one_profile_is_mounted_once(tmp_path: Path, drive: MountedDrive) -> None:
    """Two daemons would spoil each other's ledger: the second is told which directory is in use."""
    other = tmp_path / "other"
    other.mkdir()
    host = ["--api-host", drive.emulator.api_origin]
    done = run([*_MINIMAXFS, "mount", *host, str(other)], drive.environ)
    assert done.returncode == 78
    assert "mounted already" in done.stderr


def test_a_size_that_cannot_be_learnt_is_never_an_empty_file(drive: MountedDrive) -> None:
    """Offline, a generated file whose size nobody has asked for fails to open; it does not read as empty."""
    drive.expect("open .*ENETUNREACH")
    drive.emulator.change(replace(drive.emulator.settings, unlisted=Unlisted.LISTED))
    drive.emulator.add_file("video_generation", "output.mp4", b"film")
    path = drive / "video_generation/output.mp4"
    assert os.listdir(drive / "video_generation") == ["output.mp4"]
    with drive.emulator.offline(), pytest.raises(OSError, match="Network is unreachable"):
        path.read_bytes()
    assert path.read_bytes() == b"film"
