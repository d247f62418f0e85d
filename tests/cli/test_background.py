import os
from pathlib import Path

import pytest

from commands import Done, eventually, run_python
from minimaxfs import background
from minimaxfs.core.errors import ConfigError

SCRIPT = """
import os, select, signal, sys
from pathlib import Path
from minimaxfs import background
from minimaxfs.core.errors import ConfigError
from minimaxfs.complaint import complaint_of
from minimaxfs.core.errors import ConfigError, Offline
log = Path(sys.argv[1])
def body(on_ready):
    log.with_name("pid").write_text(str(os.getpid()))
    {body}
try:
    background.start(body, log, limit=float(sys.argv[2]))
except Exception as error:
    complaint = complaint_of(error)
    sys.stderr.write(str(complaint))
    sys.exit(complaint.status)
print("the drive answers")
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "state" / "minimaxfs.log"


def started(body: str, log: Path, environ: dict[str, str], limit: float = 20) -> Done:
    return run_python(SCRIPT.format(body=body), [log, str(limit)], environ)


def has_ended(log: Path) -> bool:
    """Whether the daemon is gone; it may be a zombie where the test runs below an init that reaps late."""
    try:
        stat = Path("/proc", log.with_name("pid").read_text(), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_it_returns_once_the_drive_answers(log: Path, environ: dict[str, str]) -> None:
    """The command ends with 0; the daemon goes on, in a session of its own and at the root."""
    body = (
        "on_ready(); print(os.getsid(0) == os.getpid(), os.getcwd(), flush=True);"
        "[select.select([], [], [], 0.01) for _ in range(3000) if not log.with_name('stop').exists()]"
    )
    done = started(body, log, environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "the drive answers\n", "")
    assert not has_ended(log)
    assert eventually(lambda: log.read_text() == "True /\n")
    log.with_name("stop").touch()
    assert eventually(lambda: has_ended(log))


def test_the_log_is_the_users_alone(log: Path, environ: dict[str, str]) -> None:
    """Log and directory have no permissions for others."""
    started("on_ready()", log, environ)
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("error", "status", "stderr"),
    [
        ("ConfigError('no such host', 'Check it.')", 78, "minimaxfs: no such host\nCheck it.\n"),
        ("Offline('no way')", 1, "minimaxfs: no way\nThe store cannot be reached"),
    ],
)
def test_the_childs_error_is_the_commands(
    error: str, status: int, stderr: str, log: Path, environ: dict[str, str]
) -> None:
    """What keeps the drive from answering is said on the terminal and in the log, with its exit status."""
    done = started(f"raise {error}", log, environ)
    assert done.returncode == status
    assert done.stderr.startswith(stderr)
    assert log.read_text().startswith(stderr)


def test_a_bug_leaves_its_traceback_in_the_log(log: Path, environ: dict[str, str]) -> None:
    """The terminal names the error and the log; the log has the traceback."""
    done = started("1 / 0", log, environ)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert str(log) in done.stderr
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("os._exit(3)", "ended without a word (status 3)"),
        ("os.kill(os.getpid(), 9)", "ended without a word (status -9)"),
        ("return", "ended before it answered"),
    ],
)
def test_a_child_that_just_ends_is_noticed(body: str, words: str, log: Path, environ: dict[str, str]) -> None:
    """A daemon that dies or returns before the drive answers is a failure, told at once."""
    done = started(body, log, environ)
    assert done.returncode == 1
    assert words in done.stderr


def test_a_drive_that_comes_too_late_does_not_come(log: Path, environ: dict[str, str]) -> None:
    """After the limit the command fails, and its daemon is ended."""
    done = started("signal.pause()", log, environ, limit=0.3)
    assert done.returncode == 1
    assert "did not answer within" in done.stderr
    assert has_ended(log)


def test_an_error_after_the_drive_answered_goes_to_the_log(log: Path, environ: dict[str, str]) -> None:
    """The command has returned 0 by then."""
    done = started("on_ready(); raise Offline('later')", log, environ)
    assert done.returncode == 0
    assert eventually(lambda: "minimaxfs: later" in log.read_text())


def test_a_long_log_is_put_aside_at_start(tmp_path: Path) -> None:
    """A log over its limit becomes .1, and one below it is appended to."""
    log = tmp_path / "minimaxfs.log"
    log.write_text("old\n")
    os.truncate(log, background.LOG_LIMIT)
    os.close(background.open_log(log))
    assert log.stat().st_size == background.LOG_LIMIT
    os.truncate(log, background.LOG_LIMIT + 1)
    os.close(background.open_log(log))
    assert log.stat().st_size == 0
    assert log.with_name("minimaxfs.log.1").stat().st_size == background.LOG_LIMIT + 1


def test_a_log_that_cannot_be_written_is_a_configuration_error(tmp_path: Path) -> None:
    """The message names the log."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        background.open_log(tmp_path / "file" / "minimaxfs.log")
