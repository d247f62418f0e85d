"""The places an option may come from: flag > environment > `[profile.NAME]` of the file.

Whatever the place, the same reader reads the value, and a refusal (`ConfigError`) names the place.
"""

import difflib
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from minimaxfs import values
from minimaxfs.core.errors import ConfigError

DEFAULT_PROFILE = "default"

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "profile": ("MINIMAXFS_PROFILE",),
    "mountpoint": (),
    "api_host": ("MINIMAX_API_HOST", "MINIMAX_BASE_URL"),
    "preset": ("MINIMAX_REGION",),
    "gateway": (),
    "purposes": (),
    "key_file": (),
    "cache_size": ("MINIMAXFS_CACHE_SIZE",),
    "read_only": ("MINIMAXFS_READ_ONLY",),
    "allow_other": ("MINIMAXFS_ALLOW_OTHER",),
    "log_level": ("MINIMAXFS_LOG_LEVEL",),
    "log_format": ("MINIMAXFS_LOG_FORMAT",),
    "check_types": ("MINIMAXFS_CHECK_TYPES",),
    "write_back": ("MINIMAXFS_WRITE_BACK",),
    "rename": ("MINIMAXFS_RENAME",),
    "local_only": (),
    "fetch_ahead": ("MINIMAXFS_FETCH_AHEAD",),
    "drain": ("MINIMAXFS_DRAIN",),
}
"""Every option, and the environment variables that give it: of those, the first that is not empty."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was given. `place` says where in words, and `rank` how near: 0 is a flag, 2 the file."""

    value: object
    place: str
    rank: int

    def read(self, reader: Callable[[object], _Value]) -> _Value:
        try:
            return reader(self.value)
        except ValueError as error:
            raise ConfigError(f"{self.place} cannot be {self.value!r}", f"Write {error}.") from None


@dataclass(frozen=True, slots=True)
class Sources:
    """What was given: `table` is the profile's, and `file` the name of the file that holds it."""

    flags: Mapping[str, object]
    environ: Mapping[str, str]
    table: Mapping[str, object] = field(default_factory=dict)
    file: str = "config.toml"

    def given(self, option: str) -> Given | None:
        """Find `option` in the nearest place that has it."""
        if self.flags.get(option) is not None:
            return Given(self.flags[option], "--" + option.replace("_", "-"), 0)
        for variable in OPTIONS.get(option, ()):
            if self.environ.get(variable):
                return Given(self.environ[variable], variable, 1)
        if option in self.table:
            return Given(self.table[option], f"{option} in {self.file}", 2)
        return None

    def read(self, option: str, reader: Callable[[object], _Value], default: _Value) -> _Value:
        given = self.given(option)
        return default if given is None else given.read(reader)


def read_file(file: Path) -> Mapping[str, object]:
    """Read the configuration; a file that is not there is an empty one."""
    try:
        with file.open("rb") as content:
            return tomllib.load(content)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML: {error}", "Correct it.") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}", "Make it readable.") from None


def profile_table(document: Mapping[str, object], profile: str, file: str) -> Mapping[str, object]:
    """Give `[profile.NAME]`. A name that the file's profiles lack is refused: it is misspelt."""
    refuse_unknown(document, ("profile",), f"the key {{}} in {file}")
    profiles = Given(document.get("profile", {}), f"profile in {file}", 2).read(values.table)
    if profile not in profiles:
        if profile != DEFAULT_PROFILE:
            refuse_unknown((profile,), profiles, f"the profile {{}}: it is not in {file}")
        return {}
    table = Given(profiles[profile], f"profile.{profile} in {file}", 2).read(values.table)
    refuse_unknown(table, OPTIONS.keys() - {"profile"}, f"the key {{}} in [profile.{profile}] of {file}")
    return table


def refuse_unknown(names: Iterable[str], known: Collection[str], what: str) -> None:
    """Raise `ConfigError` for the first name that is not known, and propose the nearest that is.

    `what` describes the name, at its `{}`. Where nothing is known, nothing is unknown.
    """
    for name in names:
        if known and name not in known:
            nearest = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.0)[0]
            raise ConfigError(f"unknown: {what.format(repr(name))}", f"Did you mean {nearest!r}?")
