import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from minimaxfs import config
from minimaxfs.api.endpoint import PRESETS, Operation
from minimaxfs.core.errors import ConfigError
from minimaxfs.core.files import PURPOSES
from minimaxfs.sources import Sources

HOME = Path("/home/ann")
DRIVE = Path("/home/ann/MiniMax")


def settled(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    table: Mapping[str, object] | None = None,
) -> config.Settings:
    return config.settle(Sources(flags or {}, environ or {}, table or {}), DRIVE, HOME, "sk-1")


@dataclass(frozen=True)
class Layered:
    """One option in the places it can be given, with other values in each."""

    option: str
    flag: object
    variable: tuple[str, str]
    file: object
    values: tuple[object, object, object, object]


LAYERED = [
    Layered("profile", "f", ("MINIMAXFS_PROFILE", "e"), "x", ("f", "e", "default", "default")),
    Layered("cache_size", "1G", ("MINIMAXFS_CACHE_SIZE", "2G"), "3G", (1 << 30, 2 << 30, 3 << 30, 10 << 30)),
    Layered("read_only", True, ("MINIMAXFS_READ_ONLY", "no"), True, (True, False, True, False)),
    Layered("allow_other", True, ("MINIMAXFS_ALLOW_OTHER", "no"), True, (True, False, True, False)),
    Layered(
        "log_level",
        "Debug",
        ("MINIMAXFS_LOG_LEVEL", "ERROR"),
        "warning",
        ("debug", "error", "warning", "info"),
    ),
    Layered("drain", "1.5", ("MINIMAXFS_DRAIN", "2"), 3, (1.5, 2.0, 3.0, 30.0)),
]

LAYERED_RULES = [
    Layered("write_back", False, ("MINIMAXFS_WRITE_BACK", "1"), False, (False, True, False, False)),
    Layered("check_types", True, ("MINIMAXFS_CHECK_TYPES", "no"), True, (True, False, True, True)),
    Layered("rename", "upload", ("MINIMAXFS_RENAME", "Alias"), "upload", (True, False, True, False)),
]


def everywhere(layered: Layered) -> tuple[config.Settings, ...]:
    """The settings where an option is given by flag and below, by environment and below, by file, and not."""
    flags = {layered.option: layered.flag}
    environ = dict([layered.variable])
    table = {} if layered.option == "profile" else {layered.option: layered.file}
    return (
        settled(flags, environ, table),
        settled({}, environ, table),
        settled({}, {}, table),
        settled(),
    )


@pytest.mark.parametrize("layered", LAYERED, ids=lambda layered: layered.option)
def test_flag_outranks_environment_outranks_file(layered: Layered) -> None:
    """Each option is taken from the nearest place that gives it."""
    found = everywhere(layered)
    assert tuple(getattr(settings, layered.option) for settings in found) == layered.values


@pytest.mark.parametrize("layered", LAYERED_RULES, ids=lambda layered: layered.option)
def test_rules_come_from_the_nearest_place(layered: Layered) -> None:
    """Options that are rules of the drive are taken from the same places."""
    field = {"rename": "rename_uploads"}.get(layered.option, layered.option)
    found = everywhere(layered)
    assert tuple(getattr(settings.rules, field) for settings in found) == layered.values


def test_the_file_may_name_what_stays_here() -> None:
    """`local_only` takes the place of the patterns that are built in; an empty list lets every name go."""
    rules = settled({}, {}, {"local_only": ["*.bak"]}).rules
    assert [rules.is_local_only(name) for name in ("a.bak", ".a", "a.tmp")] == [True, False, False]
    assert not settled({}, {}, {"local_only": []}).rules.is_local_only(".a")
    assert settled().rules.is_local_only(".a")


def test_an_option_not_given_is_no_option() -> None:
    """A flag that was not typed and a variable that is empty leave the choice to the next place."""
    flags = {"cache_size": None, "mountpoint": DRIVE, "foreground": False}
    assert settled(flags, {"MINIMAXFS_CACHE_SIZE": ""}, {"cache_size": "1G"}).cache_size == 1 << 30


