"""What `minimaxfs doctor` looks at of systemd: whether the drive starts with the session, and outlives it."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from minimaxfs.config import home_directory
from minimaxfs.findings import Finding, note

UNIT = "minimaxfs@.service"

_EVERYONES = (Path("/etc/systemd/user"), Path("/usr/local/lib/systemd/user"), Path("/usr/lib/systemd/user"))

_LINGER = Path("/var/lib/systemd/linger")
"""A file here, by the user's name, keeps their services running when they are not logged in."""


def unit(environ: Mapping[str, str], everyones: tuple[Path, ...] = _EVERYONES) -> Finding:
    """Look for the unit."""
    base = environ.get("XDG_CONFIG_HOME", "")
    own = Path(base) if base.startswith("/") else home_directory(environ) / ".config"
    found = next(
        (place / UNIT for place in (own / "systemd/user", *everyones) if (place / UNIT).exists()), None
    )
    if found is None:
        return note("service", "is not installed", "To mount at login: `minimaxfs service install`.")
    return Finding("service", f"is installed: {found}")


def linger(user: str, place: Path = _LINGER) -> Finding:
    """Look whether the user's services outlive their sessions."""
    if (place / user).exists():
        return Finding("linger", f"is on for {user}: services run from boot on")
    advice = f"To mount at boot, and stay mounted after logout: `loginctl enable-linger {user}`."
    return note("linger", f"is off for {user}", advice)


def service(environ: Mapping[str, str]) -> list[Finding]:
    """Look at all of it."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    return [unit(environ), linger(user)]
