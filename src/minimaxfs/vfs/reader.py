"""Reading a stored file through a handle: the version it has now, from where the handle is."""

from dataclasses import dataclass, field

from minimaxfs.core.errors import NoSuchFile, Stale
from minimaxfs.core.inodes import File
from minimaxfs.core.ranges import Range
from minimaxfs.core.window import Window, after_read
from minimaxfs.vfs.download import Download
from minimaxfs.vfs.downloads import Downloads, WrongSize
from minimaxfs.vfs.listings import Listings
from minimaxfs.vfs.sizes import Sizes


@dataclass(slots=True, eq=False)
class Reading:
    """Where one handle is in a file, and the download that it reads from."""

    window: Window = field(default_factory=Window)
    download: Download | None = None


class Reader:
    """Reads what the store has. What it turns out not to have is taken off the tree."""

    def __init__(self, downloads: Downloads, sizes: Sizes, listings: Listings) -> None:
        self._downloads = downloads
        self._sizes = sizes
        self._listings = listings

    async def prepare(self, file: File) -> None:
        """Make the size known before a byte is read. Raises NoSuchFile where the file is gone."""
        try:
            await self._sizes.require(file)
        except NoSuchFile:
            self._listings.lost(file)
            raise

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
        reading.window = after_read(reading.window, *part, download.size)
        return await self._downloads.read(download, part, reading.window.edge)

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
            await self._downloads.close(before)
        return reading.download

    async def close(self, reading: Reading) -> None:
        """The handle is gone."""
        if reading.download is not None:
            await self._downloads.close(reading.download)
