"""What the drive was asked to be, all decided.

`settle` decides and is pure; `load` reads the file and the key for it. Whatever is wrong with what was
asked is a `ConfigError` that names the place it was asked in, and never shows a key.
"""

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from minimaxfs import credentials, mounts, values
from minimaxfs.api.endpoint import PRESETS, Endpoint, Operation
from minimaxfs.core.errors import ConfigError
from minimaxfs.core.files import PURPOSES, Purpose
from minimaxfs.core.rules import LOCAL_ONLY, Rules, local_only_pattern
from minimaxfs.sources import DEFAULT_PROFILE, Sources, profile_table, read_file, refuse_unknown

DEFAULT_CACHE_SIZE = 10 * 1024**3
"""Bytes: 10 GiB hold the twenty largest files that the store takes, and are a small part of a disk."""

SMALLEST_CACHE_SIZE = 4 * 1024**2
"""Bytes of one ranged GET: below it, a block could be gone before its reader comes for it."""


DEFAULT_DRAIN = 30.0
"""Seconds that uploads get at the end: as long as a person waits, a third of what systemd gives a service
(90 s), and 37 MB at 10 Mbit/s. What is not through by then goes on at the next mount."""

LEVEL = values.one_of("debug", "info", "warning", "error")
LOG_FORMAT = values.one_of("text", "json")

GATEWAY_KEYS = ("prefix", "extra_query", "price")


@dataclass(frozen=True, slots=True)
class Helper:
    """What else mount(8) says where it calls for the drive (`fstab`).

    `channel` is a descriptor of /dev/fuse where the kernel has mounted already, and waits for its drive.
    """

    noexec: bool = False
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """A drive as it was asked for.

    `cache_size` is in bytes, `drain` in seconds; `key` is a secret, left out of the repr.
    `state_dir` (ledger, spool, log) and `cache_dir` (blocks) belong to one profile of one server: on
    another server a file_id names other bytes.
    """

    profile: str
    mountpoint: Path
    endpoint: Endpoint
    key: str = field(repr=False)
    state_dir: Path
    cache_dir: Path
    cache_size: int = DEFAULT_CACHE_SIZE
    read_only: bool = False
    allow_other: bool = False
    log_level: str = "info"
    log_format: str = "text"
    purposes: tuple[Purpose, ...] = PURPOSES
    rules: Rules = field(default_factory=Rules)
    drain: float = DEFAULT_DRAIN
    helper: Helper | None = None


