"""Arrivals: what becomes of a file, and of what it replaces, once the store has it."""

import logging
from contextlib import suppress

import trio

from minimaxfs.core.errors import FsError
from minimaxfs.core.files import Purpose, RemoteFile
from minimaxfs.core.inodes import Draft, Remembered
from minimaxfs.core.journal import Event, after
from minimaxfs.core.tree import Tree
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.journal import Journal
from minimaxfs.disk.pins import Pins
from minimaxfs.disk.spool import Spool
from minimaxfs.vfs.deletes import Deletes
from minimaxfs.vfs.kernel import Kernel
from minimaxfs.vfs.upload import Upload

log = logging.getLogger(__name__)


class Arrivals:
    """New first, old after: the journal says that the store has a file before anything else is done."""

    def __init__(
        self,
        tree: Tree,
        journal: Journal,
        spool: Spool,
        blocks: Blocks,
        deletes: Deletes,
        kernel: Kernel,
        pins: Pins,
    ) -> None:
        self._tree = tree
        self._journal = journal
        self._spool = spool
        self._blocks = blocks
        self._deletes = deletes
        self._kernel = kernel
        self._pins = pins

    async def arrived(self, upload: Upload, remote: RemoteFile) -> None:
        """The store has the draft, as `remote`: its file shows it, and what it replaced is deleted.

        Raises FsError where the journal cannot say so: the draft is then doubtful.
        """
        file, draft, replaced = upload.file, upload.draft, upload.replaced
        name = upload.name or file.name
        kept = Remembered(name or remote.filename, draft.size, file.mtime_ns, file.mode)
        try:
            self._journal.stored(draft.key, remote, kept, replaced)
        except FsError:
            draft.state = after(draft.state, Event.LOST)  # the store has it: only a listing may say so now
            raise
        self._pins.follow(replaced, remote)
        draft.state = after(draft.state, Event.ANSWERED)
        # A replaced file that is still read is paid for by its last close.
        is_read = upload.over is not None and upload.over.handles > 0
        kept_for_readers = upload.over.remote if upload.over is not None and is_read else None
        self._place(upload, remote)
        self._adopt(draft, remote)
        for old in replaced:
            if old is not kept_for_readers:
                await self._deletes.settle(file.purpose, old)
        if name is None:
            await self.unwanted(file.purpose, remote, is_read=file.handles > 0)

    async def unwanted(self, purpose: Purpose, remote: RemoteFile, *, is_read: bool = False) -> None:
        """The file was deleted while it was sent: so it is in the store, now or after its last reader."""
        with suppress(FsError):  # a full disk: it is tried now all the same
            self._journal.doom(remote)
        if not is_read:
            await self._deletes.settle(purpose, remote)

    def _place(self, upload: Upload, remote: RemoteFile) -> None:
        """The tree shows the file that the store has now."""
        file, now = upload.file, trio.current_time()
        directory = self._tree.directory(file.purpose)
        file.draft = None
        for old in upload.replaced:
            self._tree.mark_deleted(old.file_id, now)
        if upload.over is not None:
            self._tree.detach(upload.over)
        gone = self._tree.bind(file, remote, now)
        if upload.name is not None and file.name not in {None, upload.name}:
            self._tree.rename(file, upload.name)
        if gone is not None:
            name, duplicate = gone
            self._kernel.name_gone(directory.number, name, duplicate.number)

    def _adopt(self, draft: Draft, remote: RemoteFile) -> None:
        """The bytes that were sent are the blocks of the file: nobody needs to fetch them."""
        self._spool.release(draft.key)
        blocks = self._blocks.adopt(remote.file_id, draft.size, self._spool.path(draft.key))
        if blocks is None:
            self._spool.remove(draft.key)
        else:
            self._blocks.close_file(blocks)
