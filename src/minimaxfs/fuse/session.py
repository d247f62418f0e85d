"""The FUSE session: mount, serve, be told, unmount. pyfuse3 keeps it in globals; it stays in here."""

import logging
import os
import select
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import pyfuse3
import trio
from pyfuse3 import FileNameT, InodeT

from minimaxfs.core.errors import ConfigError

log = logging.getLogger(__name__)

MOST_TASKS = 1000
"""Requests served at once. pyfuse3's own 99 would let hung reads of one file stop all others."""

LAST_READS = 0.5
"""Seconds that reads have to end after a lazy unmount. Writes have as long as they take."""


class Place(Protocol):
    """Where the mount is, as mountinfo shows it."""

    def take(self) -> None:
        """What is mounted there now is ours."""

    def is_taken(self) -> bool:
        """Whether our mount is there."""

    def is_on_top(self) -> bool:
        """Whether no other is on top of it."""


class Session:
    """One mount of this process; `Kernel` for the floors below, which it tells the kernel for them."""

    def __init__(self, mountpoint: str, place: Place) -> None:
        self._mountpoint = mountpoint
        self._place = place
        self._send, self._notices = trio.open_memory_channel[tuple[int, bytes, int]](float("inf"))

    def mount(
        self, operations: pyfuse3.Operations, *, source: str, flags: Iterable[str], channel: int | None
    ) -> None:
        """Mount with the kernel's `flags`, or serve the `channel` of what is mounted already.

        Raises ConfigError where the kernel or fusermount3 refuses.
        """
        options = {"default_permissions", f"fsname={_escaped(source)}", "subtype=minimaxfs", *flags}
        place = self._mountpoint if channel is None else f"/dev/fd/{channel}"
        try:
            pyfuse3.init(operations, place, options)
        except RuntimeError as error:
            raise ConfigError(
                f"{self._mountpoint} could not be mounted: {error}",
                "The log says what fusermount3 answered; it needs /dev/fuse, and a directory that is yours.",
            ) from error
        self._place.take()

    async def serve(self, is_writing: Callable[[], bool]) -> None:
        """Answer the kernel until the drive is unmounted, and as long as somebody writes to it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._notify)
            nursery.start_soon(self._end_when_detached, nursery.cancel_scope, is_writing)
            await pyfuse3.main(min_tasks=1, max_tasks=MOST_TASKS)
            nursery.cancel_scope.cancel()

    def unmount(self) -> None:
        """Unmount, if it still is mounted, and let go of the kernel.

        Another mount on top of ours would be taken in its place. Nor does fusermount3 say so where it
        can unmount nothing: whoever cares looks at mountinfo.
        """
        pyfuse3.close(unmount=self._place.is_on_top())

    def name_gone(self, directory: int, name: str, inode: int) -> None:
        """As `Kernel` says."""
        self._send.send_nowait((directory, os.fsencode(name), inode))

    def content_changed(self, inode: int) -> None:
        """As `Kernel` says."""
        self._send.send_nowait((0, b"", inode))

    async def _notify(self) -> None:
        """Tell the kernel, in a thread: it may wait for a request that this loop has to answer."""
        async for directory, name, inode in self._notices:
            await trio.to_thread.run_sync(_tell, directory, name, inode, abandon_on_cancel=True)

    async def _end_when_detached(self, scope: trio.CancelScope, is_writing: Callable[[], bool]) -> None:
        """End a file system that is mounted no more (fusermount3 -uz), though a hung read keeps it alive."""
        await trio.to_thread.run_sync(_wait_until_detached, self._place.is_taken, abandon_on_cancel=True)
        log.info("%s was unmounted", self._mountpoint)
        await trio.sleep(LAST_READS)
        while is_writing():
            await trio.sleep(0.1)
        scope.cancel()


def _tell(directory: int, name: bytes, inode: int) -> None:
    try:
        if name:
            pyfuse3.invalidate_entry(InodeT(directory), FileNameT(name), InodeT(inode))
        else:
            pyfuse3.invalidate_inode(InodeT(inode))
    except OSError as error:
        # ENOENT: the kernel had nothing to forget. The rest (EBADF, ENOTCONN) ends with the mount.
        log.debug("the kernel did not take a notice: %s", error)


def _wait_until_detached(is_mounted: Callable[[], bool]) -> None:
    """The kernel wakes who polls mountinfo whenever mounts change."""
    with Path("/proc/self/mountinfo").open("rb") as mounts:
        poll = select.poll()
        poll.register(mounts, select.POLLPRI | select.POLLERR)
        while is_mounted():
            poll.poll()


def _escaped(value: str) -> str:
    """An option's value: libfuse splits at commas, and takes a backslash for an escape."""
    return value.replace("\\", "\\\\").replace(",", "\\,")
