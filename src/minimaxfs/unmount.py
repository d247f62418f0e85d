"""`minimaxfs unmount`: take the drive away, wait for its daemon, and say who is in the way.

The kernel lets a drive go only when nobody uses it. Its daemon may still be uploading then, so the
command returns when that has ended as well: what was copied in is in the store.
"""

import os
import select
import shlex
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from minimaxfs import mounts, processes
from minimaxfs.complaint import CommandFailed, Complaint
from minimaxfs.preflight import check_fusermount
from minimaxfs.processes import Process

PATIENCE = 2.0
"""Seconds of waiting before it is said what for: a daemon with nothing to upload ends within them."""

_SHOWN = 5
"""Processes that are named; the rest is counted."""


def unmount(mountpoint: Path) -> None:
    """Unmount the drive at `mountpoint` (absolute, no links). Raises `CommandFailed`."""
    check_fusermount()
    refuse_others(mountpoint, mounts.at(mountpoint, mounts.current()))
    daemons = [process.pid for process in processes.running() if process.serves(os.fspath(mountpoint))]
    done = subprocess.run(
        ["fusermount3", "-u", "--", mountpoint],
        check=False,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    # fusermount3 has been seen to fail without a word and with status 0: mountinfo has the last word.
    if mounts.at(mountpoint, mounts.current()) is not None:
        raise CommandFailed(complaint_about(mountpoint, list(processes.running()), done.stderr))
    for pid in daemons:
        await_end(pid)


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
    """Wait until the process has ended, however long that takes: its uploads are not ours to give up."""
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
