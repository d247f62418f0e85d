"""Reading remote files: from blocks on disk, and what is absent by ranged GETs into them.

What is asked now is fetched now; what may be asked next is fetched ahead, a bounded number of
ranges at once. Bytes go from the network to the block file and from there to the reader: none
are kept in memory.
"""

import logging
from functools import partial

import trio

from minimaxfs.api.content import Content, Opened
from minimaxfs.core.errors import BrokenReply, FsError, LocalDiskFull, TimedOut
from minimaxfs.core.files import RemoteFile
from minimaxfs.core.ranges import Range, pieces
from minimaxfs.core.window import STEP
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.disk.blocks import Blocks
from minimaxfs.vfs.boundary import faults_as_errors
from minimaxfs.vfs.download import Download, Fetch
from minimaxfs.vfs.flights import Flights
from minimaxfs.vfs.origin import Origin, wait_after
from minimaxfs.vfs.urls import SignedUrls

log = logging.getLogger(__name__)

MOST_FETCHES = 8
"""Ranges on their way at once for one file, when fetching ahead: more gained nothing at 50 ms."""

PATIENCE = 45.0
"""Seconds without a byte after which a fetch gives up, below the deadline of a kernel's read."""

ATTEMPTS = 5
"""How often a read plans anew when blocks that had come are gone again, before it passes by the disk."""

SHARE = 4
"""The part (1/SHARE) of the limit on blocks that is fetched ahead at most: what is read is in there too."""


class WrongSize(FsError):
    """The file has `total` bytes, which is not what it was opened with."""

    def __init__(self, message: str, total: int) -> None:
        super().__init__(message)
        self.total = total


