"""The composition root: what a drive is made of, and the order in which it starts and ends."""

import gc
import logging
import os
import random
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack

import trio

from minimaxfs import mounts, preflight, privileges, readahead, sockets
from minimaxfs.api.client import Client
from minimaxfs.api.reached_content import ReachedContent
from minimaxfs.config import Settings
from minimaxfs.control import Control
from minimaxfs.core.errors import ConfigError
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.database import Database
from minimaxfs.disk.journal import Journal
from minimaxfs.disk.ledger import Ledger
from minimaxfs.disk.lock import DirectoryLock
from minimaxfs.disk.pins import Pins
from minimaxfs.disk.spool import Spool
from minimaxfs.ending import Ending
from minimaxfs.fuse.operations import Operations
from minimaxfs.fuse.session import Session
from minimaxfs.meter import Meter
from minimaxfs.outside import Outside
from minimaxfs.reload import Reload
from minimaxfs.replies import Replies
from minimaxfs.report import Report
from minimaxfs.signals import Signals
from minimaxfs.vfs.drive import Drive, Shelf, Store

log = logging.getLogger(__name__)

GRACE = 1.0
"""Seconds that the end of the mount may take to keep what was read: the next mount would fetch it again."""

SAVE_EVERY = 30.0
"""Seconds between two writes of the request counts, where there was a request."""

COLLECT_AFTER = 10_000
"""New objects after which Python looks for cycles (by itself: 700). A listing makes 200,000 that stay."""

ANSWER_LIMIT = 10.0
"""Seconds until a mount that does not answer statvfs counts as failed. It needs no network for it."""


def serve(settings: Settings, outside: Outside) -> None:
    """Mount, and serve until the drive is unmounted or told to end.

    SIGTERM and SIGINT end it, once uploads had their time (`Ending`); a second one ends it at once.
    Raises ConfigError for what configuration can mend, FsError for the rest.
    """
    gc.set_threshold(COLLECT_AFTER)
    with ExitStack() as stack:
        for directory in {settings.state_dir, settings.cache_dir}:
            lock = DirectoryLock(directory)
            lock.acquire()
            stack.callback(lock.release)
        database = Database(settings.state_dir / "ledger.sqlite")
        database.open()
        stack.callback(database.close)
        spool = Spool(settings.state_dir / "spool")
        spool.open()
        stack.callback(spool.close)
        pins = Pins(Ledger(database))
        pins.load()
        blocks = Blocks(settings.cache_dir / "blocks", settings.cache_size, pins)
        blocks.open()
        shelf = Shelf(Ledger(database), Journal(database), spool, blocks, pins)
        meter = Meter(shelf.ledger, settings.endpoint.price)
        stack.callback(meter.save)
        place = mounts.Place(settings.mountpoint)
        trio.run(_run, settings, shelf, meter, outside, place)
        if place.is_taken():
            raise preflight.stale(settings.mountpoint)


async def _run(settings: Settings, shelf: Shelf, meter: Meter, outside: Outside, place: mounts.Place) -> None:
    mountpoint = os.fspath(settings.mountpoint)
    session = Session(mountpoint, place)
    client = Client(settings.endpoint, settings.key, on_request=meter.count, rng=random.Random())
    content = ReachedContent(client, on_request=meter.count)
    drive = Drive(Store(client, content), shelf, session, mountpoint, settings.purposes, settings.rules)
    ending = Ending(drive.desk, drive.handles.has_writers, settings.drain)
    report = Report(outside.supervisor, settings.mountpoint, ending, client.standing)
    reload: Callable[[], Awaitable[None]] | None = None
    if outside.reread is not None:
        reload = Reload(settings, outside.reread, client, shelf.blocks, ending, report).run
    session.mount(
        Operations(drive, (os.getuid(), os.getgid())),
        source=f"{mounts.SOURCE_PREFIX}{settings.profile}",
        flags=kernel_flags(settings),
        channel=settings.helper.channel if settings.helper else None,
    )
    privileges.forbid_new()
    try:
        with ExitStack() as stack:
            async with trio.open_nursery() as nursery:
                drive.start(nursery)
                nursery.start_soon(content.prepare)
                nursery.start_soon(client.prepare)
                nursery.start_soon(Signals(ending, report, reload).obey, nursery)
                nursery.start_soon(_announce, mountpoint, outside.on_ready, report)
                nursery.start_soon(_save_counts, meter)
                listener = _listener(settings.profile, stack)
                if listener is not None:
                    replies = Replies(settings, drive, shelf.blocks, meter)
                    control = Control(mountpoint, settings.profile, drive.desk, ending, replies.commands)
                    nursery.start_soon(control.serve, listener)
                await session.serve(lambda: ending.waits_for_writers)
                await ending.finish()
                nursery.cancel_scope.cancel()
    finally:
        session.unmount()
        with trio.move_on_after(GRACE, shield=True):
            await drive.finish()
            await content.aclose()
            await client.aclose()


def kernel_flags(settings: Settings) -> Iterator[str]:
    """Name what the kernel is to see to."""
    if settings.allow_other:
        yield "allow_other"
    if settings.read_only:
        yield "ro"
    if settings.helper and settings.helper.noexec:
        yield "noexec"


def _listener(profile: str, stack: ExitStack) -> socket.socket | None:
    """The socket for commands. A drive that cannot have one still is a drive."""
    try:
        return stack.enter_context(sockets.claimed(sockets.directory(os.environ), profile))
    except (OSError, ConfigError) as error:
        log.warning("no control socket, so that no command can ask for uploads: %s", error)
        return None


async def _announce(mountpoint: str, on_ready: Callable[[], None], report: Report) -> None:
    """Say that the drive is there once the kernel's own question about it was answered.

    All that is in memory by now stays there: the collector of cycles need not walk over it again
    whenever a listing brings thousands of files.
    """
    with trio.fail_after(ANSWER_LIMIT):
        await trio.to_thread.run_sync(os.statvfs, mountpoint, abandon_on_cancel=True)
    await trio.to_thread.run_sync(readahead.widen, mountpoint, abandon_on_cancel=True)
    on_ready()
    gc.freeze()
    await report.serve()


async def _save_counts(meter: Meter) -> None:
    while True:
        await trio.sleep(SAVE_EVERY)
        meter.save()
