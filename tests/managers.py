"""Real managers of systemd, in namespaces of their own: one of a user, one of the system; see tests/service.

Their mounts are seen inside only, so whoever uses a drive there is a process inside, too. Their other
files are reached from here below `/proc/PID/root`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from commands import Done, eventually, run

UID = 4711
"""Of `person`, an ordinary user inside."""

HOME = Path("/run/person")
ROOTS_HOME = Path("/root")
RUNTIME = Path(f"/run/user/{UID}")
JOURNAL = Path("/run/log/journal")
FSTAB = Path("/run/fstab")

CHECKOUT = Path(__file__).parents[1]
MINIMAXFS = Path(sys.executable).with_name("minimaxfs")

_NAMESPACES = ("--mount", "--pid", "--cgroup", "--ipc", "--uts")
_MANNER = ("--fork", "--kill-child", "--mount-proc", "--propagation", "private")

_PATH = "/usr/local/bin:/usr/bin:/bin"
_LOGIN = {"HOME": str(HOME), "PATH": _PATH, "XDG_RUNTIME_DIR": str(RUNTIME)}


class Inside:
    """The namespaces; `pid` is that of their init, as it is seen from outside."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def path(self, inside: Path) -> Path:
        """Where a file inside is from here."""
        return Path(f"/proc/{self.pid}/root{inside}")

    def write(self, inside: Path, text: str, mode: int = 0o644, owner: int = UID) -> None:
        """Write a file of a user's."""
        place = self.path(inside)
        for directory in [one for one in reversed(place.parents) if not one.exists()]:
            directory.mkdir()
            os.chown(directory, owner, owner)
        place.write_text(text)
        place.chmod(mode)
        os.chown(place, owner, owner)

    def as_root(self, *words: str | Path) -> list[str | Path]:
        """The words that run a command inside."""
        return ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--cgroup", *words]

    def as_person(self, *words: str | Path, environ: Mapping[str, str] | None = None) -> list[str | Path]:
        """The words that run a command inside, as the user with just a login's environment."""
        user = ("setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups")
        given = (f"{name}={value}" for name, value in {**_LOGIN, **(environ or {})}.items())
        return self.as_root(*user, "env", "-i", "-C", HOME, *given, *words)

    def run(self, *words: str | Path, environ: Mapping[str, str] | None = None) -> Done:
        """Run a command of the user's."""
        return run(self.as_person(*words, environ=environ), os.environ)

    def run_as_root(self, *words: str | Path) -> Done:
        """Run a command without any environment, as a machine does that starts."""
        return run(self.as_root("env", "-i", *words), os.environ)

    def mountinfo(self) -> str:
        return Path(f"/proc/{self.pid}/mountinfo").read_text()

    def processes(self, *words: str) -> list[int]:
        """The pids, from outside, of what runs inside with these words in its command line."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                is_inside = entry.name.isdecimal() and (entry / "ns/pid").readlink() == self._pid_namespace
                if is_inside and set(words) <= set((entry / "cmdline").read_text().split("\0")):
                    found.append(int(entry.name))
        return found

    @property
    def _pid_namespace(self) -> Path:
        return Path(f"/proc/{self.pid}/ns/pid").readlink()


class UserManager(Inside):
    """The systemd of `person`."""

    def minimaxfs(self, *words: str | Path, environ: Mapping[str, str] | None = None) -> Done:
        return self.run(MINIMAXFS, *words, environ=environ)

    def systemctl(self, *words: str) -> Done:
        return self.run("systemctl", "--user", *words)

    def journal(self, unit: str) -> list[dict[str, str]]:
        """What a unit has logged so far."""
        words = ("journalctl", "--quiet", "--directory", JOURNAL, "--output=json")
        done = run(self.as_root(*words, f"_SYSTEMD_USER_UNIT={unit}"), os.environ)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def is_up(self) -> bool:
        """Whether it has started all that a login starts."""
        socket = self.path(RUNTIME / "systemd/private")
        return socket.exists() and self.systemctl("is-active", "default.target").returncode == 0


class SystemManager(Inside):
    """The systemd of the machine."""

    def systemctl(self, *words: str) -> Done:
        return self.run_as_root(f"PATH={_PATH}", "systemctl", *words)

    def is_up(self) -> bool:
        """Whether it answers."""
        socket = self.path(Path("/run/systemd/private"))
        return socket.exists() and self.systemctl("is-active", "nothing.target").returncode == 0


@contextmanager
def user_manager(log: Path) -> Iterator[UserManager]:
    """Start it, and leave nothing of it."""
    with _namespaces("user-manager", log) as (pid, process):
        manager = UserManager(pid)
        assert eventually(manager.is_up), log.read_text()
        yield manager
        manager.systemctl("exit")
        process.wait(20)


@contextmanager
def system_manager(log: Path) -> Iterator[SystemManager]:
    """Start it, and leave nothing of it."""
    with _namespaces("system-manager", log) as (pid, _):
        manager = SystemManager(pid)
        assert eventually(manager.is_up), log.read_text()
        yield manager


@contextmanager
def _namespaces(script: str, log: Path) -> "Iterator[tuple[int, subprocess.Popen[bytes]]]":
    """Run a script as init of namespaces, and give its pid and the process that waits for it."""
    assert os.geteuid() == 0, "only root can make the namespaces of these tests: run them by sudo"
    command = CHECKOUT / "tests/service" / script
    words = ("unshare", *_NAMESPACES, *_MANNER, command, str(UID), CHECKOUT, MINIMAXFS)
    with log.open("wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=output, start_new_session=True)
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        assert eventually(lambda: bool(children.read_text())), log.read_text()
        yield int(children.read_text().split()[0]), process
    finally:
        process.kill()
        process.wait(10)
        assert eventually(lambda: _is_cleared_up(f"minimaxfs-{script}.slice"))


def _is_cleared_up(group: str) -> bool:
    """Remove the groups of processes that were killed: they take a moment to go."""
    own = Path("/proc/self/cgroup").read_text().split("0::/")[1].split("\n")[0]
    places = [Path("/sys/fs/cgroup", below, own, group) for below in ("", "unified")]
    for place in places:
        for path, _, _ in os.walk(place, topdown=False):
            with suppress(OSError):
                os.rmdir(path)
    return not any(place.exists() for place in places)
