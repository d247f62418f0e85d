"""Where the API key comes from, and what is refused as one. No message here ever shows a key.

First `$CREDENTIALS_DIRECTORY/minimax-api-key` (systemd's LoadCredential), then the profile's `key_file`,
then `MINIMAX_API_KEY`: files before the environment, because every child of a process inherits that.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from minimaxfs.api.endpoint import checked_key
from minimaxfs.core.errors import ConfigError

CREDENTIAL = "minimax-api-key"
VARIABLE = "MINIMAX_API_KEY"

_LONGEST = 8192
"""Bytes of a key file that are read: MiniMax's longest keys are signed tokens of about 1,000."""


def find(environ: Mapping[str, str], key_file: Path | None) -> str:
    """Give the key of the first place that has one, or raise `ConfigError`."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if directory and (given := Path(directory, CREDENTIAL)).exists():
        return _checked(_content(given), str(given))
    if key_file is not None:
        refuse_shared(key_file)
        return _checked(_content(key_file), str(key_file))
    if VARIABLE in environ:
        return _checked(environ[VARIABLE], VARIABLE)
    advice = f"Name a key_file in the configuration or set {VARIABLE}; `minimaxfs demo` needs no key."
    raise ConfigError("there is no API key", advice)


def _checked(text: str, place: str) -> str:
    try:
        return checked_key(text)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}", error.advice) from None


def refuse_shared(key_file: Path) -> None:
    """Raise `ConfigError` unless it is a file of the user or of root that only its owner may read."""
    try:
        status = os.stat(key_file)
    except OSError as error:
        raise _unreadable(key_file, error) from None
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"the key_file {key_file} is not a file", "Name a file that holds the key.")
    if stat.S_IMODE(status.st_mode) not in {0o600, 0o400}:
        mode = stat.S_IMODE(status.st_mode)
        raise ConfigError(
            f"the key_file {key_file} may be read by others (mode {mode:04o})",
            f"Make it yours alone: `chmod 600 {key_file}`.",
        )
    if status.st_uid not in {0, os.geteuid()}:
        advice = "Use a file of your own: who owns a key file can change the key."
        raise ConfigError(f"the key_file {key_file} belongs to another user", advice)


def _content(file: Path) -> str:
    try:
        with file.open("rb") as key:
            return key.read(_LONGEST).decode("ascii", errors="replace")
    except OSError as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: OSError) -> ConfigError:
    advice = "Correct the path, or the permissions of its directory."
    return ConfigError(f"the key file {file} cannot be read: {error.strerror}", advice)
