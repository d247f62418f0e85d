"""What `minimaxfs doctor` looks at on this machine: FUSE, its helper, its files, and the disk for blocks."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from minimaxfs import preflight
from minimaxfs.core.errors import ConfigError
from minimaxfs.findings import Finding, fix, note
from minimaxfs.progress import size

OLDEST_KERNEL = (4, 19)
"""The oldest kernel of a distribution that is still looked after; FUSE has had all that is needed since."""

LITTLE_ROOM = 1024**3
"""Bytes below which a disk is tight: two of the largest files that the store takes."""

_SPARSE = 16 * 1024 * 1024
"""Bytes of the file with a hole that is tried: on a disk without holes it would take them all."""


def device(place: Path = preflight.FUSE_DEVICE) -> Finding:
    """Look at the device that FUSE is spoken through."""
    try:
        preflight.check_device(place)
    except ConfigError as error:
        return fix(str(place), str(error), error.advice)
    mode = stat.S_IMODE(os.stat(place).st_mode)
    if mode & 0o666 != 0o666:
        what = f"may be opened, but not by everyone (mode {mode:04o})"
        return note(str(place), what, "For other users: `sudo chmod 0666 /dev/fuse`.")
    return Finding(str(place), f"may be opened (mode {mode:04o})")


def fusermount(path: str, *, is_root: bool) -> Finding:
    """Look at the helper that mounts for users: the first one in PATH is the one that is run."""
    subject = "fusermount3"
    everywhere = [Path(place, subject) for place in path.split(":") if place]
    found = [program for program in everywhere if shutil.which(program)]
    if not found:
        return fix(subject, "is not in PATH", "Install it: `sudo apt install fuse3`.")
    first, *others = found
    if is_root or _is_setuid(first):
        return Finding(subject, f"is {first}")
    better = next((program for program in others if _is_setuid(program)), None)
    if better is not None:
        advice = f"Put {better.parent} before {first.parent} in PATH: the one there is."
        return fix(subject, f"{first} is not setuid root, so that it cannot mount", advice)
    return fix(subject, f"{first} is not setuid root, so that it cannot mount", f"`sudo chmod u+s {first}`.")


def _is_setuid(program: Path) -> bool:
    status = os.stat(program)
    return status.st_uid == 0 and bool(status.st_mode & stat.S_ISUID)


def kernel(release: str, filesystems: str) -> Finding:
    """Look at the kernel: `release` as uname gives it, `filesystems` as /proc has them."""
    version = re.match(r"(\d+)\.(\d+)", release)
    if "\tfuse\n" not in filesystems:
        return fix("kernel", f"{release} has no FUSE", "Load it: `sudo modprobe fuse`.")
    if version is None or (int(version[1]), int(version[2])) < OLDEST_KERNEL:
        oldest = ".".join(map(str, OLDEST_KERNEL))
        return note("kernel", f"{release} is untried", f"Use {oldest} or newer if the drive misbehaves.")
    return Finding("kernel", f"{release} has FUSE")


def allow_other(fuse_conf: Path = preflight.FUSE_CONF, *, is_root: bool) -> Finding:
    """Look whether --allow-other is permitted."""
    subject = "user_allow_other"
    try:
        preflight.check_allow_other(fuse_conf)
    except ConfigError:
        if is_root:
            return Finding(subject, "is not set, and root needs it not")
        advice = f"Only for --allow-other: add the line `user_allow_other` to {fuse_conf}."
        return note(subject, f"is not set in {fuse_conf}", advice)
    return Finding(subject, f"is set in {fuse_conf}")


def mtab(place: Path = Path("/etc/mtab")) -> Finding:
    """Look at the list that fusermount3 unmounts by."""
    advice = f"`sudo ln -sf /proc/self/mounts {place}`."
    if not place.exists():
        return fix(str(place), "is missing, so that fusermount3 may fail without a word", advice)
    if not os.path.realpath(place).startswith("/proc/"):
        return note(str(place), "is a file of its own, which may be wrong", advice)
    return Finding(str(place), "leads to the kernel's own list")


def disk(cache_dir: Path, cache_size: int) -> Finding:
    """Look at the disk that blocks go to: whether it has room, and whether files may have holes."""
    subject = "blocks"
    place = next(one for one in (cache_dir, *cache_dir.parents) if one.is_dir())
    if not os.access(place, os.W_OK | os.X_OK):
        return fix(subject, f"{place} is not yours to write in", "Choose another with XDG_CACHE_HOME.")
    try:
        taken = _taken_by_a_hole(place)
    except OSError as error:
        return fix(subject, f"{place} takes no files: {error.strerror}", "Mend or free that disk.")
    if taken >= _SPARSE:
        advice = "Choose a disk of another kind with XDG_CACHE_HOME, such as ext4, xfs or btrfs."
        return fix(subject, f"files in {place} cannot have holes, so each takes its whole size", advice)
    room = os.statvfs(place)
    free = room.f_bavail * room.f_frsize
    what = f"{size(free)} are free in {place}, and files may have holes"
    if free < min(LITTLE_ROOM, cache_size):
        return fix(subject, what, "Free some space, or choose another disk with XDG_CACHE_HOME.")
    if free < cache_size:
        advice = f"The limit is {size(cache_size)}: a smaller --cache-size leaves room for others."
        return note(subject, what, advice)
    return Finding(subject, what)


def _taken_by_a_hole(place: Path) -> int:
    """The bytes of disk that a file takes of which only the last byte was written."""
    with tempfile.TemporaryFile(dir=place) as file:
        os.pwrite(file.fileno(), b"x", _SPARSE - 1)
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_blocks * 512


def machine(environ: Mapping[str, str]) -> list[Finding]:
    """Look at all that needs no settings."""
    is_root = os.geteuid() == 0
    filesystems = Path("/proc/filesystems").read_text(encoding="ascii")
    return [
        device(),
        fusermount(environ.get("PATH", os.defpath), is_root=is_root),
        kernel(os.uname().release, filesystems),
        allow_other(is_root=is_root),
        mtab(),
    ]