@pytest.mark.parametrize(
    ("flags", "environ", "table", "origin"),
    [
        ({}, {}, {}, "https://api.minimax.io"),
        ({}, {}, {"preset": "cn"}, "https://api.minimax.cn"),
        ({}, {}, {"preset": "cn", "api_host": "https://f.example"}, "https://f.example"),
        ({}, {"MINIMAX_REGION": "cn"}, {"api_host": "https://f.example"}, "https://api.minimax.cn"),
        ({}, {"MINIMAX_REGION": "cn"}, {"preset": "cometapi"}, "https://api.minimax.cn"),
        ({}, {"MINIMAX_REGION": "cn", "MINIMAX_BASE_URL": "https://b.example"}, {}, "https://b.example"),
        ({}, {"MINIMAX_BASE_URL": "https://b.example/"}, {}, "https://b.example"),
        (
            {},
            {"MINIMAX_API_HOST": "https://h.example", "MINIMAX_BASE_URL": "https://b.example"},
            {},
            "https://h.example",
        ),
        (
            {"api_host": "http://127.0.0.1:8080"},
            {"MINIMAX_API_HOST": "https://h.example"},
            {},
            "http://127.0.0.1:8080",
        ),
    ],
)
def test_the_host_comes_from_the_nearest_place(
    flags: dict[str, object], environ: dict[str, str], table: dict[str, object], origin: str
) -> None:
    """--api-host, MINIMAX_API_HOST, MINIMAX_BASE_URL, MINIMAX_REGION, then the file's api_host and preset."""
    assert settled(flags, environ, table).endpoint.origin == origin


@pytest.mark.parametrize(
    "host", ["http://api.minimax.io", "ftp://x", "api.minimax.io", "https://me:pw@h.example"]
)
def test_a_host_that_would_leak_the_key_is_refused(host: str) -> None:
    """Plain http beyond this machine, and what is no https origin, is a configuration error."""
    with pytest.raises(ConfigError):
        settled({}, {"MINIMAX_API_HOST": host})


def test_a_presets_own_host_brings_its_queries_and_prices() -> None:
    """The gateway's host is enough: its query and its price need no further words."""
    assert settled({}, {"MINIMAX_BASE_URL": "https://api.cometapi.com"}).endpoint == PRESETS["cometapi"]


@pytest.mark.parametrize(
    ("environ", "table", "is_on"),
    [
        ({}, {}, True),
        ({}, {"preset": "cometapi"}, False),
        ({}, {"gateway": {"price": {"retrieve": 0.005}}}, False),
        ({}, {"gateway": {"price": {"list": 0.005}}}, True),
        ({}, {"preset": "cometapi", "fetch_ahead": True}, True),
        ({"MINIMAXFS_FETCH_AHEAD": "yes"}, {"preset": "cometapi"}, True),
        ({"MINIMAXFS_FETCH_AHEAD": "no"}, {"preset": "cometapi", "fetch_ahead": True}, False),
        ({}, {"fetch_ahead": False}, False),
    ],
)
def test_what_costs_money_is_not_fetched_ahead(
    environ: Mapping[str, str], table: Mapping[str, object], is_on: bool
) -> None:
    """Where a retrieve has a price, files that nobody asked for are left alone, unless one says otherwise."""
    assert settled({}, environ, table).rules.fetches_runs is is_on


def test_the_file_may_describe_a_gateway() -> None:
    """Prefix, extra query and price of each operation are configuration."""
    table = {
        "api_host": "https://gateway.example",
        "gateway": {
            "prefix": "/minimax/v1/files",
            "extra_query": {"list": {"model": "files"}},
            "price": {"retrieve": 0.005, "list": 0},
        },
    }
    endpoint = settled({}, {}, table).endpoint
    assert (
        endpoint.url(Operation.list_files, {}) == "https://gateway.example/minimax/v1/files/list?model=files"
    )
    assert endpoint.price(Operation.retrieve) == 0.005


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"cache_size": "10X"}, ("cache_size in config.toml", "'10X'", "512M")),
        ({"cache_size": "1M"}, ("at least 4M",)),
        ({"read_only": "perhaps"}, ("read_only", "true or false")),
        ({"preset": "mars"}, ("'mars'", "global, cn, cometapi")),
        ({"gateway": {"prefix": "v1"}}, ("prefix in gateway of config.toml", "/minimax/v1/files")),
        ({"gateway": {"price": {"retreive": 1}}}, ("'retreive'", "'retrieve'")),
        ({"gateway": {"price": {"retrieve": -1}}}, ("dollars",)),
        ({"gateway": {"extra_query": {"list": "x"}}}, ("a table",)),
        ({"gateway": {"prices": {}}}, ("'prices'", "'price'")),
        ({"gateway": "x"}, ("gateway in config.toml", "a table")),
        ({"rename": "copy"}, ("rename in config.toml", "alias, upload")),
        ({"drain": "1m"}, ("drain", "such as 30")),
        ({"local_only": "*.tmp"}, ("local_only", "a list of patterns")),
        ({"purposes": ["../x"]}, ("a name of letters",)),
    ],
)
def test_a_refusal_names_the_place_and_what_to_write(
    table: dict[str, object], words: tuple[str, ...]
) -> None:
    """The message says where the value was given, the advice what to write instead."""
    with pytest.raises(ConfigError) as refused:
        settled({}, {}, table)
    assert all(word in f"{refused.value} {refused.value.advice}" for word in words)


