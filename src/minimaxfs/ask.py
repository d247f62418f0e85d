"""Asking a drive that runs, by its control socket; `control` says what may be asked.

Synchronous, and free of slow imports: commands start with it.
"""

import json
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from minimaxfs import sockets, values
from minimaxfs.complaint import CommandFailed, Complaint
from minimaxfs.core.errors import ConfigError

WHOAMI_LIMIT = 1.0
"""Seconds: a drive knows its name without looking, so that one which is silent for so long hangs."""

SILENCE_LIMIT = 10.0
"""Seconds without a line after which a drive counts as hanging: while it works it sends one every half."""

LONGEST_LINE = 256 * 1024**2
"""Bytes of a reply that are read: 100,000 uploads with the longest of names need half of it."""

Reply = Mapping[str, object]


class Silent(CommandFailed):
    """The drive gave no answer that could be understood."""


@dataclass(frozen=True, slots=True)
class Drive:
    """A drive that answers, and the socket by which it does."""

    mountpoint: str
    profile: str
    directory: Path
    socket_name: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What is on its way: `what` it is (an upload, a file), how many, and bytes that are through, of all."""

    what: str
    files: int
    done: int
    size: int


def drives(environ: Mapping[str, str]) -> list[Drive]:
    """Give every drive of this user that answers. Raises ConfigError where others can reach the sockets."""
    likeliest, *others = sockets.directories(environ)
    found = _drives_in(likeliest)
    for directory in others:
        with suppress(ConfigError):
            found += _drives_in(directory)
    return sorted(found, key=lambda drive: drive.mountpoint)


def _drives_in(directory: Path) -> list[Drive]:
    try:
        with sockets.opened(directory) as descriptor:
            names = sorted(name for name in os.listdir(descriptor) if name.endswith(sockets.SUFFIX))
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        with suppress(CommandFailed):
            found.append(_introduced(directory, name))
    return found


def _introduced(directory: Path, name: str) -> Drive:
    with _conversation(directory, name, {"command": "whoami"}, WHOAMI_LIMIT) as replies:
        reply = answer(replies)
    try:
        return Drive(values.text(reply.get("mountpoint")), values.text(reply.get("profile")), directory, name)
    except ValueError:
        raise _silence(f"the socket {name}") from None


def drive_at(mountpoint: str, environ: Mapping[str, str]) -> Drive | None:
    """Give the drive that is mounted there, or None where it does not answer."""
    return next((drive for drive in drives(environ) if drive.mountpoint == mountpoint), None)


def present_drive(mountpoint: str, environ: Mapping[str, str]) -> Drive:
    """As `drive_at`, but raise CommandFailed where it does not answer."""
    drive = drive_at(mountpoint, environ)
    if drive is None:
        raise _silence(f"the drive at {mountpoint}")
    return drive


@contextmanager
def conversation(drive: Drive, request: Reply) -> Iterator[Iterator[Reply]]:
    """Send a request; the replies come as the drive gives them. Raises CommandFailed."""
    with _conversation(drive.directory, drive.socket_name, request, SILENCE_LIMIT) as replies:
        yield replies


def asked(drive: Drive, request: Reply, on_progress: Callable[[Progress], None] | None = None) -> Reply:
    """Send a request and return its answer. Raises CommandFailed with what the drive complains about."""
    with conversation(drive, request) as replies:
        return answer(replies, on_progress)


def answer(replies: Iterator[Reply], on_progress: Callable[[Progress], None] | None = None) -> Reply:
    """Read up to the answer, and tell of the progress before it."""
    for reply in replies:
        if "error" in reply:
            raise CommandFailed(Complaint(str(reply["error"]), str(reply.get("advice", ""))))
        if "ok" in reply:
            return reply
        progress = reply.get("progress")
        if on_progress is not None and isinstance(progress, dict):
            with suppress(ValueError):  # a drive of another version counts otherwise
                on_progress(_progress(progress))
    raise _silence("the drive")


def _progress(progress: Reply) -> Progress:
    files, done, size = (values.whole(progress.get(name)) for name in ("files", "done", "size"))
    return Progress(values.text(progress.get("what")), files, done, size)


@contextmanager
def _conversation(directory: Path, name: str, request: Reply, limit: float) -> Iterator[Iterator[Reply]]:
    try:
        with sockets.opened(directory) as descriptor:
            connection = sockets.connected(descriptor, name, limit)
    except OSError:
        raise _silence(f"the socket {directory / name}") from None
    with connection, connection.makefile("rb") as lines:
        with suppress(BrokenPipeError):  # a drive that refuses to listen may still say why
            connection.sendall(json.dumps(request).encode() + b"\n")
        yield _replies(lines)


def _replies(lines: BinaryIO) -> Iterator[Reply]:
    try:
        while line := lines.readline(LONGEST_LINE):
            yield values.table(json.loads(line))
    except (OSError, ValueError):
        return


def _silence(what: str) -> Silent:
    command = shlex.join(("minimaxfs", "mount", "MOUNTPOINT"))
    return Silent(Complaint(f"{what} does not answer", f"See its log, or mount it again: `{command}`."))