class Downloads:
    """The files being read, by file_id. Fetches run in the nursery that `start` is given."""

    def __init__(self, content: Content, urls: SignedUrls, blocks: Blocks) -> None:
        self._origin = Origin(content, urls)
        self._blocks = blocks
        self._share = max(BLOCK, blocks.limit // SHARE // BLOCK * BLOCK)
        self._step = min(STEP, self._share)
        self._open: dict[int, Download] = {}
        self._sizes: Flights[int] = Flights()
        self._nursery: trio.Nursery | None = None

    def start(self, nursery: trio.Nursery) -> None:
        """Fetch in this nursery from now on."""
        self._nursery = nursery

    def open(self, remote: RemoteFile, size: int) -> Download:
        """Begin to read a file of `size` bytes; each call is to be met by one of `close`."""
        download = self._open.get(remote.file_id)
        if download is None or download.size != size or download.blocks.is_discarded:
            download = Download(remote.file_id, self._blocks.open_file(remote.file_id, size))
            self._open[remote.file_id] = download
        download.users += 1
        return download

    async def close(self, download: Download) -> None:
        """One reader less. After the last one nothing is fetched any more, and the blocks are recorded."""
        download.users -= 1
        if download.users > 0:
            return
        if self._open.get(download.file_id) is download:
            del self._open[download.file_id]
        for fetch in download.fetches:
            fetch.scope.cancel()
        await self._put_away(download)

    async def _put_away(self, download: Download) -> None:
        """Keep the blocks for later readers and mounts, once nobody needs the file any more."""
        if not download.is_idle:
            return
        with trio.CancelScope(shield=True):
            await _record(download)
        self._blocks.close_file(download.blocks)

    async def finish(self) -> None:
        """Record what is open, at the end of the mount, when nothing is fetched any more."""
        for download in self._open.values():
            await _record(download)
            self._blocks.close_file(download.blocks)
        self._open.clear()

    async def read(self, download: Download, part: Range, edge: int) -> bytes:
        """The bytes of a range within the file; those up to `edge` may be wanted next.

        Raises WrongSize where the file turns out to have another size, else what the store raises.
        """
        edge = min(edge, part.stop + self._share)
        for _ in range(ATTEMPTS):
            data = download.blocks.read(part)
            if data is not None:
                self._fetch_ahead(download, Range(part.stop, edge))
                return data
            for piece in download.plan(part, edge, self._step):
                self._start(download, piece)
            self._fetch_ahead(download, Range(part.stop, edge))
            try:
                await download.arrival(part)
            except LocalDiskFull:
                break
        return await self._pass_by(download, part)

    async def _pass_by(self, download: Download, part: Range) -> bytes:
        """The bytes of a range by the side of a disk that has no room for them."""
        data = bytearray(part.size)

        def take(offset: int, chunk: bytes) -> None:
            here = Range(offset, offset + len(chunk)).within(part)
            if here:
                piece = chunk[here.start - offset : here.stop - offset]
                data[here.start - part.start : here.stop - part.start] = piece

        await self._bring(download, Fetch.of(part, take))
        return bytes(data)

    def _fetch_ahead(self, download: Download, ahead: Range) -> None:
        """Begin to fetch what may be asked next, as far as there is room, and hope, for it."""
        if not ahead or download.has_failed or download.in_one_piece:
            return
        download.ahead = ahead
        for run in download.wanted(ahead):
            for piece in pieces(run, self._step):
                if len(download.fetches) >= MOST_FETCHES:
                    return
                self._start(download, piece)

    def _start(self, download: Download, part: Range) -> None:
        assert self._nursery is not None
        fetch = Fetch.of(part, partial(self._keep, download))
        download.fetches.append(fetch)
        self._nursery.start_soon(self._fetch, download, fetch)

    def _keep(self, download: Download, offset: int, chunk: bytes) -> None:
        if self._blocks.write(download.blocks, offset, chunk[: max(0, download.size - offset)]):
            download.advanced()

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
            download.ended(fetch, error)
            await self._put_away(download)
        if error is None and download.users > 0:
            self._fetch_ahead(download, download.ahead)

    async def _bring(self, download: Download, fetch: Fetch) -> None:
        """Bring the whole range, going on at the byte where a connection or a URL ended."""
        failures = 0
        fetch.scope.deadline = trio.current_time() + PATIENCE
        with fetch.scope:
            while fetch.rest and not download.is_covered(fetch):
                before = fetch.coming.start
                if not await self._origin.gives_parts(download.file_id) and not download.in_one_piece:
                    download.widen(fetch, Range(fetch.reached, download.size))
                try:
                    await self._stream(download, fetch)
                except FsError as error:
                    failures = 1 if fetch.coming.start > before else failures + 1
                    await wait_after(error, failures, fetch.scope.deadline)
        if fetch.scope.cancelled_caught:
            raise TimedOut(f"file {download.file_id}: no byte came for {PATIENCE:.0f} s")

    async def _stream(self, download: Download, fetch: Fetch) -> None:
        """One request, and what it brings. What it brings may be more than was asked for."""
        whole = Range(0, download.size)
        if download.is_covered(fetch):
            return
        async with self._origin.open(download.file_id, *fetch.rest) as reply:
            await self._check_total(download, reply)
            if reply.whole and fetch.rest != whole:
                if download.is_covered(fetch):
                    return
                download.widen(fetch, whole)
            async for chunk in reply.chunks():
                fetch.sink(fetch.reached, chunk)
                fetch.reached += len(chunk)
                fetch.scope.deadline = trio.current_time() + PATIENCE
            if reply.stop is None and fetch.reached != download.size:
                # Without a length it may have been cut: no size can be told by it.
                raise BrokenReply(f"file {download.file_id}: {fetch.reached} bytes of {download.size} came")

    async def _check_total(self, download: Download, reply: Opened) -> None:
        """Raise WrongSize where the file has another size, BrokenReply where something else came instead.

        A part says how long the whole is. A whole body of another length may be the file, or a
        proxy's page in its place: a part is asked for, to know.
        """
        total = reply.total
        if total is None or total == download.size:
            return
        if reply.whole:
            total = await self._origin.told_size(download.file_id)
        if total is None or total == download.size:
            raise BrokenReply(f"file {download.file_id}: {reply.total} bytes came that are not the file's")
        raise WrongSize(f"file {download.file_id} has {total} bytes, not {download.size}", total)

    async def true_size(self, remote: RemoteFile) -> int:
        """The size, in bytes, of a file whose size the store gives as 0. Raises what the store raises."""
        return await self._sizes.run(remote.file_id, lambda: self._origin.size(remote.file_id))


async def _record(download: Download) -> None:
    """Make the blocks last, as far as the disk lets them."""
    try:
        await trio.to_thread.run_sync(download.blocks.record().write, abandon_on_cancel=True)
    except FsError as error:
        log.warning("blocks of file %d are not kept: %s", download.file_id, error)
