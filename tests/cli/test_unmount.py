import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import bare_drive
from commands import Command
from minimaxfs import mounts
from minimaxfs.processes import Process, mapped
from minimaxfs.unmount import complaint_about


@contextmanager
def daemon(mountpoint: Path, lingering: float = 0.0) -> Iterator["subprocess.Popen[str]"]:
    """A drive's daemon, of which only the mount and its end are real."""
    command = [sys.executable, bare_drive.__file__, str(mountpoint), str(lingering)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mounted\n"
        yield process
        process.kill()


def test_it_returns_when_the_daemon_has_ended(minimaxfs: Command, mountpoint: Path) -> None:
    """The drive is gone at once; the command waits for the uploads, and says so when they take long."""
    with daemon(mountpoint, lingering=2.5) as process:
        before = time.monotonic()
        done = minimaxfs("unmount", mountpoint)
        assert time.monotonic() - before >= 2.5
        assert process.poll() == 0 or process.wait(1) == 0
    assert done.returncode == 0
    assert done.stderr.startswith(f"minimaxfs: unmounted; waiting for process {process.pid}")
    assert mounts.at(mountpoint, mounts.current()) is None


def test_a_drive_in_use_stays_and_its_users_are_named(minimaxfs: Command, mountpoint: Path) -> None:
    """Busy: exit status 1, and who is in the way."""
    with daemon(mountpoint):
        user = os.open(mountpoint, os.O_PATH)
        done = minimaxfs("unmount", mountpoint)
        os.close(user)
        assert done.returncode == 1
        assert (
            f"is busy: in use by {Path('/proc/self/comm').read_text().strip()} ({os.getpid()})" in done.stderr
        )
        assert mounts.at(mountpoint, mounts.current()) is not None


def test_a_stale_drive_is_unmounted(minimaxfs: Command, mountpoint: Path) -> None:
    """What a crash left behind can be taken away by the same command."""
    os.close(bare_drive.mount(mountpoint))
    assert minimaxfs("unmount", mountpoint).returncode == 0
    assert mounts.at(mountpoint, mounts.current()) is None


def test_what_is_not_mounted_cannot_be_unmounted(minimaxfs: Command, mountpoint: Path) -> None:
    """A directory is no drive."""
    done = minimaxfs("unmount", mountpoint)
    assert done.returncode == 1
    assert done.stderr.startswith(f"minimaxfs: nothing is mounted at {mountpoint}\n")


def test_anothers_mount_is_not_touched(minimaxfs: Command, mountpoint: Path) -> None:
    """Only drives of minimaxfs are unmounted."""
    with bare_drive.mounted(mountpoint, "other:x", "otherfs"):
        done = minimaxfs("unmount", mountpoint)
        assert done.returncode == 1
        assert "is no drive of minimaxfs, but fuse.otherfs" in done.stderr
        assert mounts.at(mountpoint, mounts.current()) is not None


@pytest.mark.parametrize(
    ("paths", "serves", "holds"),
    [
        ({"/m", "/dev/fuse"}, True, False),
        ({"/m"}, False, True),
        ({"/m/a/b"}, False, True),
        ({"/mm", "/", "/dev/fuse"}, False, False),
    ],
)
def test_a_daemon_is_no_user_of_its_mount(paths: set[str], serves: bool, holds: bool) -> None:
    """Who holds the directory below and speaks FUSE serves the mount; who has something in it uses it."""
    process = Process(1, "x", frozenset(paths))
    assert (process.serves("/m"), process.holds("/m")) == (serves, holds)


def test_mapped_files_count_as_use() -> None:
    """A mapping keeps a mount busy when its descriptor is closed; names may hold spaces."""
    maps = b"7f00-7f01 r-xp 00000000 08:01 12 /m/a file\n7f02-7f03 rw-p 00000000 00:00 0 \n"
    assert mapped(maps) == {"/m/a file"}


def test_many_users_are_counted() -> None:
    """Five are named, the rest is a number; where none can be seen, fusermount3's words are repeated."""
    everyone = [Process(pid, "vi", frozenset({"/m/x"})) for pid in range(9, 0, -1)]
    assert complaint_about(Path("/m"), everyone, "").what.endswith("vi (4), vi (5) and 4 more")
    assert "not permitted" in complaint_about(Path("/m"), [], "fusermount3: not permitted\n").what
