"""The drive as a tree of names: look up, list, create, rename, delete. Open files are in `handles`."""

from collections.abc import Iterable
from dataclasses import replace as changed

import trio

from minimaxfs.core.errors import (
    AlreadyThere,
    CrossPurpose,
    FsError,
    IsADirectory,
    NoSuchFile,
    NotADirectory,
    NotPermitted,
    Stale,
)
from minimaxfs.core.inodes import Directory, File, Inode
from minimaxfs.core.rules import Rules
from minimaxfs.core.tree import Tree
from minimaxfs.disk.journal import Journal
from minimaxfs.disk.ledger import Ledger
from minimaxfs.vfs.attributes import LONG, Attributes, attributes_of
from minimaxfs.vfs.deletes import Deletes
from minimaxfs.vfs.drafts import Drafts
from minimaxfs.vfs.handles import Handles
from minimaxfs.vfs.listings import Listings
from minimaxfs.vfs.sizes import Sizes
from minimaxfs.vfs.uploads import Uploads


class Filesystem:
    """Names and attributes, by inode number. Every error is an FsError."""

    def __init__(
        self,
        tree: Tree,
        ledger: Ledger,
        journal: Journal,
        listings: Listings,
        sizes: Sizes,
        drafts: Drafts,
        uploads: Uploads,
        deletes: Deletes,
        handles: Handles,
        rules: Rules,
    ) -> None:
        self._tree = tree
        self._ledger = ledger
        self._journal = journal
        self._listings = listings
        self._sizes = sizes
        self._drafts = drafts
        self._uploads = uploads
        self._deletes = deletes
        self._handles = handles
        self._rules = rules

    def inode(self, number: int) -> Inode:
        """The inode of a number. Raises Stale where it is no more."""
        inode = self._tree.inode(number)
        if inode is None:
            raise Stale(f"inode {number} is gone")
        return inode

    def directory(self, number: int) -> Directory:
        """The directory of a number. Raises NotADirectory, or Stale."""
        inode = self.inode(number)
        if not isinstance(inode, Directory):
            raise NotADirectory(f"{inode.label} is a file")
        return inode

    def file(self, number: int) -> File:
        """The file of a number. Raises IsADirectory, or Stale."""
        inode = self.inode(number)
        if isinstance(inode, Directory):
            raise IsADirectory("it is a directory")
        return inode

    def shown(self, inode: Inode) -> Attributes:
        """What `stat` shows, without asking anybody."""
        if isinstance(inode, Directory) or inode.remote is None:
            return attributes_of(inode, LONG)
        return attributes_of(inode, self._listings.fresh_for(self._tree.directory(inode.purpose)))

    async def lookup(self, parent: int, name: str) -> Inode:
        """What a directory holds by a name; it counts as held by the kernel. Raises NoSuchFile."""
        inode = await self._find(self.directory(parent), name)
        if inode is None:
            raise NoSuchFile(f"there is no {name!r}")
        inode.lookups += 1
        return inode

    async def _find(self, directory: Directory, name: str) -> Inode | None:
        inode = self._tree.find(directory, name)
        if not self._needs_listing(directory, inode, name):
            return inode
        await self._listings.refresh(directory)
        return self._tree.find(directory, name)

    def _needs_listing(self, directory: Directory, inode: Inode | None, name: str) -> bool:
        """Whether the store may know better: what only this machine has is not worth a request."""
        if isinstance(inode, File):
            return inode.remote is not None
        if inode is None and self._rules.is_local_only(name):
            return self._listings.is_cold(directory)
        return True

    async def attributes(self, number: int) -> Attributes:
        """What `stat` shows; a size that the store gives as 0 is learnt first."""
        inode = self.inode(number)
        if isinstance(inode, File):
            await self._sizes.learn(inode)
        return self.shown(inode)

    async def set_size(self, number: int, size: int) -> None:
        """Truncate. Where no handle is open for writing, nobody will close it: the upload is done here."""
        file = self.file(number)
        self._rules.check_name(file.purpose, file.name or "")
        await self._drafts.truncate(file, size)
        if not self._handles.has_writers(file):
            await self._handles.store_if_due(file)

    def set_times(self, number: int, *, mtime_ns: int | None = None, mode: int | None = None) -> None:
        """Keep a time (nanoseconds since the epoch) or a mode on this machine: the store has neither."""
        inode = self.inode(number)
        if isinstance(inode, Directory):
            return
        if mtime_ns is not None:
            inode.mtime_ns = mtime_ns
        if mode is not None:
            inode.mode = mode
        if inode.draft is not None:
            self._journal.describe(inode)
        elif inode.remote is not None and inode.name is not None:
            self._ledger.remember(inode.remote, inode.kept)

    async def entries(self, number: int) -> list[tuple[str, Inode]]:
        """The names in a directory, as a listing that is fresh enough shows them."""
        directory = self.directory(number)
        await self._listings.refresh(directory)
        return list(directory.names.items())

    def looked_up(self, inode: Inode) -> None:
        """The kernel holds the inode once more."""
        inode.lookups += 1

    def forget(self, counts: Iterable[tuple[int, int]]) -> None:
        """The kernel gives back lookups: inode numbers, and how many of each."""
        for number, count in counts:
            self._tree.forget(number, count)

    def create(self, parent: int, name: str, *, mtime_ns: int, mode: int) -> File:
        """A new empty file, which stays on this machine until bytes arrive."""
        directory = self.directory(parent)
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
        file = await self._existing(self.directory(parent), name)
        remote = file.remote
        if remote is not None:
            self._check_deletable(file)
            if file.handles == 0:
                await self._deletes.delete(file.purpose, remote)
            else:
                self._journal.doom(remote)
        self._tree.detach(file)
        if file.draft is not None and file.handles == 0:
            await self._drafts.discard(file)

    def _check_deletable(self, file: File) -> None:
        if not file.purpose.deletes:
            raise NotPermitted(f"{file.label}: the store deletes no files of {file.purpose.name}")

    async def _existing(self, directory: Directory, name: str) -> File:
        inode = await self._find(directory, name)
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
        directory = self.directory(parent)
        file = await self._existing(directory, name)
        if self.directory(new_parent) is not directory:
            raise CrossPurpose(f"{file.label} cannot change its purpose")
        over = await self._find(directory, new_name)
        if over is file:
            return
        if over is not None and not replace:
            raise AlreadyThere(f"{new_name!r} is there already")
        assert not isinstance(over, Directory)
        if over is not None and over.remote is not None:
            self._check_deletable(over)
        if file.draft is None:
            await self._alias(file, new_name, over)
            return
        self._rules.check_name(file.purpose, new_name)
        await self._rename_draft(file, new_name, over)

    async def _alias(self, file: File, name: str, over: File | None) -> None:
        """A stored file gets another name on this machine."""
        assert file.remote is not None
        replaced = over.remote if over is not None else None
        kept = changed(file.kept, name=name)
        self._journal.renamed(file.remote, kept, replaced)
        await self._move(file, name, over)
        if replaced is not None and over is not None and over.handles == 0:
            await self._deletes.settle(file.purpose, replaced)

    async def _rename_draft(self, file: File, name: str, over: File | None) -> None:
        """Upload what becomes a real file by its new name; let the rest wait under the new name."""
        assert file.draft is not None
        is_promoted = self._rules.is_local_only(file.name or "") and not self._rules.is_local_only(name)
        if is_promoted and file.draft.size > 0 and not self._handles.has_writers(file):
            await self._uploads.store(file, name=name, over=over)
            return
        await self._uploads.settled(file)
        remote = over.remote if over is not None else None
        if over is not None and remote is not None and file.remote is None:
            # The draft takes the other's place: its upload will replace what the store has.
            self._tree.unbind(over)
            self._tree.bind(file, remote, trio.current_time())
            remote = None
        elif remote is not None:
            self._journal.doom(remote)
        await self._move(file, name, over)
        if file.draft is not None:
            self._journal.describe(file)
        if remote is not None:
            await self._deletes.settle(file.purpose, remote)

    async def _move(self, file: File, name: str, over: File | None) -> None:
        if over is not None:
            self._tree.detach(over)
        self._tree.rename(file, name)
        if over is not None and over.draft is not None and over.handles == 0:
            await self._drafts.discard(over)

    def usage(self) -> tuple[int, int]:
        """Bytes and files that are known to be in the store."""
        sizes = [file.size or 0 for file in self._tree.files()]
        return sum(sizes), len(sizes)
