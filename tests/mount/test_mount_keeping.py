"""Status, refresh, evict, pin and prefetch, as a person uses them on a real mount."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from commands import LIMIT, eventually
from drive_commands import TEXTS, Copy, command
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from mounted_drive import MountedDrive

VOICES = "voice_clone"
MIB = 1024 * 1024

UNDER_A_TERMINAL = """
import signal, sys
from minimaxfs.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""
"""Ctrl-C works, though the tests may run in the background of a shell that ignores it."""

Status = dict[str, dict[str, object]]


def status(drive: MountedDrive) -> Status:
    done = command(drive, "status", drive.path, "--json")
    assert done.returncode == 0, done.stderr
    found: list[Status] = json.loads(done.stdout)
    return found[0]


def blocks_used(drive: MountedDrive) -> int:
    return int(str(status(drive)["blocks"]["used"]))


def test_status_tells_how_the_drive_is_and_costs_nothing(drive: MountedDrive) -> None:
    """Mount, store, disk, requests with their number; for people and for programs."""
    assert status(drive)["requests"] == {}
    drive.emulator.add_file(VOICES, "a.wav", b"x" * MIB)
    assert (drive / VOICES / "a.wav").read_bytes() == b"x" * MIB
    told = status(drive)
    assert told["mount"]["mountpoint"] == str(drive.path)
    assert told["mount"]["pid"] == drive.pid
    assert told["store"]["origin"] == drive.emulator.api_origin
    assert int(str(told["blocks"]["used"])) >= MIB
    counts = {name: one["count"] for name, one in told["requests"].items() if isinstance(one, dict)}
    assert counts == drive.emulator.requests
    shown = command(drive, "status").stdout
    assert shown.startswith(f"{drive.path} (profile default, mounted for ")
    assert "list 1, retrieve 1" in shown
    assert "errors    none" in shown
    assert drive.emulator.requests["list"] == 1


def test_status_shows_what_is_on_its_way(drive: MountedDrive) -> None:
    """An upload that is being sent, and a file that is being read."""
    drive.emulator.add_file(VOICES, "a.wav", b"x" * MIB)
    drive.emulator.inject(Fault(Operation.UPLOAD, Kind.DELAY, value=5))
    with (drive / VOICES / "a.wav").open("rb") as reading:
        reading.read(1000)
        copy = Copy(drive, "b.txt", b"text")
        shown = command(drive, "status", drive.path).stdout
        assert f"{TEXTS}/b.txt, sending, 4 B" in shown
        assert f"{VOICES}/a.wav, 1.05 MB" in shown
    assert copy.status() == 0


