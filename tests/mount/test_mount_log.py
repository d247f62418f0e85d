"""The log of a drive: each failure in one line, with all that its reader needs, and no secret."""

import json
import re
import subprocess
from collections.abc import Callable

import pytest

from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from mounted_drive import MountedDrive

REFUSED = Fault(Operation.RETRIEVE, Kind.CODE, value=1004, times=None)


def test_a_failed_read_is_one_line(drive_with: Callable[..., MountedDrive]) -> None:
    """Path, operation, errno, code and trace id stand in it, as fields of JSON where that was asked for."""
    drive = drive_with("--log-format", "json")
    drive.emulator.add_file("voice_clone", "a.wav", b"x" * 1000)
    drive.emulator.inject(REFUSED)
    with pytest.raises(PermissionError):
        (drive / "voice_clone/a.wav").read_bytes()
    lines = [json.loads(line) for line in drive.log.read_text().splitlines()]
    told = [line for line in lines if "errno" in line]
    assert {(line["path"], line["errno"], line["code"]) for line in told} == {
        ("voice_clone/a.wav", "EACCES", 1004)
    }
    assert all(line["trace_id"] for line in told)


def test_a_name_that_is_refused_is_told_with_its_path(drive: MountedDrive) -> None:
    """Also where no file has come into being."""
    drive.expect("create .*EINVAL")
    with pytest.raises(OSError, match="Invalid argument"):
        (drive / "voice_clone/a.exe").touch()
    assert re.search(r" WARNING .*: create voice_clone/a\.exe: EINVAL: ", drive.log.read_text())


def test_no_secret_is_in_the_most_talkative_log(drive_with: Callable[..., MountedDrive]) -> None:
    """Neither the key nor the signature of a URL, whatever fails."""
    drive = drive_with("--log-level", "debug")
    drive.expect("EACCES|read .*E|Traceback")
    drive.emulator.add_file("voice_clone", "a.wav", b"x" * 100_000)
    url = subprocess.run(
        ["getfattr", "--only-values", "-n", "user.minimax.download_url", drive / "voice_clone/a.wav"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for operation in (Operation.DOWNLOAD, Operation.RETRIEVE_CONTENT):
        drive.emulator.inject(Fault(operation, Kind.STATUS, value=403, times=None))
    with pytest.raises(PermissionError):
        (drive / "voice_clone/a.wav").read_bytes()
    log = drive.log.read_text()
    assert " DEBUG " in log
    query = url.partition("?")[2]
    assert "ignature=" in query
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        assert name.lower() == "expires" or value not in log
