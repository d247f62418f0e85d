"""`minimaxfs refresh`, `evict`, `pin` and `prefetch`: what of the store is shown and kept on this machine."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from minimaxfs import ask, progress, values
from minimaxfs.complaint import CommandFailed, Complaint, printable
from minimaxfs.uploads import asked_with_progress, entered

Told = Callable[[ask.Reply], str]
"""What is said of an answer that is no failure."""


def refresh(paths: Iterable[Path], environ: Mapping[str, str]) -> int:
    """Ask the store again for what is shown at each path; gives the exit status."""
    return _each("refresh", paths, environ, lambda reply: progress.count(_number(reply, "names"), "name"))


def evict(paths: Iterable[Path], environ: Mapping[str, str]) -> int:
    """Give the blocks of each path back to the disk; gives the exit status."""
    return _each(
        "evict", paths, environ, lambda reply: f"{progress.size(_number(reply, 'freed'))} given back"
    )


def pin(paths: Iterable[Path], environ: Mapping[str, str], *, remove: bool) -> int:
    """Keep each path on this disk, whole, or let it go; gives the exit status."""
    if remove:
        return _each("unpin", paths, environ, lambda reply: f"{_files(reply)} pinned no longer")
    return _each("pin", paths, environ, lambda _: "pinned")


def _files(reply: ask.Reply) -> str:
    number = _number(reply, "files")
    return f"{progress.count(number, 'file')} {'is' if number == 1 else 'are'}"


def prefetch(paths: Sequence[Path], environ: Mapping[str, str]) -> int:
    """Fetch all that is at the paths, of each drive at once; gives the exit status."""
    below: dict[str, list[str]] = {}
    status = 0
    for path in paths:
        try:
            mountpoint, name = entered(path)
        except CommandFailed as error:
            status = _said(error)
        else:
            below.setdefault(mountpoint, []).append(name)
    for mountpoint, names in below.items():
        try:
            reply = asked_with_progress(mountpoint, {"command": "prefetch", "paths": names}, environ)
        except CommandFailed as error:
            status = _said(error)
        else:
            status = max(status, _say_failures(mountpoint, reply))
    return status


def _each(command: str, paths: Iterable[Path], environ: Mapping[str, str], told: Told) -> int:
    status = 0
    for path in paths:
        try:
            mountpoint, below = entered(path)
            reply = asked_with_progress(mountpoint, {"command": command, "path": below}, environ)
        except CommandFailed as error:
            status = _said(error)
        else:
            failed = _say_failures(mountpoint, reply)
            status = max(status, failed)
            sys.stdout.write("" if failed else f"{printable(str(path))}: {told(reply)}\n")
    return status


def _said(error: CommandFailed) -> int:
    sys.stderr.write(str(error.complaint))
    return error.complaint.status


def _say_failures(mountpoint: str, reply: ask.Reply) -> int:
    """Say which files could not be fetched; gives the exit status."""
    failed = reply.get("failed")
    if not isinstance(failed, list) or not failed:
        return 0
    for one in map(values.table, failed):
        what = f"{mountpoint}/{one.get('path')}: {one.get('error')}"
        sys.stderr.write(str(Complaint(what, str(one.get("advice", "")))))
    return 1


def _number(reply: ask.Reply, name: str) -> int:
    with suppress(ValueError):
        return values.whole(reply.get(name))
    raise CommandFailed(Complaint("the drive is of another version", "Mount it again."))
