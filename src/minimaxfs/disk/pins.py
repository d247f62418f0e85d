"""Pins: files whose blocks stay on this disk, whatever else is read. The ledger keeps them over remounts."""

import logging
from collections.abc import Iterable

from minimaxfs.core.errors import FsError
from minimaxfs.core.files import RemoteFile
from minimaxfs.disk.ledger import Ledger

log = logging.getLogger(__name__)


class Pins:
    """Pinned files, by file_id: a name may change, and the bytes of an id do not."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ids: set[int] = set()

    def load(self) -> None:
        """Hold what earlier mounts pinned."""
        self._ids = self._ledger.pins()

    def __contains__(self, file_id: object) -> bool:
        """Whether the blocks of a file are to stay: for who makes room."""
        return file_id in self._ids

    def add(self, file_ids: Iterable[int]) -> None:
        """Paper before memory. Raises LocalDiskFull or LocalFault."""
        added = set(file_ids)
        self._ledger.pin(added)
        self._ids |= added

    def remove(self, file_ids: Iterable[int]) -> None:
        """Raises LocalDiskFull or LocalFault."""
        removed = set(file_ids)
        self._ledger.unpin(removed)
        self._ids -= removed

    def follow(self, replaced: Iterable[RemoteFile], remote: RemoteFile) -> None:
        """A file was overwritten: it was the file that was pinned, not its old bytes."""
        if all(old.file_id not in self for old in replaced):
            return
        try:
            self.add([remote.file_id])
        except FsError as error:
            log.warning("%s/%s: is pinned no longer: %s", remote.purpose, remote.filename, error)
