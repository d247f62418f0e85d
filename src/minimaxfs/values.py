"""How an option's value is written, the same on the command line, in the environment and in the file.

Each reader takes what was given and returns the value, or raises `ValueError` with what to write instead.
"""

import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

SIZE_UNITS: Mapping[str, int] = {
    "": 1,
    **{letter + tail: 1024**power for power, letter in enumerate("KMGT", 1) for tail in ("", "iB")},
    **{letter + "B": 1000**power for power, letter in enumerate("KMGT", 1)},
}
"""Bytes of each unit, as in du and dd: 10G and 10GiB are powers of 1024, 10GB is one of 1000."""

_SWITCHES: Mapping[str, bool] = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text")
    return value


def name(value: object) -> str:
    """Read a text that may be empty."""
    return value if value == "" and isinstance(value, str) else text(value)


def size(value: object) -> int:
    """Read bytes: a whole number, or a number with a unit."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    written = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?([A-Za-z]*)", str(value), re.ASCII)
    if isinstance(value, str) and written:
        unit = next((n for name, n in SIZE_UNITS.items() if name.lower() == written[2].lower()), None)
        if unit is not None:
            return int(float(written[1]) * unit) if "." in written[1] else int(written[1]) * unit
    raise ValueError("a size such as 512M, 10G or 1.5GiB")


def switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _SWITCHES:
        return _SWITCHES[value.lower()]
    raise ValueError("true or false")


def one_of(*words: str) -> Callable[[object], str]:
    """Make the reader of a choice, in any case."""

    def read(value: object) -> str:
        if isinstance(value, str) and value.lower() in words:
            return value.lower()
        raise ValueError(f"one of {', '.join(words)}")

    return read


def word(value: object) -> str:
    """Read a name that becomes part of a path: letters, digits, `_`, `-` and, not in front, `.`."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}", value):
        return value
    raise ValueError("a name of letters, digits, dots, hyphens and underscores")


def words(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(word(one) for one in value)
    raise ValueError('a list of names, such as ["retrieval", "batch"]')


def table(value: object) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    raise ValueError("a table")


def tables(value: object) -> list[Mapping[str, object]]:
    if isinstance(value, list):
        return [table(one) for one in value]
    raise ValueError("a list of tables")


def path(value: object) -> str:
    """Read the path of a file: an absolute one, or one below the home directory."""
    if isinstance(value, str) and value.startswith(("/", "~/")) and "\0" not in value:
        return value
    raise ValueError("an absolute path, or one that starts with ~/")


def place(value: object) -> str:
    """Read a directory: as typed at a prompt, or as in `path`."""
    return os.fspath(value) if isinstance(value, Path) else path(value)


def url_path(value: object) -> str:
    """Read the path that stands before an operation's name, such as /minimax/v1/files."""
    if isinstance(value, str) and re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
        return value
    raise ValueError("a path such as /minimax/v1/files")


def seconds(value: object) -> float:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value, re.ASCII):
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return float(value)
    raise ValueError("a number of seconds, such as 30")


def whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("a whole number")


def patterns(value: object) -> tuple[str, ...]:
    """Read the shell patterns of names; no name has a slash."""
    if isinstance(value, list) and all(isinstance(one, str) and one and "/" not in one for one in value):
        return tuple(value)
    raise ValueError('a list of patterns of names, such as [".*", "*.tmp"]')


def dollars(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return float(value)
    raise ValueError("a price of one request in dollars, such as 0.004")
