"""Reading remote files: from blocks on disk, and what is absent by ranged GETs into them.

What is asked now is fetched now; what may be asked next is fetched ahead, a bounded number of
ranges at once. Bytes go from the network to the block file and from there to the reader: none
are kept in memory.
"""

import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from minimaxfs.api.content import Content, Opened, UrlEnded
from minimaxfs.core.backoff import pause
from minimaxfs.core.errors import FsError, LocalFault
from minimaxfs.core.files import RemoteFile
from minimaxfs.core.ranges import Range, pieces
from minimaxfs.core.window import STEP
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.disk.blocks import Blocks
from minimaxfs.vfs.download import Download, Fetch
from minimaxfs.vfs.flights import Flights
from minimaxfs.vfs.urls import SignedUrls

log = logging.getLogger(__name__)

MOST_FETCHES = 8
"""Ranges on their way at once for one file, when fetching ahead: more gained nothing at 50 ms."""

WHOLE = STEP
"""Bytes up to which a file comes whole in one GET."""

PATIENCE = 45.0
"""Seconds without a byte after which a fetch gives up, below the deadline of a kernel's read."""

ATTEMPTS = 5
"""How often a read plans anew when blocks that had come are gone again, before it fails."""


class WrongSize(FsError):
    """The file has `total` bytes, which is not what it was opened with."""

    def __init__(self, message: str, total: int) -> None:
        super().__init__(message)
        self.total = total


