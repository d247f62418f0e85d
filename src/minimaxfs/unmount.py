"""`minimaxfs unmount`: let uploads end, take the drive away, wait for its daemon; say what is in the way.

The kernel lets a drive go only when nobody uses it, and a program that copies in uses it until the store has
the file. So the drive is asked first to let its uploads end. What is not through when the time is up goes on
at the next mount, and the command says so, with exit status 3.
"""

import os
import select
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from minimaxfs import ask, mounts, processes, values
from minimaxfs.complaint import CommandFailed, Complaint
from minimaxfs.core.errors import ConfigError
from minimaxfs.preflight import check_fusermount
from minimaxfs.processes import Process
from minimaxfs.progress import ProgressLine, uploads

PATIENCE = 2.0
"""Seconds of waiting before it is said what for: a daemon with nothing to upload ends within them."""

_SHOWN = 5
"""Processes, or uploads, that are named; the rest is counted."""


LEFT = 3
"""Exit status: unmounted, but the store does not have all that was copied in."""


@dataclass(frozen=True, slots=True)
class Left:
    """An upload that the store should have and has not; a failed one does not go on by itself."""

    path: str
    is_failed: bool


def unmount(mountpoint: Path, drain: float | None, environ: Mapping[str, str]) -> None:
    """Unmount the drive at `mountpoint` (absolute, no links). Raises `CommandFailed`.

    Uploads get `drain` seconds, or what the drive was mounted with (None).
    """
    check_fusermount()
    refuse_others(mountpoint, mounts.at(mountpoint, mounts.current()))
    daemons = [process.pid for process in processes.running() if process.serves(os.fspath(mountpoint))]
    with ExitStack() as conversation:
        left = drained(mountpoint, drain, environ, conversation)
        take_away(mountpoint, has_left=bool(left))
        for pid in daemons:
            await_end(pid)
    if left:
        raise CommandFailed(complaint_about_left(mountpoint, left))


def drained(
    mountpoint: Path, seconds: float | None, environ: Mapping[str, str], conversation: ExitStack
) -> list[Left]:
    """Let uploads end, with progress on stderr, and give what is left.

    While the conversation lasts, the drive's own end does not wait for them again. A drive that does
    not answer has no say: it may be hung or dead, and is to go all the same.
    """
    drive = find(mountpoint, environ)
    if drive is None:
        return []
    line = ProgressLine()
    try:
        replies = conversation.enter_context(
            ask.conversation(drive, {"command": "drain", "seconds": seconds})
        )
        reply = ask.answer(replies, line.show)
    finally:
        line.end()
    left = reply.get("left")
    return [left_of(values.table(one)) for one in left] if isinstance(left, list) else []


def find(mountpoint: Path, environ: Mapping[str, str]) -> ask.Drive | None:
    try:
        return ask.drive_at(os.fspath(mountpoint), environ)
    except ConfigError:
        return None


def left_of(one: Mapping[str, object]) -> Left:
    return Left(str(one.get("path")), one.get("state") == "failed")


def complaint_about_left(mountpoint: Path, left: Sequence[Left]) -> Complaint:
    """Say how many uploads and which are not in the store, and what becomes of them."""
    named = ", ".join(one.path for one in left[:_SHOWN])
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    stay = "is not in the store" if len(left) == 1 else "are not in the store"
    what = f"{mountpoint} is unmounted, but {uploads(len(left))} {stay}: {named}{more}"
    advice = "The next mount goes on with what waits."
    if any(one.is_failed for one in left):
        advice += " What has failed is kept: mount again, then `minimaxfs uploads`, `retry` or `discard`."
    return Complaint(what, advice, LEFT)


def take_away(mountpoint: Path, *, has_left: bool) -> None:
    """Unmount, or raise `CommandFailed` with who is in the way.

    A program that waits in close() for an upload keeps the drive busy, though it has the file open no
    more. Where uploads are left and nobody else is seen, it is such a one: the mount goes, and its
    close() fails.
    """
    said = fusermount("-u", mountpoint)
    # fusermount3 has been seen to fail without a word and with status 0: mountinfo has the last word.
    if mounts.at(mountpoint, mounts.current()) is None:
        return
    everyone = list(processes.running())
    if has_left and not any(one.holds(os.fspath(mountpoint)) for one in everyone):
        said = fusermount("-uz", mountpoint)
        if mounts.at(mountpoint, mounts.current()) is None:
            return
    raise CommandFailed(complaint_about(mountpoint, everyone, said))


def fusermount(option: str, mountpoint: Path) -> str:
    """Run fusermount3 and return what it says."""
    done = subprocess.run(
        ["fusermount3", option, "--", mountpoint],
        check=False,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    return done.stderr


def refuse_others(mountpoint: Path, found: mounts.Mount | None) -> None:
    if found is None:
        advice = "`findmnt -t fuse.minimaxfs` shows the drives that are mounted."
        raise CommandFailed(Complaint(f"nothing is mounted at {mountpoint}", advice))
    if not found.is_ours:
        advice = f"If it is to go: `umount {shlex.quote(str(mountpoint))}`."
        raise CommandFailed(Complaint(f"{mountpoint} is no drive of minimaxfs, but {found.fstype}", advice))


def complaint_about(mountpoint: Path, everyone: Iterable[Process], said: str) -> Complaint:
    """Name those who hold the mount; where none can be seen, repeat what fusermount3 said."""
    holders = sorted((one for one in everyone if one.holds(os.fspath(mountpoint))), key=lambda one: one.pid)
    if not holders:
        reason = said.strip().removeprefix("fusermount3: ") or "fusermount3 does not say why"
        advice = "Another user's process may be using it: `sudo fuser -vm` with its path shows all."
        return Complaint(f"{mountpoint} is still mounted: {reason}", advice)
    named = ", ".join(f"{one.name} ({one.pid})" for one in holders[:_SHOWN])
    more = f" and {len(holders) - _SHOWN} more" if len(holders) > _SHOWN else ""
    advice = "Close its files there, or leave the directory (cd), and try again."
    return Complaint(f"{mountpoint} is busy: in use by {named}{more}", advice)


def await_end(pid: int) -> None:
    """Wait until the process has ended, however long that takes: it gives its uploads up when it wants to."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            if not select.select([handle], [], [], PATIENCE)[0]:
                sys.stderr.write(
                    f"minimaxfs: unmounted; waiting for process {pid} to finish its uploads\n"
                    "Ctrl-C stops the waiting, not the uploads.\n"
                )
                select.select([handle], [], [])
        finally:
            os.close(handle)
