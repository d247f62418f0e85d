r"""What is mounted where, from /proc/self/mountinfo, and whether a mount still answers.

Nothing here touches a mountpoint before mountinfo says what is there: looking into an
automount starts it, and looking into a drive whose daemon hangs never returns.
"""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

FSTYPE = "fuse.minimaxfs"
SOURCE_PREFIX = "minimax:"
AUTOFS = "autofs"

MOUNTINFO = Path("/proc/self/mountinfo")

PROBE_LIMIT = 3.0
"""Seconds until a mount counts as hanging: a living drive answers statvfs without the network, in
milliseconds, and a loaded machine starts the probing process within a second."""

_LINK_LIMIT = 40
"""Symbolic links that are followed, as many as the kernel follows."""

_STATVFS = """
import os, sys
try:
    os.statvfs(sys.argv[1])
except OSError as error:
    sys.exit(error.errno)
"""


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo. `device` is `major:minor`, another for each mount while that lasts."""

    mountpoint: str
    fstype: str
    source: str
    device: str = field(default="", compare=False)

    @property
    def is_ours(self) -> bool:
        return self.fstype == FSTYPE and self.source.startswith(SOURCE_PREFIX)

    @property
    def profile(self) -> str:
        return self.source.removeprefix(SOURCE_PREFIX)


def parse(mountinfo: str) -> list[Mount]:
    """Read the text of mountinfo: fields of unequal number, a hyphen, then three fields (see proc(5))."""
    mounts = []
    for line in mountinfo.split("\n"):
        before, hyphen, after = line.partition(" - ")
        if hyphen:
            fields, (fstype, source) = before.split(" "), after.split(" ")[:2]
            mounts.append(Mount(_plain(fields[4]), fstype, _plain(source), fields[2]))
    return mounts


def _plain(field: str) -> str:
    r"""Undo the kernel's octal escapes of space, tab, newline and backslash."""
    return re.sub(r"\\([0-7]{3})", lambda escape: chr(int(escape[1], 8)), field)


def current() -> list[Mount]:
    return parse(os.fsdecode(MOUNTINFO.read_bytes()))


def at(path: Path, mounts: Iterable[Mount]) -> Mount | None:
    """Give the mount that covers `path` itself: of several on top of each other, the last."""
    found = [mount for mount in mounts if mount.mountpoint == os.fspath(path)]
    return found[-1] if found else None


class Place:
    """Where this process has its mount: others may mount at the same place, after it and on top of it."""

    def __init__(self, mountpoint: Path) -> None:
        self._mountpoint = mountpoint
        self._device = ""

    def take(self) -> None:
        """What is mounted there now is ours."""
        found = at(self._mountpoint, current())
        self._device = found.device if found else ""

    def is_taken(self) -> bool:
        """Whether our mount is there."""
        mine = (os.fspath(self._mountpoint), self._device)
        return any((mount.mountpoint, mount.device) == mine for mount in current())

    def is_on_top(self) -> bool:
        """Whether it is what one finds there, so that unmounting takes it and no other."""
        found = at(self._mountpoint, current())
        return found is not None and found.device == self._device


def located(path: Path, mounts: Iterable[Mount]) -> Path:
    """Make `path` absolute and free of symbolic links, without touching a mountpoint at its end."""
    mountpoints = {mount.mountpoint for mount in mounts}
    place = os.path.join(os.getcwd(), path)
    for _ in range(_LINK_LIMIT):
        parent, name = os.path.split(place)
        if name == "..":
            return Path(os.path.realpath(place))
        place = os.path.join(os.path.realpath(parent), name)
        if place in mountpoints or not os.path.islink(place):
            break
        place = os.path.join(os.path.dirname(place), os.readlink(place))
    return Path(place)


def entered(path: Path, mounts: Iterable[Mount]) -> tuple[str, str] | None:
    """Split a path in a drive of ours into its mountpoint and what is below; None where it is in none.

    The drive is not touched, which would cost requests, and hang where the drive does: links are
    followed up to the mountpoint, and below it there are none.
    """
    ours = {mount.mountpoint for mount in mounts if mount.is_ours}
    place, links = "/", 0
    ahead = _parts(os.path.join(os.getcwd(), path))
    while ahead:
        name = ahead.pop()
        place = os.path.dirname(place) if name == ".." else os.path.join(place, name)
        if _above(place, ours) is None and links < _LINK_LIMIT and os.path.islink(place):
            links += 1
            ahead += _parts(os.readlink(place))
            place = "/" if os.readlink(place).startswith("/") else os.path.dirname(place)
    found = _above(place, ours)
    return None if found is None else (found, place[len(found) + 1 :])


def _parts(path: str) -> list[str]:
    """Give the names of a path, the first one last."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _above(place: str, mountpoints: Iterable[str]) -> str | None:
    """Give the innermost of the mountpoints that `place` is at or below."""
    found = (one for one in mountpoints if place == one or place.startswith(one + "/"))
    return max(found, key=len, default=None)


@contextmanager
def claimed(mountpoint: Path) -> Iterator[None]:
    """Hold the directory below the mount open, from before it is mounted on.

    So `/proc/PID/fd` shows which process serves a mountpoint, with no file that could be left behind;
    `unmount` waits for that process. The kernel keeps no other trace of a mount's daemon. Where something
    is mounted already (an automount, or the drive itself), holding that would keep it from going: a file
    in memory with the `mark` of the mountpoint stands for it.
    """
    if at(mountpoint, current()) is None:
        descriptor = os.open(mountpoint, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    else:
        descriptor = os.memfd_create(_mark_name(mountpoint))
    try:
        yield
    finally:
        os.close(descriptor)


def mark(mountpoint: Path) -> str:
    """Give what /proc shows of the file that `claimed` holds where it cannot hold the directory."""
    return f"/memfd:{_mark_name(mountpoint)} (deleted)"


def _mark_name(mountpoint: Path) -> str:
    """A path may be longer than the 249 bytes of such a name."""
    return f"minimaxfs-{hashlib.sha256(os.fsencode(mountpoint)).hexdigest()}"


def probe(mountpoint: Path, limit: float = PROBE_LIMIT) -> int | None:
    """Ask the mount for its statvfs: 0 or the errno, None where it does not answer within `limit` seconds.

    In a process of its own, because a caller that waits for a hanging drive can only be killed.
    """
    command = [sys.executable, "-ISc", _STATVFS, os.fspath(mountpoint)]
    try:
        return subprocess.run(command, check=False, timeout=limit, stdin=subprocess.DEVNULL).returncode
    except subprocess.TimeoutExpired:
        return None
