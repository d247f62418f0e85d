"""What a daemon costs: CPU and memory of it and of all its children."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

REST = 0.25
"""Seconds without a tick (10 ms) of CPU after which a daemon is taken to rest."""

REST_LIMIT = 10.0
"""Seconds after which one that never rests is measured as it is."""

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Stat:
    """A process of /proc: `cpu` in seconds, with that of its children that have ended."""

    pid: int
    parent: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a tree of processes: CPU in seconds, memory in bytes.

    `resident` counts what processes share once for each; `proportional` shares it out.
    """

    cpu: float
    resident: int
    proportional: int


def parsed(line: str) -> Stat:
    """Read a /proc/PID/stat; the name in it may hold spaces and parentheses."""
    pid, _, rest = line.partition(" ")
    fields = rest.rpartition(")")[2].split()
    return Stat(int(pid), int(fields[1]), sum(int(ticks) for ticks in fields[11:15]) * _TICK)


def family(stats: list[Stat], pid: int) -> list[Stat]:
    """The process and all that descend from it."""
    own = [stat for stat in stats if stat.pid == pid]
    for stat in stats:
        if stat.parent == pid:
            own += family(stats, stat.pid)
    return own


def cpu(pid: int) -> float:
    """CPU seconds, user and system, of the process and all its children so far."""
    return sum(stat.cpu for stat in family(list(_running()), pid))


def rest(pid: int) -> None:
    """Wait until the process and its children have nothing more to do, or for ten seconds."""
    before, deadline = -1.0, time.monotonic() + REST_LIMIT
    while before != (before := cpu(pid)) and time.monotonic() < deadline:
        time.sleep(REST)


def usage(pid: int) -> Usage:
    """What the process and its children have used and hold now."""
    own = family(list(_running()), pid)
    rollups = [text for stat in own if (text := _told(PROC / str(stat.pid) / "smaps_rollup"))]
    return Usage(
        sum(stat.cpu for stat in own),
        sum(kib(rollup, "Rss") for rollup in rollups) * 1024,
        sum(kib(rollup, "Pss") for rollup in rollups) * 1024,
    )


def kib(rollup: str, field: str) -> int:
    """A field of a /proc/PID/smaps_rollup, in KiB."""
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(f"{field}:"))


def _running() -> Iterator[Stat]:
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            line = _told(entry / "stat")
            if line:
                yield parsed(line)


def _told(path: Path) -> str:
    """What a file of /proc says; nothing where its process has ended."""
    try:
        return path.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
