"""The unit file: a template for all profiles, with the path of this very program in it."""

import os
import shutil
import sys
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from minimaxfs.core.errors import ConfigError

NAME = "minimaxfs@.service"

PLACEHOLDER = "%h/.local/bin/minimaxfs"
"""What the template calls: the place where pip and pipx put a user's programs."""

_CHECKOUT = Path(__file__).parents[2] / "systemd"


def instance(profile: str) -> str:
    """Name the service of a profile."""
    return NAME.replace("@", f"@{profile}")


def template() -> str:
    """Read the template: in an installed package it is beside the code, in a checkout above it."""
    packed = files("minimaxfs") / "units" / NAME
    return packed.read_text() if packed.is_file() else (_CHECKOUT / NAME).read_text()


def unit(command: Iterable[str]) -> str:
    """Write the unit that calls `command`. Raises ConfigError where systemd cannot be told its path."""
    return template().replace(PLACEHOLDER, " ".join(map(_word, command)))


def own_command(called: str = sys.argv[0]) -> list[str]:
    """Give the words that call this program by absolute path; a link stays one, which an upgrade follows."""
    found = shutil.which(called)
    if found is not None and os.path.basename(found) == "minimaxfs":
        return [os.path.abspath(found)]
    beside = Path(sys.executable).with_name("minimaxfs")
    if os.access(beside, os.X_OK):
        return [str(beside)]
    return [sys.executable, "-m", "minimaxfs"]


def _word(word: str) -> str:
    """Quote a word as systemd.syntax(7) has it. A dollar has no escape in a program's path."""
    if "$" in word or not word.isprintable():
        advice = "Install minimaxfs at a path without dollar signs and control characters."
        raise ConfigError(f"systemd cannot be told to run {word!r}", advice)
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain}"' if set(plain) & set(" '\";") else plain
