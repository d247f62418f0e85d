"""Reading remote files: from blocks on disk, and what is absent by ranged GETs into them.

What is asked now is fetched now; what may be asked next is fetched ahead, a bounded number of
ranges at once. Bytes go from the network to the block file and from there to the reader: none
are kept in memory.
"""

import logging
from contextlib import suppress

import trio

from minimaxfs.api.content import Content
from minimaxfs.core.errors import FsError, LocalDiskFull
from minimaxfs.core.files import RemoteFile
from minimaxfs.core.ranges import Range, pieces
from minimaxfs.core.window import STEP
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.record import Record
from minimaxfs.vfs.boundary import faults_as_errors
from minimaxfs.vfs.download import Download, Fetch
from minimaxfs.vfs.fetching import Fetching
from minimaxfs.vfs.flights import Flights
from minimaxfs.vfs.origin import Origin
from minimaxfs.vfs.urls import SignedUrls

log = logging.getLogger(__name__)

MOST_FETCHES = 8
"""Ranges on their way at once for one file, when fetching ahead: more gained nothing at 50 ms."""

MOST_AHEAD = 32
"""Ranges on their way at once for all files that nobody has asked for: four streams at full width."""

ATTEMPTS = 5
"""How often a read plans anew when blocks that had come are gone again, before it passes by the disk."""

SHARE = 4
"""The part (1/SHARE) of the limit on blocks that is fetched ahead at most: what is read is in there too."""

RECORD_EVERY = 5.0
"""Seconds between two writes of the records of what was read: so much a killed process fetches again."""


