"""Reading a stored file through a handle: the version it has now, from where the handle is."""

from dataclasses import dataclass, field

from minimaxfs.core.errors import NoSuchFile, Stale
from minimaxfs.core.inodes import File
from minimaxfs.core.ranges import Range
from minimaxfs.core.window import Window, after_read
from minimaxfs.vfs.download import Download
from minimaxfs.vfs.downloads import Downloads
from minimaxfs.vfs.fetching import WrongSize
from minimaxfs.vfs.listings import Listings
from minimaxfs.vfs.runs import Runs
from minimaxfs.vfs.sizes import Sizes


@dataclass(slots=True, eq=False)
class Reading:
    """Where one handle is in a file, and the download that it reads from.

    `is_from_start` says that it began with the first byte, and has not come to the last one yet.
    """

    window: Window = field(default_factory=Window)
    download: Download | None = None
    is_from_start: bool = False


class Reader:
    """Reads what the store has. What it turns out not to have is taken off the tree."""

    def __init__(self, downloads: Downloads, runs: Runs, sizes: Sizes, listings: Listings) -> None:
        self._downloads = downloads
        self._runs = runs
        self._sizes = sizes
        self._listings = listings

    async def prepare(self, file: File) -> None:
        """Make the size known before a byte is read. Raises NoSuchFile where the file is gone."""
        try:
            await self._sizes.require(file)
        except NoSuchFile:
            self._listings.lost(file)
            raise

    def peek(self, file: File, reading: Reading, part: Range) -> bytes | None:
        """Bytes of the file where they can be had without waiting; else None."""
        download, remote = reading.download, file.remote
        if (
            download is None
            or remote is None
            or (remote.file_id, file.size)
            != (
                download.file_id,
                download.size,
            )
        ):
            return None
        part = part.within(Range(0, download.size))
        if not part:
            return b""
        data = download.blocks.peek(part)
        if data is not None:
            before = reading.window.edge
            edge = self._advance(file, reading, download, part)
            if edge > before:
                self._downloads.hint(download, Range(part.stop, edge))
        return data

    def _advance(self, file: File, reading: Reading, download: Download, part: Range) -> int:
        """The handle reads here now; answers the offset up to which it may read next."""
        if part.start == 0:
            reading.is_from_start = True
        if part.stop == download.size and reading.is_from_start:
            reading.is_from_start = False
            self._runs.read_whole(file)
        reading.window = after_read(reading.window, *part, download.size)
        return reading.window.edge

    async def read(self, file: File, reading: Reading, part: Range) -> bytes:
        """Bytes of the file; fewer than asked for only at its end. Raises Stale where it is gone."""
        try:
            return await self._read(file, reading, part)
        except WrongSize as error:
            self._sizes.correct(file, error.total)
            return await self._read(file, reading, part)
        except NoSuchFile as error:
            self._listings.lost(file)
            raise Stale(str(error), code=error.code, trace_id=error.trace_id) from error

    async def _read(self, file: File, reading: Reading, part: Range) -> bytes:
        download = await self._download(file, reading)
        part = part.within(Range(0, download.size))
        if not part:
            return b""
        return await self._downloads.read(download, part, self._advance(file, reading, download, part))

    async def _download(self, file: File, reading: Reading) -> Download:
        """The download of the version that the file has now; of the last one, if it has none any more."""
        await self._sizes.require(file)
        remote, before = file.remote, reading.download
        if remote is None:
            if before is None:
                raise NoSuchFile("it is no longer in the store")
            return before
        size = file.size or 0
        if before is not None and (before.file_id, before.size) == (remote.file_id, size):
            return before
        reading.download = self._downloads.open(remote, size)
        if before is not None:
            self._downloads.close(before)
        return reading.download

    def close(self, reading: Reading) -> None:
        """The handle is gone."""
        if reading.download is not None:
            self._downloads.close(reading.download)
