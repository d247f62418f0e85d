"""The user's systemd, asked by its own program."""

import shlex
import subprocess
from collections.abc import Mapping

from minimaxfs.complaint import CommandFailed, Complaint

_NO_MANAGER = "Log in directly, not by su or sudo: a login starts the user's systemd."


def run(*words: str) -> str:
    """Run `systemctl --user WORDS` and return what it writes. Raises CommandFailed with its complaint."""
    command = ("systemctl", "--user", "--no-pager", *words)
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, stdin=subprocess.DEVNULL, text=True, errors="replace"
        )
    except FileNotFoundError:
        advice = "Run `minimaxfs mount --foreground` under the service manager that there is."
        raise CommandFailed(Complaint("there is no systemctl on this machine", advice)) from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"it ended with status {done.returncode}"
        advice = _NO_MANAGER if "connect to bus" in said else "See `journalctl --user`."
        raise CommandFailed(Complaint(f"{shlex.join(('systemctl', '--user', *words))}: {said}", advice))
    return done.stdout


def properties(unit: str, *names: str) -> Mapping[str, str]:
    """Ask for properties of a unit; what systemd does not know is empty."""
    lines = run("show", f"--property={','.join(names)}", "--", unit).splitlines()
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    return {name: told.get(name, "") for name in names}