def test_configured_purposes_are_added_and_listed() -> None:
    """A new name becomes a directory; a documented one is listed although nobody promised so."""
    purposes = {one.name: one for one in settled({}, {}, {"purposes": ["retrieval", "t2a_async"]}).purposes}
    assert list(purposes) == [*(one.name for one in PURPOSES), "retrieval"]
    assert purposes["retrieval"].lists
    assert purposes["retrieval"].uploads
    assert purposes["t2a_async"].lists
    assert not purposes["t2a_async"].uploads
    assert not purposes["video_generation"].lists


def test_the_key_is_not_in_the_repr() -> None:
    """A log line of the settings does not give the key away."""
    assert "sk-1" not in repr(settled())


def test_directories_belong_to_a_profile_of_one_server() -> None:
    """Two profiles, hosts, ports, schemes or prefixes never share a ledger or a block."""
    several = [
        settled(),
        settled({"profile": "work"}),
        settled({"api_host": "https://api.minimax.cn"}),
        settled({"api_host": "https://localhost:80"}),
        settled({"api_host": "http://localhost:80"}),
        settled({"api_host": "http://localhost:81"}),
        settled({"api_host": "https://localhost/80"}),
        settled({}, {}, {"gateway": {"prefix": "/x/v1/files"}}),
        settled({"api_host": "https://api.minimax.io/x"}),
    ]
    assert len({settings.state_dir for settings in several}) == len(several)
    assert len({settings.cache_dir for settings in several}) == len(several)
    assert {len(settings.state_dir.relative_to(HOME).parts) for settings in several} == {5}


@pytest.mark.parametrize(
    ("flags", "table", "place"),
    [
        ({}, {}, "/home/ann/MiniMax"),
        ({"profile": "work"}, {}, "/home/ann/MiniMax-work"),
        ({}, {"mountpoint": "~/Store"}, "/home/ann/Store"),
        ({"profile": "work"}, {"mountpoint": "/srv/store"}, "/srv/store"),
        ({"mountpoint": Path("/mnt/x")}, {"mountpoint": "/srv/store"}, "/mnt/x"),
    ],
)
def test_each_profile_has_a_mountpoint(
    flags: dict[str, object], table: dict[str, object], place: str
) -> None:
    """A service names none: the profile does, or there is one for each of them in the home directory."""
    assert config.chosen_mountpoint(Sources(flags, {}, table), HOME) == Path(place)


def test_a_relative_mountpoint_of_a_profile_is_refused() -> None:
    """At a prompt it is relative to the directory one stands in; a file stands nowhere."""
    with pytest.raises(ConfigError, match=r"mountpoint in config\.toml cannot be 'drive'"):
        config.chosen_mountpoint(Sources({}, {}, {"mountpoint": "drive"}), HOME)
    assert config.chosen_mountpoint(Sources({"mountpoint": Path("drive")}, {}), HOME) == Path.cwd() / "drive"


def test_directories_follow_xdg() -> None:
    """State and cache lie in XDG's places, and a relative XDG path is ignored, as XDG wants."""
    environ = {"XDG_STATE_HOME": "/srv/state", "XDG_CACHE_HOME": "cache"}
    settings = settled({}, environ)
    assert settings.state_dir == Path("/srv/state/minimaxfs/default/https+api.minimax.io")
    assert settings.cache_dir == HOME / ".cache/minimaxfs/default/https+api.minimax.io"


def test_without_home_the_password_database_knows() -> None:
    """A service without HOME finds the user's directory."""
    assert config.home_directory({}) == Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert config.home_directory({"HOME": "/home/ann"}) == HOME


def test_load_reads_the_profile_and_its_key_file(tmp_path: Path) -> None:
    """The file's profile gives the key file, below the home directory, and every option."""
    file = tmp_path / ".config/minimaxfs/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[profile.work]\nkey_file = "~/key"\npreset = "cn"\ncheck_types = false\n')
    (tmp_path / "key").write_text("sk-2\n")
    (tmp_path / "key").chmod(0o600)
    settings = config.load({"profile": "work"}, {"HOME": str(tmp_path)})
    assert settings.key == "sk-2"
    assert settings.endpoint == PRESETS["cn"]
    assert not settings.rules.check_types


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    """A broken file is refused with the line that breaks it."""
    (tmp_path / "minimaxfs").mkdir()
    (tmp_path / "minimaxfs/config.toml").write_text("[profile.default]\ncache_size = \n")
    with pytest.raises(ConfigError, match="line 2"):
        config.load({}, {"XDG_CONFIG_HOME": str(tmp_path), "MINIMAX_API_KEY": "sk-1"})
