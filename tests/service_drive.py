"""A drive that is a service of a real systemd."""

import subprocess
from pathlib import Path

from commands import Done, eventually
from managers import HOME, UserManager
from minimaxfs.emulator.background import Emulator

CONFIG = HOME / ".config/minimaxfs/config.toml"
UNITS = HOME / ".config/systemd/user"

QUICK = "RestartSec=100ms"
"""For the tests: the unit gives a daemon that fails five seconds to think."""


class ServiceDrive:
    """The service of one profile."""

    def __init__(self, manager: UserManager, profile: str, emulator: Emulator) -> None:
        self.manager = manager
        self.profile = profile
        self.emulator = emulator
        self.unit = f"minimaxfs@{profile}.service"
        self.path = HOME / f"MiniMax-{profile}"
        self.key = HOME / f"{profile}.key"
        self.file = UNITS / "minimaxfs@.service"

    def __truediv__(self, name: str) -> Path:
        """A path in the drive, as it is inside."""
        return self.path / name

    @property
    def table(self) -> str:
        """The profile, as the file has it."""
        return f'[profile.{self.profile}]\napi_host = "{self.emulator.api_origin}"\n'

    def configure(self, more: str = "", key: str = "sk-1") -> None:
        """Write the profile and its key; the profiles of tests before are gone."""
        self.manager.write(self.key, key, 0o600)
        self.manager.write(CONFIG, f'{self.table}key_file = "{self.key}"\n{more}')

    def configure_without_key(self) -> None:
        """Write the profile alone."""
        self.manager.write(CONFIG, self.table)

    def drop_in(self, *lines: str) -> None:
        """Add to the unit's [Service] section, for this instance only."""
        self.manager.write(UNITS / f"{self.unit}.d/tests.conf", "\n".join(("[Service]", *lines, "")))
        self.manager.systemctl("daemon-reload")

    def install(self, *lines: str) -> None:
        """Make it a service, which runs."""
        self.drop_in(QUICK, *lines)
        done = self.manager.minimaxfs("service", "install", "--profile", self.profile)
        assert done.returncode == 0, done.stderr + self.log()

    def remove(self) -> None:
        """Leave nothing to the next test."""
        self.manager.systemctl("disable", "--now", self.unit)
        self.manager.systemctl("reset-failed", self.unit)

    def show(self, name: str) -> str:
        """A property of the unit."""
        return self.manager.systemctl("show", "--value", "-p", name, self.unit).stdout.strip()

    @property
    def pid(self) -> str:
        """The daemon's, as it is inside."""
        return self.show("MainPID")

    def log(self) -> str:
        return "\n".join(entry["MESSAGE"] for entry in self.manager.journal(self.unit))

    def is_mounted(self) -> bool:
        return f" {self.path} " in self.manager.mountinfo()

    def kill(self, signal: str) -> None:
        """Send the daemon a signal."""
        done = self.manager.run("kill", f"-{signal}", self.pid)
        assert done.returncode == 0, done.stderr

    def read(self, name: str) -> str:
        """What a file in the drive holds."""
        done = self.manager.run("cat", self / name)
        assert done.returncode == 0, done.stderr + self.log()
        return done.stdout

    def is_readable(self, name: str) -> bool:
        return self.manager.run("cat", self / name).returncode == 0

    def restarts(self) -> int:
        return int(self.show("NRestarts"))

    def comes_back(self) -> bool:
        """Whether it is up again in time, after one restart."""
        return eventually(lambda: self.restarts() == 1 and self.show("ActiveState") == "active")

    def start(self, *words: str | Path) -> "subprocess.Popen[bytes]":
        """Begin a command of the user's, that uses the drive."""
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self.manager.as_person(*words), stdin=quiet, stdout=quiet, stderr=quiet)

    def minimaxfs(self, *words: str | Path) -> Done:
        return self.manager.minimaxfs(*words)

    @property
    def file_is_there(self) -> bool:
        """Whether the unit is."""
        return self.manager.path(self.file).exists()

    @property
    def installed(self) -> str:
        """The unit file."""
        return self.manager.path(self.file).read_text()
