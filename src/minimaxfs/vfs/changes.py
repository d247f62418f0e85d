"""Changes of names: create, delete, rename. What they mean in the store is settled here."""

import trio

from minimaxfs.core.errors import AlreadyThere, CrossPurpose, FsError, NoSuchFile, NotPermitted
from minimaxfs.core.files import RemoteFile
from minimaxfs.core.inodes import Directory, File
from minimaxfs.core.rules import Rules
from minimaxfs.core.tree import Tree
from minimaxfs.disk.journal import Journal
from minimaxfs.vfs.deletes import Deletes
from minimaxfs.vfs.drafts import Drafts
from minimaxfs.vfs.handles import Handles
from minimaxfs.vfs.names import Names
from minimaxfs.vfs.uploads import Uploads


class Changes:
    """Names that come, go and move, by inode number of their directory. Every error is an FsError."""

    def __init__(
        self,
        tree: Tree,
        journal: Journal,
        names: Names,
        drafts: Drafts,
        uploads: Uploads,
        deletes: Deletes,
        handles: Handles,
        rules: Rules,
    ) -> None:
        self._tree = tree
        self._journal = journal
        self._names = names
        self._drafts = drafts
        self._uploads = uploads
        self._deletes = deletes
        self._handles = handles
        self._rules = rules

    def create(self, parent: int, name: str, *, mtime_ns: int, mode: int) -> File:
        """A new empty file, which stays on this machine until bytes arrive."""
        directory = self._names.directory(parent)
        if directory.purpose is None:
            raise NotPermitted("the top of the drive holds purposes only: put the file into one of them")
        self._rules.check_name(directory.purpose, name)
        if name in directory.names:
            raise AlreadyThere(f"{directory.purpose.name}/{name} is there already")
        file = self._tree.create(directory, name, mtime_ns=mtime_ns, mode=mode)
        try:
            self._drafts.begin(file)
        except FsError:
            self._tree.detach(file)
            raise
        file.lookups += 1
        return file

    async def unlink(self, parent: int, name: str) -> None:
        """Delete a file, in the store too. Open handles go on; then the store is told at the last close."""
        file = await self._existing(self._names.directory(parent), name)
        await self._uploads.settle_doubt(file)
        deleted: RemoteFile | None = None
        while (remote := file.remote) is not None and remote is not deleted:
            self._check_deletable(file)
            if file.handles > 0:
                self._journal.doom(remote)
                break
            await self._deletes.delete(file.purpose, remote)
            deleted = remote  # an upload may have arrived meanwhile: then the new version goes, too
        self._tree.detach(file)
        self._uploads.abandon(file)

    def _check_deletable(self, file: File) -> None:
        if not file.purpose.deletes:
            raise NotPermitted(f"{file.label}: the store deletes no files of {file.purpose.name}")

    async def _existing(self, directory: Directory, name: str) -> File:
        inode = await self._names.find(directory, name)
        if inode is None:
            raise NoSuchFile(f"there is no {name!r}")
        if isinstance(inode, Directory):
            raise NotPermitted("purposes are fixed directories")
        return inode

    async def rename(
        self, parent: int, name: str, new_parent: int, new_name: str, *, replace: bool = True
    ) -> None:
        """Give a file another name in its directory: a local alias, since the store has no rename.

        A name that was local only and becomes a real one uploads the file, and this raises what the
        upload raised. `replace` says whether a file of the new name may be replaced.
        """
        directory = self._names.directory(parent)
        file = await self._existing(directory, name)
        if self._names.directory(new_parent) is not directory:
            raise CrossPurpose(f"{file.label} cannot change its purpose")
        over = await self._names.find(directory, new_name)
        if over is file:
            return
        if over is not None and not replace:
            raise AlreadyThere(f"{new_name!r} is there already")
        assert not isinstance(over, Directory)
        if file.draft is not None:
            self._rules.check_name(file.purpose, new_name)
            await self._rename_draft(file, new_name, over)
        elif self._rules.rename_uploads and not self._rules.is_local_only(new_name):
            self._rules.check_name(file.purpose, new_name)
            await self._send_anew(file, new_name, over)
        else:
            await self._alias(file, new_name, over)

    async def _alias(self, file: File, name: str, over: File | None) -> None:
        """A stored file gets another name on this machine."""
        assert file.remote is not None
        if over is not None and over.remote is not None:
            self._check_deletable(over)
        replaced = over.remote if over is not None else None
        kept = file.kept._replace(name=name)
        self._journal.renamed(file.remote, kept, replaced)
        self._move(file, name, over)
        if replaced is not None and over is not None and over.handles == 0:
            await self._deletes.settle(file.purpose, replaced)

    async def _send_anew(self, file: File, name: str, over: File | None) -> None:
        """A stored file gets another name in the store: as a new file, after which the old one goes."""
        size = file.size
        await self._drafts.writable(file)
        try:
            await self._uploads.store(file, name=name, over=over)
        except FsError:
            await self._drafts.discard(file)
            file.size = size
            raise

    async def _rename_draft(self, file: File, name: str, over: File | None) -> None:
        """Upload what becomes a real file by its new name; let the rest wait under the new name."""
        assert file.draft is not None
        is_promoted = self._rules.is_local_only(file.name or "") and not self._rules.is_local_only(name)
        is_whole = file.draft.size > 0 and not file.draft.is_half
        if is_promoted and is_whole and not self._handles.has_writers(file):
            await self._uploads.store(file, name=name, over=over)
            return
        remote = over.remote if over is not None else None
        if over is not None and remote is not None and file.remote is None and over.handles == 0:
            # The draft takes the other's place: its upload will replace what the store has.
            self._tree.unbind(over)
            self._tree.bind(file, remote, trio.current_time())
            remote = None
        elif remote is not None:
            self._journal.doom(remote)
        self._move(file, name, over)
        if file.draft is not None:
            self._journal.describe(file)
        if self._rules.keeps_here(file):
            await self._uploads.keep_here(file)
        if over is not None and remote is not None and over.handles == 0:
            await self._deletes.settle(file.purpose, remote)

    def _move(self, file: File, name: str, over: File | None) -> None:
        if over is not None:
            self._tree.detach(over)
            self._uploads.abandon(over)
        self._tree.rename(file, name)
