"""The composition root: what a drive is made of, and the order in which it starts and ends."""

import logging
import os
import random
import signal
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import trio

from minimaxfs import mounts
from minimaxfs.api.client import Client
from minimaxfs.api.content import Content
from minimaxfs.config import Settings
from minimaxfs.core.rules import Rules
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.database import Database
from minimaxfs.disk.journal import Journal
from minimaxfs.disk.ledger import Ledger
from minimaxfs.disk.lock import DirectoryLock
from minimaxfs.disk.spool import Spool
from minimaxfs.fuse.operations import Operations
from minimaxfs.fuse.session import Session
from minimaxfs.meter import Meter
from minimaxfs.vfs.drive import Drive, Shelf, Store

log = logging.getLogger(__name__)

GRACE = 1.0
"""Seconds that the end of the mount may take to keep what was read: the next mount would fetch it again."""

SAVE_EVERY = 30.0
"""Seconds between two writes of the request counts, where there was a request."""

ANSWER_LIMIT = 10.0
"""Seconds until a mount that does not answer statvfs counts as failed. It needs no network for it."""


def serve(settings: Settings, on_ready: Callable[[], None]) -> None:
    """Mount, call `on_ready` once the drive answers, and serve until it is unmounted or told to end.

    SIGTERM and SIGINT end it. Raises ConfigError for what configuration can mend, FsError for the rest.
    """
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
        blocks = Blocks(settings.cache_dir / "blocks", settings.cache_size)
        blocks.open()
        shelf = Shelf(Ledger(database), Journal(database), spool, blocks)
        meter = Meter(shelf.ledger, settings.endpoint.price)
        stack.callback(meter.save)
        trio.run(_run, settings, shelf, meter, on_ready)


async def _run(settings: Settings, shelf: Shelf, meter: Meter, on_ready: Callable[[], None]) -> None:
    mountpoint = os.fspath(settings.mountpoint)
    session = Session(mountpoint, partial(_is_mounted, settings.mountpoint))
    client = Client(settings.endpoint, settings.key, on_request=meter.count, rng=random.Random())
    content = Content(client, on_request=meter.count)
    rules = Rules(check_types=settings.check_types)
    drive = Drive(Store(client, content), shelf, session, mountpoint, settings.purposes, rules)
    session.mount(
        Operations(drive, (os.getuid(), os.getgid())),
        source=f"{mounts.SOURCE_PREFIX}{settings.profile}",
        allow_other=settings.allow_other,
        read_only=settings.read_only,
    )
    try:
        async with trio.open_nursery() as nursery:
            drive.start(nursery)
            nursery.start_soon(_end_on_signal, nursery.cancel_scope)
            nursery.start_soon(_announce, mountpoint, on_ready)
            nursery.start_soon(_save_counts, meter)
            await session.serve(lambda: drive.is_writing)
            nursery.cancel_scope.cancel()
    finally:
        session.unmount()
        with trio.move_on_after(GRACE, shield=True):
            await drive.finish()
            await content.aclose()
            await client.aclose()


def _is_mounted(mountpoint: Path) -> bool:
    mount = mounts.at(mountpoint, mounts.current())
    return mount is not None and mount.is_ours


async def _end_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async for number in signals:
            log.info("%s: unmounting", signal.Signals(number).name)
            scope.cancel()


async def _announce(mountpoint: str, on_ready: Callable[[], None]) -> None:
    """Say that the drive is there once the kernel's own question about it was answered."""
    with trio.fail_after(ANSWER_LIMIT):
        await trio.to_thread.run_sync(os.statvfs, mountpoint, abandon_on_cancel=True)
    on_ready()


async def _save_counts(meter: Meter) -> None:
    while True:
        await trio.sleep(SAVE_EVERY)
        meter.save()