def load(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """Read the file and the key, and settle the rest."""
    home = home_directory(environ)
    sources = read_sources(flags, environ)
    return settle(sources, chosen_mountpoint(sources, home), home, key_of(sources, environ))


def key_of(sources: Sources, environ: Mapping[str, str]) -> str:
    """Find the key. Raises ConfigError where there is none."""
    key_file = sources.given("key_file")
    if key_file is None:
        return credentials.find(environ, None)
    chosen = home_directory(environ) / key_file.read(values.path).removeprefix("~/")
    return credentials.find(environ, chosen)


def read_sources(flags: Mapping[str, object], environ: Mapping[str, str]) -> Sources:
    """Read the profile's table from the file."""
    file = xdg_directory(environ, "XDG_CONFIG_HOME", home_directory(environ) / ".config") / "config.toml"
    above = Sources(flags, environ)
    profile = above.read("profile", values.word, DEFAULT_PROFILE)
    return replace(above, table=profile_table(read_file(file), profile, str(file)), file=str(file))


def chosen_mountpoint(sources: Sources, home: Path) -> Path:
    """Find where the drive is to be, absolute and free of links: a place of its own for each profile."""
    profile = sources.read("profile", values.word, DEFAULT_PROFILE)
    name = "MiniMax" if profile == DEFAULT_PROFILE else f"MiniMax-{profile}"
    chosen = sources.read("mountpoint", values.place, f"~/{name}")
    place = home / chosen.removeprefix("~/") if chosen.startswith("~/") else Path(chosen)
    return mounts.located(place, mounts.current())


def settle(sources: Sources, mountpoint: Path, home: Path, key: str) -> Settings:
    """Decide every option; pure."""
    profile = sources.read("profile", values.word, DEFAULT_PROFILE)
    endpoint = chosen_endpoint(sources)
    own = Path(profile, server_name(endpoint))
    return Settings(
        profile=profile,
        mountpoint=mountpoint,
        endpoint=endpoint,
        key=key,
        state_dir=xdg_directory(sources.environ, "XDG_STATE_HOME", home / ".local/state") / own,
        cache_dir=xdg_directory(sources.environ, "XDG_CACHE_HOME", home / ".cache") / own,
        cache_size=sources.read("cache_size", _cache_size, DEFAULT_CACHE_SIZE),
        read_only=sources.read("read_only", values.switch, False),
        allow_other=sources.read("allow_other", values.switch, False),
        log_level=sources.read("log_level", LEVEL, "info"),
        log_format=sources.read("log_format", LOG_FORMAT, "text"),
        purposes=chosen_purposes(sources.read("purposes", values.words, ())),
        rules=chosen_rules(sources, endpoint),
        drain=sources.read("drain", values.seconds, DEFAULT_DRAIN),
        helper=sources.read("helper", _helper, None),
    )


def chosen_rules(sources: Sources, endpoint: Endpoint) -> Rules:
    """Read what the drive takes, and when; and whether it fetches ahead, where that could cost money."""
    is_free = not endpoint.price(Operation.retrieve)
    return Rules(
        local_only=local_only_pattern(sources.read("local_only", values.patterns, LOCAL_ONLY)),
        check_types=sources.read("check_types", values.switch, True),
        write_back=sources.read("write_back", values.switch, False),
        rename_uploads=sources.read("rename", values.one_of("alias", "upload"), "alias") == "upload",
        fetches_runs=sources.read("fetch_ahead", values.switch, is_free),
    )


def chosen_endpoint(sources: Sources) -> Endpoint:
    """Find the server: a host outranks a preset (a region is one) that was given no nearer.

    A host that is a preset's own brings the preset's queries and prices with it.
    """
    host, named = sources.given("api_host"), sources.given("preset")
    preset = PRESETS["global"] if named is None else named.read(_preset)
    if host is not None and (named is None or host.rank <= named.rank):
        elsewhere = preset.at(host.read(values.text))
        same = (known for known in PRESETS.values() if known.origin == elsewhere.origin)
        preset = next(same, elsewhere)
    return through_gateway(sources, preset)


def through_gateway(sources: Sources, preset: Endpoint) -> Endpoint:
    """Read what `[profile.NAME.gateway]` says of the server that differs from the preset."""
    given = sources.given("gateway")
    described = {} if given is None else given.read(values.table)
    refuse_unknown(described, GATEWAY_KEYS, f"the key {{}} of gateway in {sources.file}")
    gateway = Sources({}, {}, described, f"gateway of {sources.file}")
    return replace(
        preset,
        prefix=gateway.read("prefix", values.url_path, preset.prefix),
        query=gateway.read("extra_query", _queries, preset.query),
        prices=gateway.read("price", _prices, preset.prices),
    )


def chosen_purposes(names: tuple[str, ...]) -> tuple[Purpose, ...]:
    """Add `names` to the documented purposes. One that is there already is taken to be listed, too."""
    listed = tuple(replace(known, lists=True) if known.name in names else known for known in PURPOSES)
    documented = {known.name for known in PURPOSES}
    added = (name for name in dict.fromkeys(names) if name not in documented)
    return listed + tuple(Purpose(name, uploads=True, lists=True, deletes=True) for name in added)


def server_name(endpoint: Endpoint) -> str:
    """Name the server in one path component, a different one for every origin and prefix.

    `https+api.minimax.io`, `http+127.0.0.1:8080`; the parts themselves have no plus left.
    """
    scheme, _, rest = endpoint.origin.partition("://")
    name = f"{scheme}+{quote(rest, safe=':[]')}"
    if endpoint.prefix == PRESETS["global"].prefix:
        return name
    return f"{name}+{quote(endpoint.prefix, safe='')}"


def home_directory(environ: Mapping[str, str]) -> Path:
    """Give the user's home: HOME where it is absolute, else the password database's."""
    home = environ.get("HOME", "")
    if home.startswith("/"):
        return Path(home)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise ConfigError(f"user {os.getuid()} has no home directory", "Set HOME.") from None


def xdg_directory(environ: Mapping[str, str], variable: str, default: Path) -> Path:
    """Give our directory below the base directory `variable`; a relative one is ignored (XDG's rule)."""
    base = environ.get(variable, "")
    return Path(base if base.startswith("/") else default, "minimaxfs")


def _cache_size(value: object) -> int:
    size = values.size(value)
    if size < SMALLEST_CACHE_SIZE:
        raise ValueError("at least 4M: it is what one request fetches")
    return size


def _helper(value: object) -> Helper | None:
    """Take what `fstab` has made; no other place has it."""
    if isinstance(value, Helper):
        return value
    raise ValueError("nothing")


def _preset(value: object) -> Endpoint:
    if isinstance(value, str) and value in PRESETS:
        return PRESETS[value]
    raise ValueError(f"one of {', '.join(PRESETS)}")


def _operation(name: str) -> Operation:
    refuse_unknown((name,), tuple(Operation), "the operation {}")
    return Operation(name)


def _queries(value: object) -> Mapping[Operation, Mapping[str, str]]:
    """Read `{operation = {name = "value"}}`."""
    return {
        _operation(name): {key: values.text(one) for key, one in values.table(query).items()}
        for name, query in values.table(value).items()
    }


def _prices(value: object) -> Mapping[Operation, float]:
    """Read `{operation = dollars}`."""
    return {_operation(name): values.dollars(price) for name, price in values.table(value).items()}
