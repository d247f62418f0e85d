"""Deletes: a file leaves the store, at once or after its last reader.

A delete that is owed is in the journal before its name goes, so that it is not forgotten with
the process.
"""

import logging
from contextlib import suppress

import trio

from minimaxfs.api.client import Client
from minimaxfs.core.errors import FsError, NoSuchFile, NotPermitted
from minimaxfs.core.files import Purpose, RemoteFile
from minimaxfs.core.tree import Tree
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.journal import Journal
from minimaxfs.vfs.flights import Flights

log = logging.getLogger(__name__)


class Deletes:
    """Files on their way out of the store, by file_id."""

    def __init__(self, client: Client, tree: Tree, journal: Journal, blocks: Blocks) -> None:
        self._client = client
        self._tree = tree
        self._journal = journal
        self._blocks = blocks
        self._flights: Flights[None] = Flights()

    async def delete(self, purpose: Purpose, remote: RemoteFile) -> None:
        """Return when the store no longer has the file. Raises FsError where it still may."""
        await self._flights.run(remote.file_id, lambda: self._delete(purpose, remote.file_id))

    async def _delete(self, purpose: Purpose, file_id: int) -> None:
        try:
            await self._client.delete(file_id, purpose.name)
        except NoSuchFile:
            log.debug("file %d was gone already", file_id)
        except NotPermitted:
            # One code means "no such file" and "may not be deleted" alike: ask whether it is there.
            if await self._is_there(purpose, file_id):
                raise
        with suppress(FsError):  # a full disk: the file is gone all the same, and a listing will say so
            self._journal.deleted(file_id)
        self._tree.mark_deleted(file_id, trio.current_time())
        self._blocks.discard(file_id)

    async def _is_there(self, purpose: Purpose, file_id: int) -> bool:
        if purpose.lists:
            return any(file.file_id == file_id for file in await self._client.list_files(purpose.name))
        try:
            await self._client.retrieve(file_id)
        except NoSuchFile:
            return False
        return True

    async def settle(self, purpose: Purpose, remote: RemoteFile) -> None:
        """Pay a delete that is owed; one that fails stays owed until the next mount."""
        try:
            await self.delete(purpose, remote)
        except FsError as error:
            log.warning("%s/%s: not deleted in the store yet: %s", purpose.name, remote.filename, error)

    async def settle_owed(self) -> None:
        """Pay what earlier mounts owed."""
        for file_id, name in self._journal.doomed():
            directory = self._tree.add_purpose(Purpose(name, deletes=True))
            assert directory.purpose is not None
            await self.settle(directory.purpose, RemoteFile(file_id, name, str(file_id), 0, 0))
