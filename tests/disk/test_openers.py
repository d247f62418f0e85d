"""Who holds a file open for writing, as /proc tells it."""

import subprocess
import sys
from pathlib import Path

import pytest

from minimaxfs.disk.openers import is_held_for_writing

HOLD = "import sys; file = open(sys.argv[1], sys.argv[2]); print('open', flush=True); sys.stdin.read()"


@pytest.mark.parametrize(("mode", "expected"), [("ab", True), ("r+b", True), ("wb", True), ("rb", False)])
def test_only_writers_of_another_process_count(tmp_path: Path, mode: str, expected: bool) -> None:
    """Readers do not keep a file from being uploaded; writers do, until they close it or die."""
    path = tmp_path / "a name, with\nall sorts"
    path.write_bytes(b"x")
    command = [sys.executable, "-c", HOLD, str(path), mode]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        assert is_held_for_writing({str(path)}) is expected
        assert not is_held_for_writing({str(tmp_path / "other")})
    assert not is_held_for_writing({str(path)})


def test_our_own_descriptors_do_not_count(tmp_path: Path) -> None:
    """The daemon's own are not a reason to wait: it would wait for itself."""
    with (tmp_path / "mine").open("wb"):
        assert not is_held_for_writing({str(tmp_path / "mine")})
