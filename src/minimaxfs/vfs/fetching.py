"""How a range comes: one request after the other until all its bytes are in the blocks, or in a sink.

Nothing is believed before its head was judged. Bodies go into the block files without passing by here,
where they can; a connection that stalls is dropped, and the rest asked for by another.
"""

import trio

from minimaxfs.api.content import Opened
from minimaxfs.core.errors import BrokenReply, FsError, LocalDiskFull, TimedOut
from minimaxfs.core.files import MIB
from minimaxfs.core.ranges import Range, pieces
from minimaxfs.core.window import STEP
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.faults import local_faults
from minimaxfs.disk.record import write_all
from minimaxfs.vfs.download import Download, Fetch
from minimaxfs.vfs.origin import Origin, wait_after

PATIENCE = 45.0
"""Seconds without a byte after which a fetch gives up, below the deadline of a kernel's read."""


class WrongSize(FsError):
    """The file has `total` bytes, which is not what it was opened with."""

    def __init__(self, message: str, total: int) -> None:
        super().__init__(message)
        self.total = total


class Fetching:
    """Brings ranges from where the bytes are into `blocks`."""

    def __init__(self, origin: Origin, blocks: Blocks) -> None:
        self._origin = origin
        self._blocks = blocks

    async def bring(self, download: Download, fetch: Fetch) -> None:
        """Bring the whole range, going on at the byte where a connection or a URL ended."""
        fetch.scope.deadline = trio.current_time() + PATIENCE
        try:
            with fetch.scope:
                await self._bring(download, fetch)
        finally:
            self._release(download, fetch)
        if fetch.scope.cancelled_caught:
            raise TimedOut(f"file {download.file_id}: no byte came for {PATIENCE:.0f} s")

    async def _bring(self, download: Download, fetch: Fetch) -> None:
        failures = 0
        while fetch.rest and not download.is_covered(fetch):
            before = fetch.coming.start
            if not await self._origin.gives_parts(download.file_id) and not download.in_one_piece:
                self._widen(download, fetch, Range(fetch.reached, download.size))
            try:
                await self._stream(download, fetch)
            except LocalDiskFull:
                if fetch.is_ahead or fetch.full_at == fetch.reached:
                    raise
                fetch.full_at = fetch.reached  # old blocks give way to what is asked for, if to nothing else
                self._blocks.make_room(MIB)
            except FsError as error:
                failures = 1 if fetch.coming.start > before else failures + 1
                await wait_after(error, failures, fetch.scope.deadline)

    async def _stream(self, download: Download, fetch: Fetch) -> None:
        """One request, and what it brings. What it brings may be more than was asked for."""
        whole = Range(0, download.size)
        async with self._origin.open(download.file_id, *fetch.rest) as reply:
            await self._check_total(download, reply)
            if reply.whole and fetch.rest != whole:
                if download.is_covered(fetch):
                    return
                self._widen(download, fetch, whole)
            if fetch.sink is None and reply.can_pour:
                await self._pour(download, fetch, reply)
            else:
                await self._carry(download, fetch, reply)

    async def _pour(self, download: Download, fetch: Fetch, reply: Opened) -> None:
        """Into the block file, past this process. Room is reserved for a range at a time."""
        assert reply.stop is not None
        for part in pieces(Range(fetch.reached, min(fetch.part.stop, reply.stop)), STEP):

            def moved(count: int, start: int = part.start) -> None:
                self._came(download, fetch, start + count)

            self._reserve(download, fetch, part)
            with local_faults("write a block"):
                await reply.pour(download.blocks.descriptor, part.size, moved)

    def _reserve(self, download: Download, fetch: Fetch, part: Range) -> None:
        """Keep room for a range until the fetch has ended: a block that is half there is gone on with."""
        start = max(part.start, fetch.reserved)
        if start < part.stop:
            self._blocks.reserve(download.blocks, Range(start, part.stop))
            fetch.reserved = part.stop

    def _release(self, download: Download, fetch: Fetch) -> None:
        """Give back the room for what did not come."""
        self._blocks.release(download.blocks, Range(fetch.reached, max(fetch.reached, fetch.reserved)))
        fetch.reserved = 0

    def _widen(self, download: Download, fetch: Fetch, part: Range) -> None:
        self._release(download, fetch)
        download.widen(fetch, part)

    def _came(self, download: Download, fetch: Fetch, reached: int) -> None:
        """The bytes up to here are in the block file."""
        download.blocks.wrote(Range(fetch.reached, reached))
        self._note(fetch, reached)
        download.advanced()

    async def _carry(self, download: Download, fetch: Fetch, reply: Opened) -> None:
        """Through this process: a body that has no length, or is not for the blocks."""
        async for chunk in reply.chunks():
            if fetch.sink is not None:
                fetch.sink(fetch.reached, chunk)
                self._note(fetch, fetch.reached + len(chunk))
            else:
                self._put(download, fetch, chunk)
        if reply.stop is None and fetch.reached != download.size:
            # Without a length it may have been cut: no size can be told by it.
            raise BrokenReply(f"file {download.file_id}: {fetch.reached} bytes of {download.size} came")

    def _put(self, download: Download, fetch: Fetch, chunk: bytes) -> None:
        """Into the block file; what comes beyond the file's end is not its own."""
        data = chunk[: max(0, download.size - fetch.reached)]
        part = Range(fetch.reached, fetch.reached + len(data))
        self._reserve(download, fetch, part)
        with local_faults("write a block"):
            write_all(download.blocks.descriptor, data, part.start)
        self._came(download, fetch, part.stop)
        self._note(fetch, part.start + len(chunk))

    def _note(self, fetch: Fetch, reached: int) -> None:
        fetch.reached = reached
        fetch.scope.deadline = trio.current_time() + PATIENCE

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