class Downloads:
    """The files being read, by file_id. Fetches run in the nursery that `start` is given."""

    def __init__(self, content: Content, urls: SignedUrls, blocks: Blocks) -> None:
        self._origin = Origin(content, urls)
        self._blocks = blocks
        self._fetching = Fetching(self._origin, blocks)
        self._share = max(BLOCK, blocks.limit // SHARE // BLOCK * BLOCK)
        self._step = min(STEP, self._share)
        self._open: dict[int, Download] = {}
        self._ahead = 0
        self._sizes: Flights[int] = Flights()
        self._nursery: trio.Nursery | None = None

    def start(self, nursery: trio.Nursery) -> None:
        """Fetch in this nursery from now on."""
        self._nursery = nursery
        nursery.start_soon(self._record_now_and_then)

    def open(self, remote: RemoteFile, size: int) -> Download:
        """Begin to read a file of `size` bytes; each call is to be met by one of `close`."""
        download = self._open.get(remote.file_id)
        if download is None or download.size != size or download.blocks.is_discarded:
            download = Download(remote.file_id, self._blocks.open_file(remote.file_id, size))
            self._open[remote.file_id] = download
        download.users += 1
        return download

    def close(self, download: Download) -> None:
        """One reader less. After the last one nothing is fetched any more."""
        download.users -= 1
        if download.users > 0:
            return
        if self._open.get(download.file_id) is download:
            del self._open[download.file_id]
        for fetch in download.fetches:
            fetch.scope.cancel()
        self._put_away(download)

    def _put_away(self, download: Download) -> None:
        """Keep the blocks for later readers and mounts, once nobody needs the file any more."""
        if download.is_idle:
            self._blocks.close_file(download.blocks)

    async def _record_now_and_then(self) -> None:
        while True:
            await trio.sleep(RECORD_EVERY)
            await self._record()

    async def _record(self) -> None:
        """Make what was read last, as far as the disk lets it."""
        try:
            with faults_as_errors("record of blocks"):
                records = self._blocks.to_record()
                if records:
                    await trio.to_thread.run_sync(_write, records, abandon_on_cancel=True)
                self._blocks.recorded()
        except FsError as error:
            log.warning("blocks are not kept for other mounts: %s", error)

    async def finish(self) -> None:
        """Record what is open, at the end of the mount, when nothing is fetched any more."""
        for download in self._open.values():
            self._blocks.close_file(download.blocks)
        self._open.clear()
        await self._record()

    async def read(self, download: Download, part: Range, edge: int) -> bytes:
        """The bytes of a range within the file; those up to `edge` may be wanted next.

        Raises WrongSize where the file turns out to have another size, else what the store raises.
        """
        edge = min(edge, part.stop + self._share)
        for _ in range(ATTEMPTS):
            data = await self._read_blocks(download, part)
            if data is None:
                for piece in download.plan(part, edge, self._step):
                    self._start(download, Fetch.of(piece))
            self.hint(download, Range(part.stop, edge))
            if data is not None:
                return data
            try:
                await download.arrival(part)
            except LocalDiskFull:
                break
        return await self._pass_by(download, part)

    async def _read_blocks(self, download: Download, part: Range) -> bytes | None:
        """The bytes of a range, by a thread where the disk must be waited for; None where some are absent."""
        data = download.blocks.peek(part)
        if data is not None:
            return data
        load = download.blocks.load(part)
        if load is None:
            return None
        await trio.to_thread.run_sync(load.run, abandon_on_cancel=True)
        return download.blocks.loaded(load)

    async def _pass_by(self, download: Download, part: Range) -> bytes:
        """The bytes of a range by the side of a disk that has no room for them."""
        data = bytearray(part.size)

        def take(offset: int, chunk: bytes) -> None:
            here = Range(offset, offset + len(chunk)).within(part)
            if here:
                piece = chunk[here.start - offset : here.stop - offset]
                data[here.start - part.start : here.stop - part.start] = piece

        await self._fetching.bring(download, Fetch.of(part, take))
        return bytes(data)

    def hint(self, download: Download, ahead: Range) -> None:
        """Begin to fetch what may be asked next, as far as there is room, and hope, for it."""
        ahead = Range(ahead.start, min(ahead.stop, ahead.start + self._share))
        if not ahead or download.has_failed or download.in_one_piece:
            return
        download.ahead = ahead
        for run in download.wanted(ahead):
            for piece in pieces(run, self._step):
                if len(download.fetches) >= MOST_FETCHES or self._ahead >= MOST_AHEAD:
                    return
                self._start(download, Fetch.of(piece, is_ahead=True))

    def errand(self, remote: RemoteFile, size: int) -> trio.CancelScope:
        """Begin to bring a whole file, which may be asked for next. Cancel it where it will not."""
        assert self._nursery is not None
        scope = trio.CancelScope()
        self._nursery.start_soon(self._run_errand, scope, remote, size)
        return scope

    async def _run_errand(self, scope: trio.CancelScope, remote: RemoteFile, size: int) -> None:
        with scope, suppress(FsError), faults_as_errors(f"file {remote.file_id}"):
            download = self.open(remote, size)
            try:
                for piece in download.plan(Range(0, size), size, self._step):
                    self._start(download, Fetch.of(piece, is_ahead=True))
                if download.fetches:
                    await download.arrival(Range(0, size))
            finally:
                self.close(download)

    def _start(self, download: Download, fetch: Fetch) -> None:
        assert self._nursery is not None
        download.fetches.append(fetch)
        self._ahead += fetch.is_ahead
        self._nursery.start_soon(self._fetch, download, fetch)

    async def _fetch(self, download: Download, fetch: Fetch) -> None:
        """A task's boundary: what goes wrong is told to those who wait for the bytes."""
        error: FsError | None = None
        try:
            with faults_as_errors(f"file {download.file_id}"):
                await self._bring(download, fetch)
        except FsError as failure:
            error = failure
            log.debug("file %d, bytes %d to %d: %s", download.file_id, *fetch.part, failure)
        finally:
            self._ahead -= fetch.is_ahead
            download.ended(fetch, error)
            self._put_away(download)
        if error is None and download.users > 0:
            self.hint(download, download.ahead)

    async def _bring(self, download: Download, fetch: Fetch) -> None:
        if fetch.is_ahead:
            await self._fetching.bring(download, fetch)
            return
        async with download.places:
            await self._fetching.bring(download, fetch)

    async def true_size(self, remote: RemoteFile) -> int:
        """The size, in bytes, of a file whose size the store gives as 0. Raises what the store raises."""
        return await self._sizes.run(remote.file_id, lambda: self._origin.size(remote.file_id))


def _write(records: list[Record]) -> None:
    for record in records:
        record.write()
