"""A drive that runs for months: it reads its key and settings anew, and tells its manager how it is."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands import eventually
from drive_commands import TEXTS, Copy, listed, state
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from mounted_drive import KEY, MountedDrive, mounted
from notify_socket import NotifySocket, listening

NEW_KEY = "sk-a-new-key-that-no-log-may-show"


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[NotifySocket]:
    with listening(tmp_path) as ear:
        yield ear


@pytest.fixture
def service(tmp_path: Path, emulator: Emulator, ear: NotifySocket) -> Iterator[MountedDrive]:
    """A drive in the foreground, that has a manager."""
    environ = {"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "400000"}
    with mounted(tmp_path, emulator, environ=environ) as drive:
        yield drive


def reload(drive: MountedDrive) -> str:
    """What the log says of a reload."""
    before = len(drive.log.read_text())
    drive.send(signal.SIGHUP)
    assert eventually(lambda: "reloaded" in drive.log.read_text()[before:])
    return drive.log.read_text()[before:]


def test_a_service_tells_its_manager_how_it_is(service: MountedDrive, ear: NotifySocket) -> None:
    """Ready once the mount answers, alive from then on, stopping with time for an upload under way."""
    ear.await_message(lambda said: said.get("READY") == "1" and str(service.path) in said["STATUS"])
    ear.await_message(lambda said: "WATCHDOG" in said)
    service.emulator.inject(Fault(Operation.UPLOAD, Kind.DELAY, value=1.5, executed=True))
    copy = Copy(service, "a.txt", b"text")
    ear.await_message(lambda said: "1 upload waiting" in said.get("STATUS", ""))
    service.send(signal.SIGTERM)
    ear.await_message(lambda said: said.get("STOPPING") == "1" and "EXTEND_TIMEOUT_USEC" in said)
    assert (copy.status(), service.wait(5)) == (0, 0)


def test_a_service_says_that_it_is_offline_or_refused(service: MountedDrive, ear: NotifySocket) -> None:
    """And takes it back, when an answer comes and the key is taken."""
    service.expect("ENETUNREACH|EACCES")
    with service.emulator.offline(), pytest.raises(OSError, match="unreachable"):
        os.listdir(service / "voice_clone")
    ear.await_message(lambda said: "offline since" in said.get("STATUS", ""))
    service.emulator.inject(Fault(Operation.LIST, Kind.CODE, value=1004))
    with pytest.raises(PermissionError):
        os.listdir(service / "voice_clone")
    ear.await_message(
        lambda said: said.get("STATUS", "").endswith(f"{service.path}; the store refuses the key")
    )
    ear.messages.clear()
    os.listdir(service / "voice_clone")
    ear.await_message(lambda said: said.get("STATUS") == f"mounted at {service.path}")


def test_a_new_key_is_used_from_the_next_request_on(service: MountedDrive, ear: NotifySocket) -> None:
    """SIGHUP reads the key file, and the manager sees the reload begin and end."""
    (service.home / "key").write_text(NEW_KEY)
    (service.home / "key").chmod(0o600)
    os.listdir(service / "voice_clone")
    service.configure('key_file = "~/key"')
    ear.hear()
    ear.messages.clear()
    assert "new: the key\n" in reload(service)
    os.listdir(service / "prompt_audio")
    assert [seen.headers["authorization"] for seen in service.emulator.log] == [
        f"Bearer {KEY}",
        f"Bearer {NEW_KEY}",
    ]
    ear.await_message(lambda said: said.get("READY") == "1")
    told = [next(iter(said)) for said in ear.messages if "WATCHDOG" not in said]
    assert told[:2] == ["RELOADING", "READY"]
    assert NEW_KEY not in service.log.read_text()


def test_settings_that_can_change_do(drive_with: Callable[..., MountedDrive]) -> None:
    """Write-back from the next close on, and a log in another form from the next line on."""
    drive = drive_with()
    drive.emulator.inject(Fault(Operation.UPLOAD, Kind.RESET, times=None))
    drive.configure(
        'write_back = true\nlog_format = "json"\ncache_size = "8M"\nlocal_only = ["*.me"]\ndrain = 1'
    )
    said = json.loads(reload(drive).splitlines()[-1])
    assert said["message"] == "reloaded; new: cache_size, log_format, local_only, write_back"
    (drive / TEXTS / "a.txt").write_bytes(b"text")
    assert state(drive / TEXTS / "a.txt") != "stored"
    (drive / TEXTS / "b.me").write_bytes(b"text")
    assert "stays on this machine" in str(listed(drive)[f"{TEXTS}/b.me"]["why"])


def test_flags_still_win_after_a_reload(drive_with: Callable[..., MountedDrive]) -> None:
    """Who mounted with --log-level gets that, whatever the file says by now."""
    drive = drive_with("--log-level", "info")
    drive.configure('log_level = "error"')
    assert "new: nothing" in reload(drive)


def test_what_needs_a_remount_is_said(drive_with: Callable[..., MountedDrive]) -> None:
    """The kernel was told of these when the drive was mounted."""
    drive = drive_with()
    drive.expect("needs a remount")
    drive.configure('read_only = true\npurposes = ["retrieval"]\nfetch_ahead = false')
    drive.send(signal.SIGHUP)
    assert eventually(
        lambda: "a change of read_only, purposes, fetch_ahead needs a remount" in drive.log.read_text()
    )
    (drive / TEXTS / "a.txt").write_bytes(b"text")


def test_broken_settings_change_nothing(service: MountedDrive, ear: NotifySocket) -> None:
    """The drive goes on as it was, the log has the reason, and so has the status until it is mended."""
    service.expect("not reloaded")
    service.configure("drain = ")
    service.send(signal.SIGHUP)
    ear.await_message(lambda said: "not reloaded: " in said.get("STATUS", ""))
    assert os.listdir(service / "voice_clone") == []
    service.configure("drain = 4")
    ear.messages.clear()
    reload(service)
    ear.await_message(lambda said: said.get("STATUS") == f"mounted at {service.path}")


def test_a_drive_ends_with_its_terminal(drive: MountedDrive) -> None:
    """In the foreground of a terminal SIGHUP means that the terminal has gone: the drive goes, too."""
    drive.unmount()
    command = [sys.executable, "-m", "minimaxfs", "mount", "--foreground", str(drive.path)]
    command += ["--api-host", drive.emulator.api_origin]
    master, slave = pty.openpty()
    starting = ["setsid", "--ctty", "--wait", *command]
    with drive.log.open("ab") as log, os.fdopen(slave) as terminal:
        process = subprocess.Popen(starting, env=drive.environ, stdin=terminal, stderr=log)
    assert eventually(drive.answers), drive.log.read_text()
    os.close(master)
    assert process.wait(10) == 0
    assert "SIGHUP: unmounting" in drive.log.read_text()
    assert not drive.path.is_mount()
