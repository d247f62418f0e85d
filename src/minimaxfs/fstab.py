"""`minimaxfs PROFILE MOUNTPOINT -o OPTIONS`: how mount(8) and fstab ask for a drive, through mount.fuse3.

Options that are for mount(8), systemd or libfuse are swallowed here; those of the drive are written with
their names in the profile, and go the way that flags go. With `drop_privileges`, mount.fuse3 has mounted
already, and gives a descriptor of /dev/fuse in place of the mountpoint.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from minimaxfs import mounting, mounts, values
from minimaxfs.config import Helper
from minimaxfs.core.errors import ConfigError
from minimaxfs.outside import Serve
from minimaxfs.sources import OPTIONS, Given, refuse_unknown

OWN = OPTIONS.keys() - {"profile", "mountpoint", "gateway", "purposes", "local_only"}
"""The drive's own: those that are one word. A gateway, purposes and patterns are for the profile's table."""

_YES_OR_NO = (
    *("suid", "dev", "exec", "atime", "diratime", "relatime", "strictatime", "lazytime", "iversion", "mand"),
    *("auto", "user", "users", "owner", "group"),
)

SWALLOWED = frozenset(
    [
        *("rw", "async", "sync", "dirsync", "defaults", "default_permissions", "loud", "silent"),
        *("nofail", "_netdev"),
        *(no + name for name in _YES_OR_NO for no in ("", "no")),
    ]
)
"""Whole options that ask nothing of the drive: it never has suid and dev, and no access times (`noexec`
is the kernel's)."""

SWALLOWED_PREFIXES = ("x-", "X-", "comment=", "fsname=", "subtype=", "user=", "helper=", "uhelper=")


@dataclass(frozen=True, slots=True)
class Call:
    """The words of mount.fuse3, not yet judged."""

    profile: str
    mountpoint: str
    options: str


def call_of(arguments: Sequence[str]) -> Call | None:
    """Tell mount(8)'s call from a subcommand: none of those takes `-o`, and mount.fuse3 always gives it."""
    match arguments:
        case [profile, mountpoint, "-o", options] if not profile.startswith("-"):
            return Call(profile.removeprefix(mounts.SOURCE_PREFIX), mountpoint, options)
        case _:
            return None


def mount(call: Call, environ: Mapping[str, str], serve: Serve) -> None:
    """Mount in the background, and return when the drive answers. Raises ConfigError, `CommandFailed`."""
    profile = Given(call.profile, "the source", 0).read(values.word)
    options = split(call.options)
    flags = flags_of(options, (os.getuid(), os.getgid()))
    channel = channel_of(call.mountpoint)
    mountpoint = call.mountpoint if channel is None else mounted_already(profile, options, channel)
    helper = Helper("noexec" in options, channel)
    words = {**flags, "profile": profile, "mountpoint": Path(mountpoint), "helper": helper}
    mounting.mount(words, own_environ(environ, _is_own), serve)


def split(options: str) -> list[str]:
    """Split at commas. A backslash before a comma or a backslash takes its meaning away."""
    pieces = re.findall(r"(?:\\[\\,]|[^,])+", options)
    return [re.sub(r"\\([\\,])", r"\1", piece) for piece in pieces]


def flags_of(options: Iterable[str], owner: tuple[int, int]) -> Mapping[str, object]:
    """Give the drive's own options as flags. `owner` is who will own its files. Raises ConfigError."""
    flags: dict[str, object] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if name in OWN:
            flags[name] = value if equals else True
        elif option == "ro":
            flags["read_only"] = True
        elif name in {"uid", "gid"}:
            _require_owner(option, owner)
        elif option not in SWALLOWED and not option.startswith(SWALLOWED_PREFIXES):
            known = OWN | {"ro", "setuid", "drop_privileges", "fsname", "uid", "gid"} | SWALLOWED
            refuse_unknown((name,), known, "the mount option {}")
    return flags


def _require_owner(option: str, owner: tuple[int, int]) -> None:
    if option not in {f"uid={owner[0]}", f"gid={owner[1]}"}:
        advice = "Leave it out; with `setuid=USER` the drive runs as that user, who owns its files then."
        raise ConfigError(f"{option} is not who the drive runs as (uid={owner[0]}, gid={owner[1]})", advice)


def channel_of(mountpoint: str) -> int | None:
    """Give the descriptor where one stands for the mountpoint. The children of the drive do not get it."""
    written = re.fullmatch(r"/dev/fd/([0-9]{1,9})", mountpoint, re.ASCII)
    if written is None:
        return None
    channel = int(written[1])
    try:
        is_fuse = os.readlink(f"/proc/self/fd/{channel}") == "/dev/fuse"
        os.set_inheritable(channel, False)
    except OSError:
        is_fuse = False
    if not is_fuse:
        raise ConfigError(f"{mountpoint} is no open /dev/fuse", "mount(8) gives one for `drop_privileges`.")
    return channel


def mounted_already(profile: str, options: Sequence[str], channel: int) -> str:
    """Find where mount.fuse3 has mounted, the newest of the mounts with this source.

    It mounts with nothing but what the line says: without `default_permissions` the kernel would let
    everyone do everything.
    """
    source = mounts.SOURCE_PREFIX + profile
    needed = [f"fsname={source}", "default_permissions"]
    if missing := [option for option in needed if option not in options]:
        advice = f"Add {','.join(missing)} to the options, `umount` what was mounted, and mount again."
        raise ConfigError("drop_privileges has mounted without what the drive needs", advice)
    found = [one.mountpoint for one in mounts.current() if one.is_ours and one.source == source]
    if not found:
        raise ConfigError(f"nothing is mounted for descriptor {channel}", "Mount it with mount(8).")
    return found[-1]


def own_environ(environ: Mapping[str, str], is_own: Callable[[str], bool]) -> Mapping[str, str]:
    """Leave out somebody else's home and base directories: `setuid=` and sudo keep those of the caller."""
    if is_own(environ.get("HOME", "")):
        return environ
    return {name: value for name, value in environ.items() if name != "HOME" and not name.startswith("XDG_")}


def _is_own(directory: str) -> bool:
    try:
        return os.stat(directory).st_uid == os.getuid()
    except OSError:
        return False
