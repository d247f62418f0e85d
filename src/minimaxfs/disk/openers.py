"""Who still holds a file open for writing: the last close is found through `/proc/*/fd`.

The kernel flushes at each close of each descriptor: shells flush early, `dup` flushes twice,
children flush when they exit. When a flush arrives, its own descriptor has left the process's
table already, so a path that nobody holds any more has been closed for the last time.
"""

import os
from collections.abc import Container, Iterator

WRITE_FLAGS = os.O_WRONLY | os.O_RDWR


def is_held_for_writing(paths: Container[str]) -> bool:
    """Whether any process that can be looked into has one of these paths open for writing.

    Takes 2 to 5 ms: call it from a worker thread. Processes of other users cannot be looked
    into; for them `release` is what ends the writing.
    """
    own = str(os.getpid())
    return any(
        _is_writable(pid, descriptor)
        for pid in _processes()
        if pid != own
        for descriptor, path in _open_files(pid)
        if path in paths
    )


def _processes() -> Iterator[str]:
    with os.scandir("/proc") as entries:
        for entry in entries:
            if entry.name.isdigit():
                yield entry.name


def _open_files(pid: str) -> Iterator[tuple[str, str]]:
    directory = f"/proc/{pid}/fd"
    try:
        descriptors = os.listdir(directory)
    except OSError:
        return
    for descriptor in descriptors:
        try:
            yield descriptor, os.readlink(f"{directory}/{descriptor}")
        except OSError:
            continue


def _is_writable(pid: str, descriptor: str) -> bool:
    try:
        with open(f"/proc/{pid}/fdinfo/{descriptor}", encoding="ascii") as lines:
            flags = next(int(line.split()[1], 8) for line in lines if line.startswith("flags:"))
    except (OSError, StopIteration, ValueError):
        return False
    return bool(flags & WRITE_FLAGS)
