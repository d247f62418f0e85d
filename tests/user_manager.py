"""A real `systemd --user` of an ordinary user, in namespaces of its own: see tests/service/user-manager.

Its mounts are seen inside only, so whoever uses a drive there is a process inside, too. Its other files
are reached from here below `/proc/PID/root`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from commands import Done, eventually, run

UID = 4711

HOME = Path("/run/person")
RUNTIME = Path(f"/run/user/{UID}")
JOURNAL = Path("/run/log/journal")

CHECKOUT = Path(__file__).parents[1]
MINIMAXFS = Path(sys.executable).with_name("minimaxfs")

_NAMESPACES = (
    "--mount",
    "--pid",
    "--cgroup",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--propagation",
    "private",
)

_ENVIRON = {
    "HOME": str(HOME),
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "XDG_RUNTIME_DIR": str(RUNTIME),
}


class UserManager:
    """The manager; `pid` is that of the namespaces' init, as it is seen from outside."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def path(self, inside: Path) -> Path:
        """Where a file inside is from here."""
        return Path(f"/proc/{self.pid}/root{inside}")

    def write(self, inside: Path, text: str, mode: int = 0o644) -> None:
        """Write a file of the user's."""
        place = self.path(inside)
        for directory in [one for one in reversed(place.parents) if not one.exists()]:
            directory.mkdir()
            os.chown(directory, UID, UID)
        place.write_text(text)
        place.chmod(mode)
        os.chown(place, UID, UID)

    def as_root(self, *words: str | Path) -> list[str | Path]:
        """The words that run a command inside."""
        return ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--cgroup", *words]

    def as_person(self, *words: str | Path, environ: Mapping[str, str] | None = None) -> list[str | Path]:
        """The words that run a command inside, as the user with just a login's environment."""
        user = (
            "setpriv",
            "--reuid",
            str(UID),
            "--regid",
            str(UID),
            "--clear-groups",
            "env",
            "-i",
            "-C",
            HOME,
        )
        given = (f"{name}={value}" for name, value in {**_ENVIRON, **(environ or {})}.items())
        return self.as_root(*user, *given, *words)

    def run(self, *words: str | Path, environ: Mapping[str, str] | None = None) -> Done:
        return run(self.as_person(*words, environ=environ), os.environ)

    def minimaxfs(self, *words: str | Path, environ: Mapping[str, str] | None = None) -> Done:
        return self.run(MINIMAXFS, *words, environ=environ)

    def systemctl(self, *words: str) -> Done:
        return self.run("systemctl", "--user", *words)

    def mountinfo(self) -> str:
        return Path(f"/proc/{self.pid}/mountinfo").read_text()

    def journal(self, unit: str) -> list[dict[str, str]]:
        """What a unit has logged so far."""
        words = (
            "journalctl",
            "--quiet",
            "--directory",
            JOURNAL,
            "--output=json",
            f"_SYSTEMD_USER_UNIT={unit}",
        )
        done = run(self.as_root(*words), os.environ)
        return [json.loads(line) for line in done.stdout.splitlines()]


@contextmanager
def user_manager(log: Path) -> Iterator[UserManager]:
    """Start it, and leave nothing of it."""
    assert os.geteuid() == 0, "only root can make the namespaces of these tests: run them by sudo"
    words: list[str | Path] = [
        "unshare",
        *_NAMESPACES,
        CHECKOUT / "tests/service/user-manager",
        str(UID),
        CHECKOUT,
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=output, start_new_session=True)
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        assert eventually(lambda: bool(children.read_text())), log.read_text()
        manager = UserManager(int(children.read_text().split()[0]))
        assert eventually(lambda: is_up(manager)), log.read_text()
        yield manager
        manager.systemctl("exit")
        process.wait(20)
    finally:
        process.kill()
        process.wait(10)


def is_up(manager: UserManager) -> bool:
    """Whether it has started all that a login starts."""
    socket = manager.path(RUNTIME / "systemd/private")
    return socket.exists() and manager.systemctl("is-active", "default.target").returncode == 0
