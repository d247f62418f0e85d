"""A drive without a kernel: what a mount does, called as the kernel would call it."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import trio

from api_bodies import count
from minimaxfs.api.client import Client
from minimaxfs.api.content import Content
from minimaxfs.api.endpoint import PRESETS, Operation
from minimaxfs.core.files import PURPOSES
from minimaxfs.core.inodes import File
from minimaxfs.core.rules import Rules
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.database import Database
from minimaxfs.disk.journal import Journal
from minimaxfs.disk.ledger import Ledger
from minimaxfs.disk.pins import Pins
from minimaxfs.disk.spool import Spool
from minimaxfs.emulator.background import Emulator
from minimaxfs.vfs.drive import Drive, Shelf, Store
from recording_kernel import RecordingKernel

KEY = "sk-of-a-drive-without-a-kernel"
MIB = 1024 * 1024


@dataclass
class BareHands:
    """A mounted drive, and the system calls of a person on it. Paths are `purpose/name`."""

    drive: Drive
    shelf: Shelf
    kernel: RecordingKernel

    async def number(self, purpose: str) -> int:
        return (await self.drive.names.lookup(1, purpose)).number

    async def ls(self, purpose: str) -> list[str]:
        return sorted(await self.drive.names.listed(await self.number(purpose)))

    async def file(self, path: str) -> File:
        purpose, _, name = path.partition("/")
        inode = await self.drive.names.lookup(await self.number(purpose), name)
        return self.drive.names.file(inode.number)

    async def stat_size(self, path: str) -> int:
        return (await self.drive.names.attributes((await self.file(path)).number)).size

    async def cat(self, path: str) -> bytes:
        file = await self.file(path)
        handle = await self.drive.handles.open(file, os.O_RDONLY)
        try:
            return await self.read(handle)
        finally:
            await self.drive.handles.flush(handle)
            await self.drive.handles.release(handle)

    async def read(self, handle: int) -> bytes:
        """All of an open file, as the kernel asks for it."""
        data = bytearray()
        while piece := await self.drive.handles.read(handle, len(data), 128 * 1024):
            data += piece
        return bytes(data)

    async def create(self, path: str) -> int:
        purpose, _, name = path.partition("/")
        file = self.drive.changes.create(await self.number(purpose), name, mtime_ns=1, mode=0o644)
        return self.drive.handles.opened_new(file)

    async def put(self, path: str, data: bytes) -> None:
        """`cp` to a new name; raises what its `close` would."""
        await self.fill(await self.create(path), data)

    async def overwrite(self, path: str, data: bytes) -> None:
        """`cp` over a file."""
        handle = await self.drive.handles.open(await self.file(path), os.O_WRONLY | os.O_TRUNC)
        await self.fill(handle, data)

    async def fill(self, handle: int, data: bytes) -> None:
        """Write, and close for the last time."""
        try:
            for at in range(0, len(data), MIB):
                await self.drive.handles.write(handle, at, data[at : at + MIB])
            await self.drive.handles.flush(handle)
        finally:
            await self.drive.handles.release(handle)

    async def rm(self, path: str) -> None:
        purpose, _, name = path.partition("/")
        await self.drive.changes.unlink(await self.number(purpose), name)

    async def mv(self, path: str, name: str) -> None:
        """Within a directory."""
        purpose, _, before = path.partition("/")
        number = await self.number(purpose)
        await self.drive.changes.rename(number, before, number, name)

    async def xattr(self, path: str, name: str) -> str:
        return await self.drive.extended((await self.file(path)).number, f"user.minimax.{name}")


@asynccontextmanager
async def bare_hands(emulator: Emulator, place: Path, rules: Rules | None = None) -> AsyncIterator[BareHands]:
    """One mount, from its start to its end; `place` keeps what mounts leave to each other."""
    sent: Counter[Operation] = Counter()
    endpoint = PRESETS["global"].at(emulator.api_origin)
    with ExitStack() as stack:
        shelf = _shelf(place, stack)
        kernel = RecordingKernel()
        async with Client(endpoint, KEY, on_request=count(sent), rng=Random()) as client:
            content = Content(client, on_request=count(sent))
            drive = Drive(Store(client, content), shelf, kernel, "/nowhere", PURPOSES, rules or Rules())
            async with trio.open_nursery() as nursery:
                drive.start(nursery)
                yield BareHands(drive, shelf, kernel)
                nursery.cancel_scope.cancel()
            await drive.finish()
            await content.aclose()


def _shelf(place: Path, stack: ExitStack) -> Shelf:
    place.mkdir(exist_ok=True)
    database = Database(place / "ledger.sqlite")
    database.open()
    stack.callback(database.close)
    spool = Spool(place / "spool")
    spool.open()
    stack.callback(spool.close)
    pins = Pins(Ledger(database))
    pins.load()
    blocks = Blocks(place / "blocks", 1024 * MIB, pins)
    blocks.open()
    return Shelf(Ledger(database), Journal(database), spool, blocks, pins)
