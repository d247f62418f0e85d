"""True sizes: what the store gives as 0 bytes is asked for again before it is shown, once."""

import logging

import trio

from minimaxfs.core.errors import FsError
from minimaxfs.core.inodes import File
from minimaxfs.disk.ledger import Ledger
from minimaxfs.vfs.downloads import Downloads
from minimaxfs.vfs.kernel import Kernel

log = logging.getLogger(__name__)

PAUSE = 60.0
"""Seconds before a size that could not be learnt is asked for again: the file may not exist yet."""


LOOK_LIMIT = 5.0
"""Seconds that a look waits for a size: two requests; `stat` answers without it then, reading waits on."""


class Sizes:
    """Sizes that were learnt by asking for a byte, kept in the ledger."""

    def __init__(self, downloads: Downloads, ledger: Ledger, kernel: Kernel) -> None:
        self._downloads = downloads
        self._ledger = ledger
        self._kernel = kernel
        self._not_before: dict[int, float] = {}

    async def learn(self, file: File) -> None:
        """Make the size known, if the store can tell it now: for those who look."""
        remote = file.remote
        if remote is None or trio.current_time() < self._not_before.get(remote.file_id, 0.0):
            return
        try:
            with trio.fail_after(LOOK_LIMIT):
                await self.require(file)
        except (FsError, trio.TooSlowError) as error:
            self._not_before[remote.file_id] = trio.current_time() + PAUSE
            log.info("%s: its size cannot be learnt now: %s", file.label, str(error) or "no answer in time")

    async def require(self, file: File) -> None:
        """Make the size known: for those who read, and would else take 0 for it. Raises as the store does."""
        remote = file.remote
        if file.size is not None or remote is None:
            return
        size = await self._downloads.true_size(remote)
        self._not_before.pop(remote.file_id, None)
        self._set(file, size)

    def correct(self, file: File, size: int) -> None:
        """The file turned out to have another size than was believed."""
        log.info("%s: has %d bytes, not %s", file.label, size, file.size)
        self._set(file, size)
        self._kernel.content_changed(file.number)

    def _set(self, file: File, size: int) -> None:
        if file.draft is not None or file.remote is None:
            return
        file.size = size
        if file.name is None:
            return
        try:
            self._ledger.remember(file.remote, file.kept)
        except FsError as error:
            log.warning("%s: its size is not kept for other mounts: %s", file.label, error)
