"""A drive without its network: where nobody listens, and where every packet is swallowed."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from black_hole import swallowed
from commands import eventually
from drive_commands import TEXTS, command, state, stored
from minimaxfs.core.reachability import LONGEST_LIMIT
from minimaxfs.emulator.background import Emulator
from mounted_drive import MountedDrive

VOICES = "voice_clone"
EXPECTED = "listing failed|ENETUNREACH|not stored"

Mounting = Callable[..., MountedDrive]
Away = Callable[[Emulator], AbstractContextManager[None]]


@contextmanager
def refusing(emulator: Emulator) -> Iterator[None]:
    with emulator.offline():
        yield


AWAYS = pytest.mark.parametrize("away", [refusing, swallowed])


def fail_to_write(path: Path, data: bytes) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENETUNREACH)):
        path.write_bytes(data)


def fail_to_read(path: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENETUNREACH)):
        path.read_bytes()


def known_to_be_offline(drive: MountedDrive) -> bool:
    return "cannot be reached since" in command(drive, "status", drive.path).stdout


def familiar(drive: MountedDrive) -> None:
    """Let the drive know two files, and have the bytes of one."""
    for name in ("cached.wav", "other.wav"):
        drive.emulator.add_file(VOICES, name, name.encode())
    os.listdir(drive / TEXTS)
    assert (drive / VOICES / "cached.wav").read_bytes() == b"cached.wav"
    drive.expect(EXPECTED)


@AWAYS
def test_a_drive_is_mounted_and_used_without_a_network(drive: MountedDrive, away: Away) -> None:
    """Names from the ledger, cached bytes, room and sizes; what cannot be served fails fast, and copies in
    are kept. When the store is back, so is the drive."""
    familiar(drive)
    drive.unmount()
    with away(drive.emulator):
        drive.mount()
        os.statvfs(drive.path)
        assert sorted(os.listdir(drive / VOICES)) == ["cached.wav", "other.wav"]
        assert (drive / VOICES / "other.wav").stat().st_size == len("other.wav")
        assert (drive / VOICES / "cached.wav").read_bytes() == b"cached.wav"
        assert eventually(lambda: known_to_be_offline(drive))
        before = time.monotonic()
        for _ in range(3):
            fail_to_read(drive / VOICES / "other.wav")
        fail_to_write(drive / TEXTS / "in.txt", b"bytes")
        assert os.listdir(drive / TEXTS) == ["in.txt"]
        os.statvfs(drive.path)
        assert time.monotonic() - before < LONGEST_LIMIT
        assert (drive / TEXTS / "in.txt").read_bytes() == b"bytes"
        assert state(drive / TEXTS / "in.txt") == "failed"
    assert eventually(lambda: command(drive, "retry", drive / TEXTS / "in.txt").returncode == 0)
    assert stored(drive) == {"in.txt": b"bytes"}
    assert (drive / VOICES / "other.wav").read_bytes() == b"other.wav"
    assert f"{drive.emulator.api_origin}, answered" in command(drive, "status").stdout


@AWAYS
def test_copies_in_wait_for_the_network_with_write_back(drive_with: Mounting, away: Away) -> None:
    """`cp` succeeds offline; the first answer of the store, to whatever, lets the upload go on."""
    drive = drive_with("--write-back")
    familiar(drive)
    with away(drive.emulator):
        (drive / TEXTS / "in.txt").write_bytes(b"bytes")
        assert eventually(lambda: known_to_be_offline(drive))
        assert (drive / TEXTS / "in.txt").read_bytes() == b"bytes"
    assert eventually(lambda: state(drive / TEXTS / "in.txt") == "stored")
    assert stored(drive) == {"in.txt": b"bytes"}


def test_a_directory_never_seen_is_no_empty_directory(drive: MountedDrive) -> None:
    """Offline there is nothing to show, and that is said."""
    drive.expect(EXPECTED)
    with drive.emulator.offline():
        with pytest.raises(OSError, match=os.strerror(errno.ENETUNREACH)):
            os.listdir(drive / VOICES)
        told = command(drive, "explain", drive / VOICES).stdout
    assert "the store cannot be reached from this machine" in told
    assert os.listdir(drive / VOICES) == []