def test_status_can_be_watched(drive: MountedDrive) -> None:
    """JSON comes as a line a second, and Ctrl-C ends it well."""
    words = [sys.executable, "-c", UNDER_A_TERMINAL, "status", str(drive.path), "--json", "--watch"]
    with subprocess.Popen(words, env=drive.environ, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        lines = [watching.stdout.readline() for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(LIMIT) == 0
    assert [json.loads(line)[0]["mount"]["pid"] for line in lines] == [drive.pid] * 2


def test_a_watch_whose_reader_goes_away_ends(drive: MountedDrive) -> None:
    """`status --watch | head -1` says no more than was wanted."""
    words = [sys.executable, "-m", "minimaxfs", "status", str(drive.path), "--watch"]
    watching = subprocess.Popen(
        words, env=drive.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert watching.stdout.readline()
        watching.stdout.close()
        assert watching.wait(LIMIT) == 0
        assert watching.stderr.read() == ""


def test_a_status_without_a_drive_is_a_failure(drive: MountedDrive) -> None:
    """For scripts that ask whether it is there."""
    drive.unmount()
    done = command(drive, "status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("minimaxfs: no drive is mounted\n")


def test_prefetched_files_are_read_offline(drive: MountedDrive) -> None:
    """A listing and a retrieve a file; afterwards reading needs nobody, over a remount too."""
    for name in ("a.wav", "b.wav"):
        drive.emulator.add_file(VOICES, name, name.encode() * MIB)
    done = command(drive, "prefetch", drive / VOICES)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (drive.emulator.requests["list"], drive.emulator.requests["retrieve"]) == (1, 2)
    drive.expect("listing failed")
    drive.remount()
    with drive.emulator.offline():
        for name in ("a.wav", "b.wav"):
            assert (drive / VOICES / name).read_bytes() == name.encode() * MIB


def test_prefetch_says_what_it_cannot_fetch(drive: MountedDrive) -> None:
    """Each with its reason, and exit status 1."""
    drive.expect("listing failed")
    drive.emulator.add_file(VOICES, "a.wav", b"x")
    os.listdir(drive / VOICES)
    with drive.emulator.offline():
        done = command(drive, "prefetch", drive.home, drive / VOICES / "a.wav", drive / "nowhere")
    assert done.returncode == 1
    assert f"{drive.home} is in no drive of minimaxfs" in done.stderr
    assert "the drive has no nowhere" in done.stderr
    with drive.emulator.offline():
        done = command(drive, "prefetch", drive / VOICES / "a.wav")
    assert done.returncode == 1
    assert f"minimaxfs: {drive}/{VOICES}/a.wav: " in done.stderr.replace(str(drive.path), str(drive))
    assert "no connection" in done.stderr


def test_long_prefetches_show_how_far_they_are(drive: MountedDrive) -> None:
    """A line now and then where stderr is no terminal."""
    drive.emulator.add_file(VOICES, "a.wav", b"x" * MIB)
    drive.emulator.inject(Fault(Operation.DOWNLOAD, Kind.DELAY, value=1.5))
    done = command(drive, "prefetch", drive / VOICES)
    assert done.returncode == 0
    assert done.stderr.startswith("1 file: 0 % of 1.05 MB\n")


def test_evict_gives_the_disk_back(drive: MountedDrive) -> None:
    """What is pinned stays, until the pin is removed; over a remount too."""
    for name in ("a.wav", "b.wav"):
        drive.emulator.add_file(VOICES, name, b"x" * MIB)
    done = command(drive, "pin", drive / VOICES / "a.wav")
    assert (done.returncode, done.stdout) == (0, f"{drive.path}/{VOICES}/a.wav: pinned\n")
    command(drive, "prefetch", drive / VOICES)
    drive.remount()
    assert status(drive)["blocks"]["pinned_files"] == 1
    before = blocks_used(drive)
    done = command(drive, "evict", drive.path)
    assert done.returncode == 0
    assert "1.05 MB given back" in done.stdout
    assert MIB <= blocks_used(drive) < before
    refused = command(drive, "evict", drive / VOICES / "a.wav")
    assert refused.returncode == 1
    assert "minimaxfs pin --remove" in refused.stderr
    done = command(drive, "pin", "--remove", drive / VOICES)
    assert done.stdout == f"{drive.path}/{VOICES}: 1 file is pinned no longer\n"
    assert command(drive, "evict", drive / VOICES / "a.wav").returncode == 0
    assert blocks_used(drive) == 0


def test_refresh_shows_at_once_what_another_client_did(drive: MountedDrive) -> None:
    """New files appear, deleted ones go, for one request."""
    gone = drive.emulator.add_file(VOICES, "gone.wav", b"x")
    path: Path = drive / VOICES / "gone.wav"
    assert path.exists()
    drive.emulator.remove_file(gone)
    drive.emulator.add_file(VOICES, "new.wav", b"x")
    done = command(drive, "refresh", drive / VOICES)
    assert (done.returncode, done.stdout) == (0, f"{drive.path}/{VOICES}: 1 name\n")
    assert eventually(lambda: os.listdir(drive / VOICES) == ["new.wav"] and not path.exists())
    assert drive.emulator.requests["list"] == 2
