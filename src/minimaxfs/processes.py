"""Who uses a mount, found in /proc without a touch of the mount itself."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from minimaxfs.mounts import mark

PROC = Path("/proc")

_FUSE = "/dev/fuse"


@dataclass(frozen=True, slots=True)
class Process:
    """A process, and the paths that it has open or stands in (its working directory, its root)."""

    pid: int
    name: str
    paths: frozenset[str]

    def serves(self, mountpoint: str) -> bool:
        """Whether it is the daemon: it speaks FUSE, and has claimed the mountpoint (`mounts.claimed`)."""
        return _FUSE in self.paths and not self.paths.isdisjoint({mountpoint, mark(Path(mountpoint))})

    def holds(self, mountpoint: str) -> bool:
        """Whether the mount cannot go because of it."""
        if self.serves(mountpoint):
            return False
        return any(path == mountpoint or path.startswith(mountpoint + "/") for path in self.paths)


def running() -> Iterator[Process]:
    """Give every process that this user may look into."""
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                name = (entry / "comm").read_text(errors="replace").rstrip("\n")
                yield Process(int(entry.name), name, frozenset(_paths(entry)))


def _paths(entry: Path) -> Iterator[str]:
    for link in (entry / "cwd", entry / "root", entry / "exe"):
        with suppress(OSError):
            yield os.readlink(link)
    with suppress(OSError):
        for descriptor in os.scandir(entry / "fd"):
            with suppress(OSError):
                yield os.readlink(descriptor.path)
    with suppress(OSError):
        yield from mapped((entry / "maps").read_bytes())


def mapped(maps: bytes) -> set[str]:
    """Give the files of a /proc/PID/maps: the sixth field, which may hold spaces."""
    lines = (line.split(maxsplit=5) for line in maps.splitlines())
    return {os.fsdecode(fields[5]) for fields in lines if len(fields) == 6}
