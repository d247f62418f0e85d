"""A drive on the real kernel: the daemon in a process of its own, the store an emulator.

The mountpoint must never be touched by the process that serves it, so the daemon is a
subprocess; and a daemon that hangs must not hang its test, so it is killed after a while:
the kernel then answers whatever waits for it.
"""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from commands import eventually
from minimaxfs.emulator.background import Emulator

KEY = "sk-a-key-that-no-log-may-show"

DRAIN = "3"
"""Seconds for uploads at the end, in place of 30: a test that stalls one does not wait for it."""

KILL_AFTER = 120.0
"""Seconds until a daemon is taken for hung; the slowest test takes a quarter of it."""

LOUD = re.compile(r"^\S+ \S+ (WARNING|ERROR|CRITICAL) ", re.MULTILINE)


class MountedDrive:
    """A mounted drive, its daemon, its store and its log."""

    def __init__(
        self,
        place: Path,
        emulator: Emulator,
        *,
        options: tuple[str, ...] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.path = place / "drive"
        self.home = place / "home"
        self.log = place / "log"
        self.emulator = emulator
        self._options = options
        self._environ = environ or {}
        self._expected: list[re.Pattern[str]] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: threading.Timer | None = None

    def __truediv__(self, name: str) -> Path:
        """A path in the drive."""
        return self.path / name

    @property
    def pid(self) -> int:
        """The daemon's."""
        assert self._process is not None
        return self._process.pid

    @property
    def environ(self) -> Mapping[str, str]:
        """Of the daemon, and of commands that talk to it: nothing of this machine's own configuration."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("MINIMAX", "XDG_"))}
        home = {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.home)}
        return {**own, **home, "MINIMAX_API_KEY": KEY, **self._environ}

    def configure(self, table: str) -> None:
        """Write the profile's table, for the next time that it is read."""
        file = self.home / ".config/minimaxfs/config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"[profile.default]\n{table}\n")

    def mount(self) -> None:
        """Start the daemon, and return when the kernel answers for it."""
        self.path.mkdir(exist_ok=True)
        self.home.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "minimaxfs", "mount", "--foreground", str(self.path)]
        command += ["--api-host", self.emulator.api_origin, "--drain", DRAIN, *self._options]
        with self.log.open("ab") as log:
            # In a session of its own, or the terminal of who runs the tests would be the drive's too.
            self._process = subprocess.Popen(
                command, env=self.environ, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True
            )
        self._watchdog = threading.Timer(KILL_AFTER, self._process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()
        assert eventually(lambda: self.has_ended() or self.answers(), 20), self.log.read_text()
        assert not self.has_ended(), self.log.read_text()

    def answers(self) -> bool:
        """Whether a living daemon answers for the mountpoint."""
        try:
            os.statvfs(self.path)
        except OSError:
            return False
        return self.path.is_mount()

    def has_ended(self) -> bool:
        """Whether the daemon's process has gone."""
        assert self._process is not None
        return self._process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Send the daemon a signal."""
        os.kill(self.pid, number)

    def wait(self, limit: float) -> int:
        """The exit status of the daemon, which is to end within `limit` seconds."""
        assert self._process is not None
        return self._process.wait(limit)

    def unmount(self, limit: float = 10.0) -> int:
        """End the daemon as a service manager would, and answer its exit status."""
        assert self._process is not None
        assert self._watchdog is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(limit)
        finally:
            self._process.kill()
            self._watchdog.cancel()
            subprocess.run(["umount", "--lazy", self.path], check=False, capture_output=True)

    def kill(self) -> None:
        """End the daemon as no one should, and clear the mount that it leaves."""
        self.send(signal.SIGKILL)
        self.unmount()

    def remount(self) -> None:
        """Unmount and mount again, with all that was kept."""
        self.unmount()
        self.mount()

    def expect(self, pattern: str) -> None:
        """A line of the log at WARNING or above that this test provokes."""
        self._expected.append(re.compile(pattern))

    def unexpected_lines(self) -> list[str]:
        """Lines of the log at WARNING or above that no test expected."""
        lines = self.log.read_text().splitlines()
        loud = [line for line in lines if LOUD.match(line) or line.startswith("Traceback")]
        return [line for line in loud if not any(pattern.search(line) for pattern in self._expected)]

    def resident_kib(self) -> int:
        """Memory of the daemon now, in KiB."""
        return self._status_kib("VmRSS")

    def peak_kib(self) -> int:
        """The most memory that the daemon ever had, in KiB."""
        return self._status_kib("VmHWM")

    def _status_kib(self, field: str) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1])


@contextmanager
def mounted(
    place: Path, emulator: Emulator, *options: str, environ: Mapping[str, str] | None = None
) -> Iterator[MountedDrive]:
    """A drive for one test: afterwards it must end cleanly, and must have logged nothing unexpected."""
    drive = MountedDrive(place, emulator, options=options, environ=environ)
    drive.mount()
    try:
        yield drive
    finally:
        status = drive.unmount()
    assert status in {0, -signal.SIGKILL}
    assert drive.unexpected_lines() == []
    assert KEY not in drive.log.read_text()
