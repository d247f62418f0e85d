"""One daemon to a directory, however the last one ended."""

import subprocess
import sys
from pathlib import Path

import pytest

from minimaxfs.core.errors import ConfigError
from minimaxfs.disk.lock import DirectoryLock

HOLD = (
    "import sys; from pathlib import Path; from minimaxfs.disk.lock import DirectoryLock\n"
    "DirectoryLock(Path(sys.argv[1])).acquire(); print('held', flush=True); sys.stdin.read()\n"
)


def test_the_second_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    """Who comes second is told so, and gets the lock once it is free."""
    first, second = DirectoryLock(tmp_path / "state"), DirectoryLock(tmp_path / "state")
    first.acquire()
    with pytest.raises(ConfigError, match="mounted already"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
    second.release()


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    """The kernel gives the lock back, also after kill -9."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError):
            DirectoryLock(tmp_path).acquire()
        process.kill()
    lock = DirectoryLock(tmp_path)
    lock.acquire()
    lock.release()


def test_the_directory_is_made_and_private(tmp_path: Path) -> None:
    """A first mount needs no preparation."""
    lock = DirectoryLock(tmp_path / "deep" / "state")
    lock.acquire()
    assert (tmp_path / "deep" / "state").stat().st_mode & 0o777 == 0o700
    lock.release()


def test_a_place_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """The message names the place, and the advice says what to set."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="cannot be used") as refused:
        DirectoryLock(tmp_path / "file").acquire()
    assert "XDG_STATE_HOME" in refused.value.advice
