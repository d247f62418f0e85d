"""The reading side of a drive without a kernel: real downloads into real blocks, by HTTP from an emulator."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import trio

from api_bodies import count
from minimaxfs.api.client import Client
from minimaxfs.api.content import Content
from minimaxfs.api.endpoint import PRESETS, Operation
from minimaxfs.core.files import RemoteFile
from minimaxfs.core.ranges import Range
from minimaxfs.core.window import Window, after_read
from minimaxfs.disk.blocks import Blocks
from minimaxfs.emulator.background import Emulator
from minimaxfs.vfs.download import Download
from minimaxfs.vfs.downloads import Downloads
from minimaxfs.vfs.urls import SignedUrls

KEY = "sk-of-the-reading-side"
MIB = 1024 * 1024

HASTE = 40.0
"""So many times faster do limits and pauses pass, but not the network: 20 s of silence in half a second."""


@dataclass
class Reader:
    """One open of a file: it reads as a handle does, with a window of its own."""

    downloads: Downloads
    download: Download
    window: Window = field(default_factory=Window)

    async def read(self, offset: int, size: int) -> bytes:
        part = Range(offset, min(offset + size, self.download.size))
        self.window = after_read(self.window, *part, self.download.size)
        return await self.downloads.read(self.download, part, self.window.edge)

    async def read_on(self, start: int, stop: int, step: int = 128 * 1024) -> bytes:
        """A range from its start on, in the pieces in which the kernel asks."""
        return b"".join([await self.read(at, min(step, stop - at)) for at in range(start, stop, step)])


@dataclass
class ReadingSide:
    """Downloads of one mount. `sent` are the requests as the client counts them."""

    client: Client
    urls: SignedUrls
    blocks: Blocks
    downloads: Downloads
    sent: Counter[Operation]

    @asynccontextmanager
    async def reader(self, remote: RemoteFile, size: int | None = None) -> AsyncIterator[Reader]:
        """A file that is open for reading."""
        download = self.downloads.open(remote, remote.size if size is None else size)
        try:
            yield Reader(self.downloads, download)
        finally:
            self.downloads.close(download)


@asynccontextmanager
async def reading_side(
    emulator: Emulator, directory: Path, limit: int = 1024 * MIB
) -> AsyncIterator[ReadingSide]:
    """One mount's reading side, from its start to its end; `limit` is that of its blocks."""
    sent: Counter[Operation] = Counter()
    blocks = Blocks(directory, limit)
    blocks.open()
    endpoint = PRESETS["global"].at(emulator.api_origin)
    async with Client(endpoint, KEY, on_request=count(sent), rng=Random()) as client:
        content = Content(client, on_request=count(sent))
        urls = SignedUrls(client)
        downloads = Downloads(content, urls, blocks)
        async with trio.open_nursery() as nursery:
            downloads.start(nursery)
            yield ReadingSide(client, urls, blocks, downloads, sent)
            nursery.cancel_scope.cancel()
        await downloads.finish()
        await content.aclose()


def stored(emulator: Emulator, data: bytes | Path, purpose: str = "t2a_async_input") -> RemoteFile:
    """A file of the emulator, as a listing would tell of it."""
    file_id = emulator.add_file(purpose, "a file.txt", data)
    size = len(data) if isinstance(data, bytes) else data.stat().st_size
    return RemoteFile(file_id, purpose, "a file.txt", size, 0)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition; a test that hangs fails here."""
    with trio.fail_after(30):
        while not is_so():
            await trio.sleep(0.005)
