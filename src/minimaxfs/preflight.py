"""What must be true of this machine before a drive can be mounted; each refusal says how to mend it.

Every check raises `ConfigError`, or returns. The one thing that is changed here is a stale mount: a
drive of ours whose daemon has died is taken away, anything else at the mountpoint is left alone.
"""

import errno
import os
import shlex
import shutil
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

from minimaxfs import mounts
from minimaxfs.config import Settings
from minimaxfs.core.errors import ConfigError

FUSE_DEVICE = Path("/dev/fuse")
FUSE_CONF = Path("/etc/fuse.conf")
MTAB = Path("/etc/mtab")

_ELSEWHERE = "Choose an empty directory of your own."


def check(settings: Settings) -> None:
    """Raise `ConfigError` for the first thing that would keep the drive from being mounted."""
    check_outside(settings)
    if settings.helper and settings.helper.channel is not None:
        return
    check_device(FUSE_DEVICE)
    check_fusermount()
    if settings.allow_other and os.geteuid() != 0:
        check_allow_other(FUSE_CONF)
    if not _is_awaited(settings):
        clear_mountpoint(settings.mountpoint)
    if not _is_awaited(settings):
        check_directory(settings.mountpoint)


def _is_awaited(settings: Settings) -> bool:
    """Whether mount(8) calls for an automount: who looks at the place would wait for the drive itself."""
    found = mounts.at(settings.mountpoint, mounts.current())
    return settings.helper is not None and found is not None and found.fstype == mounts.AUTOFS


def check_device(device: Path) -> None:
    try:
        os.close(os.open(device, os.O_RDWR | os.O_CLOEXEC))
    except FileNotFoundError:
        advice = "Load it with `modprobe fuse`; a container needs `--device /dev/fuse --cap-add SYS_ADMIN`."
        raise ConfigError(f"{device} is missing: this machine has no FUSE", advice) from None
    except OSError as error:
        advice = (
            "Let your user read and write it (`sudo chmod 0666 /dev/fuse`); a container must be given it."
        )
        raise ConfigError(f"{device} cannot be opened: {error.strerror}", advice) from None


def check_fusermount() -> None:
    """Require fusermount3: libfuse mounts with it where mount(2) is refused, and we unmount with it."""
    if shutil.which("fusermount3") is None:
        raise ConfigError("fusermount3 is not in PATH", "Install it: `sudo apt install fuse3`.")


def check_allow_other(fuse_conf: Path) -> None:
    """Read fuse.conf as fusermount3 does: the option is a line of its own."""
    try:
        lines = fuse_conf.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    if "user_allow_other" not in (line.strip() for line in lines):
        advice = f"Add the line `user_allow_other` to {fuse_conf}, mount as root, or leave the option out."
        raise ConfigError("--allow-other is not permitted to users of this machine", advice)


def clear_mountpoint(mountpoint: Path) -> None:
    """Refuse what is mounted already, and take away a stale mount of ours."""
    found = mounts.at(mountpoint, mounts.current())
    if found is None:
        return
    if not found.is_ours:
        advice = "Choose another directory, or unmount that first."
        raise ConfigError(f"{mountpoint} is taken: {found.fstype} ({found.source}) is mounted there", advice)
    if mounts.probe(mountpoint) != errno.ENOTCONN:
        advice = f"Use it as it is, or end it: `minimaxfs unmount {_word(mountpoint)}`."
        raise ConfigError(f"{mountpoint} is a drive already (profile {found.profile})", advice)
    subprocess.run(["fusermount3", "-uzq", mountpoint], check=False, stdin=subprocess.DEVNULL)
    left = mounts.at(mountpoint, mounts.current())
    if left is not None and left.fstype != mounts.AUTOFS:
        raise stale(mountpoint)


def stale(mountpoint: Path) -> ConfigError:
    """Make the error of a mount that fusermount3 could not take away; it says so in its status only."""
    if not MTAB.exists():
        advice = f"fusermount3 needs it: `sudo ln -s ../proc/self/mounts {MTAB}`."
        return ConfigError(f"{mountpoint} is mounted and dead, since there is no {MTAB}", advice)
    word = _word(mountpoint)
    advice = f"Unmount it as the user who mounted it: `fusermount3 -uz {word}`; or as root: `umount {word}`."
    return ConfigError(f"{mountpoint} holds a drive whose daemon has died", advice)


def make_directory(mountpoint: Path, advice: str) -> None:
    """Make the directory unless something is there; what that is, the checks judge.

    Only the last one of a path: a misspelt path is not built up. Raises ConfigError.
    """
    if mounts.at(mountpoint, mounts.current()) is not None:
        return
    try:
        with suppress(FileExistsError):
            mountpoint.mkdir()
    except OSError as error:
        raise ConfigError(f"{mountpoint} cannot be made: {error.strerror}", advice) from None


def check_directory(mountpoint: Path) -> None:
    """Require an empty directory of the user's own: fusermount3 asks for as much, in fewer words."""
    try:
        mode = os.stat(mountpoint).st_mode
    except FileNotFoundError:
        raise ConfigError(
            f"{mountpoint} does not exist", f"Make the directory first: `mkdir -p {_word(mountpoint)}`."
        ) from None
    except OSError as error:
        raise ConfigError(f"{mountpoint} cannot be reached: {error.strerror}", _ELSEWHERE) from None
    if not stat.S_ISDIR(mode):
        raise ConfigError(f"{mountpoint} is not a directory", _ELSEWHERE)
    if not os.access(mountpoint, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(f"{mountpoint} is not yours to write in", _ELSEWHERE)
    if os.listdir(mountpoint):
        advice = "Choose an empty directory: the drive would hide what is there."
        raise ConfigError(f"{mountpoint} is not empty", advice)


def check_outside(settings: Settings) -> None:
    """Refuse a mountpoint above the drive's own files: it would wait for itself."""
    for own in (settings.state_dir, settings.cache_dir):
        if own.is_relative_to(settings.mountpoint):
            raise ConfigError(f"{settings.mountpoint} is above the drive's own files, {own}", _ELSEWHERE)


def _word(path: Path) -> str:
    """Quote `path` for the shell that the advice will be pasted into."""
    return shlex.quote(os.fspath(path))