class Downloads:
    """The files being read, by file_id. Fetches run in the nursery that `start` is given."""

    def __init__(self, content: Content, urls: SignedUrls, blocks: Blocks) -> None:
        self._content = content
        self._urls = urls
        self._blocks = blocks
        self._open: dict[int, Download] = {}
        self._probes: Flights[int] = Flights()
        self._nursery: trio.Nursery | None = None

    def start(self, nursery: trio.Nursery) -> None:
        """Fetch in this nursery from now on."""
        self._nursery = nursery

    def open(self, remote: RemoteFile, size: int) -> Download:
        """Begin to read a file of `size` bytes; each call is to be met by one of `close`."""
        download = self._open.get(remote.file_id)
        if download is None or download.size != size:
            download = Download(remote.file_id, self._blocks.open_file(remote.file_id, size))
            self._open[remote.file_id] = download
        download.users += 1
        return download

    async def close(self, download: Download) -> None:
        """One reader less; after the last one the blocks are recorded, for the mounts to come."""
        download.users -= 1
        if download.users > 0:
            return
        if self._open.get(download.file_id) is download:
            del self._open[download.file_id]
        for fetch in download.fetches:
            fetch.scope.cancel()
        await self._settle(download)

    async def _settle(self, download: Download) -> None:
        """Record and close the block file once nobody reads it and nothing is on its way into it."""
        if download.users > 0 or download.fetches:
            return
        download.users = -1
        try:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(download.blocks.record().write)
        except FsError as error:
            log.warning("blocks of file %d are not kept: %s", download.file_id, error)
        finally:
            self._blocks.close_file(download.blocks)

    async def finish(self) -> None:
        """Record what is open, at the end of the mount."""
        for download in list(self._open.values()):
            download.users = 1
            download.fetches.clear()
            await self.close(download)

    async def read(self, download: Download, part: Range, edge: int) -> bytes:
        """The bytes of a range within the file; those up to `edge` may be wanted next.

        Raises WrongSize where the file turns out to have another size, else what the store raises.
        """
        for _ in range(ATTEMPTS):
            data = download.blocks.read(part)
            if data is not None:
                self._fetch_ahead(download, Range(part.stop, edge))
                return data
            self._fetch_now(download, part, edge)
            await download.arrival(part)
        raise LocalFault(f"blocks of file {download.file_id} are gone as soon as they come")

    def _fetch_now(self, download: Download, part: Range, edge: int) -> None:
        """Begin to fetch what is absent; a range goes on beyond the need where more is wanted ahead."""
        if download.size <= WHOLE:
            part, edge = Range(0, download.size), download.size
        for run in download.wanted(part):
            whole_run = download.wanted(Range(run.start, max(run.stop, edge)))[0]
            for piece in pieces(whole_run, STEP):
                if piece.start < part.stop:
                    self._start(download, piece)
        self._fetch_ahead(download, Range(part.stop, edge))

    def _fetch_ahead(self, download: Download, ahead: Range) -> None:
        """Begin to fetch what may be asked next, as far as there is room for it."""
        if not ahead:
            return
        download.ahead = ahead
        for run in download.wanted(ahead):
            for piece in pieces(run, STEP):
                if len(download.fetches) >= MOST_FETCHES:
                    return
                self._start(download, piece)

    def _start(self, download: Download, part: Range) -> None:
        assert self._nursery is not None
        fetch = Fetch.of(part)
        download.fetches.append(fetch)
        self._nursery.start_soon(self._fetch, download, fetch)

    async def _fetch(self, download: Download, fetch: Fetch) -> None:
        error: FsError | None = None
        try:
            with fetch.scope:
                await self._fetch_stubbornly(download, fetch)
        except FsError as failure:
            error = failure
            log.debug("file %d, bytes %d to %d: %s", download.file_id, *fetch.part, failure)
        finally:
            if fetch in download.fetches:
                download.ended(fetch, error)
        if error is None and download.users > 0:
            self._fetch_ahead(download, download.ahead)
        await self._settle(download)

    async def _fetch_stubbornly(self, download: Download, fetch: Fetch) -> None:
        """Bring the whole range, going on at the byte where a connection or a URL ended."""
        failures = 0
        deadline = trio.current_time() + PATIENCE
        while fetch.reached < fetch.part.stop:
            before = fetch.reached
            try:
                await self._stream(download, fetch)
                if download.is_whole_stream:
                    return
            except FsError as error:
                if fetch.reached > before:
                    failures, deadline = 0, trio.current_time() + PATIENCE
                failures += 1
                await self._wait_after(error, failures, deadline)

    async def _wait_after(self, error: FsError, failures: int, deadline: float) -> None:
        if isinstance(error, UrlEnded) and failures <= 2:
            return
        wait = pause(error, failures, random.random(), deadline - trio.current_time())
        if wait is None:
            raise error
        await trio.sleep(wait)

    async def _stream(self, download: Download, fetch: Fetch) -> None:
        rest = Range(fetch.reached, fetch.part.stop)
        async with self._reply(download.file_id, rest) as reply:
            if reply.total is not None and reply.total != download.size:
                message = f"file {download.file_id} has {reply.total} bytes, not {download.size}"
                raise WrongSize(message, reply.total)
            if reply.whole and rest != Range(0, download.size):
                if download.is_whole_stream:
                    return
                download.is_whole_stream = True
                fetch.part, fetch.reached = Range(0, download.size), 0
            try:
                async for chunk in reply.chunks():
                    self._keep(download, fetch, chunk)
            finally:
                if reply.whole:
                    download.is_whole_stream = False

    def _keep(self, download: Download, fetch: Fetch, chunk: bytes) -> None:
        start, filling = fetch.reached, fetch.block_start
        stop = start + len(chunk)
        self._blocks.make_room(len(chunk), download.blocks, Range(filling, stop))
        download.blocks.write(start, chunk)
        fetch.reached = stop
        if stop // BLOCK > filling // BLOCK or stop >= download.size:
            self._blocks.mark(download.blocks, Range(filling, stop))
            download.advanced()

    @asynccontextmanager
    async def _reply(self, file_id: int, part: Range) -> AsyncIterator[Opened]:
        """The bytes of a range on their way: from the signed URL, or by file_id where there is none."""
        address = await self._urls.address(file_id)
        if address.signed is None:
            async with self._content.open_by_id(file_id, *part) as reply:
                yield reply
            return
        try:
            async with self._content.open(address.signed.url, *part) as reply:
                yield reply
        except UrlEnded:
            self._urls.ended(file_id, address)
            raise

    async def true_size(self, remote: RemoteFile) -> int:
        """The size, in bytes, of a file whose size the store gives as 0. Raises what the store raises."""
        return await self._probes.run(remote.file_id, lambda: self._probe(remote.file_id))

    async def _probe(self, file_id: int) -> int:
        address = await self._urls.address(file_id)
        if address.size:
            return address.size
        async with self._reply(file_id, Range(0, 1)) as reply:
            if reply.total is not None:
                return reply.total
            return await self._count(reply)

    async def _count(self, reply: Opened) -> int:
        """The length of a body that does not say its own: there is no other way than to read it."""
        size = 0
        async for chunk in reply.chunks():
            size += len(chunk)
        return size
