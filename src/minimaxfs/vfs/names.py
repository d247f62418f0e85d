"""The drive as a tree of names: what there is, and how it looks. What changes names is in `changes`."""

from collections.abc import Iterable, Iterator, Sequence

from minimaxfs.core.errors import FsError, IsADirectory, NoSuchFile, NotADirectory, Stale
from minimaxfs.core.inodes import ROOT_LABEL, Directory, File, Inode, usage
from minimaxfs.core.rules import Rules
from minimaxfs.core.tree import Tree
from minimaxfs.disk.journal import Journal
from minimaxfs.disk.ledger import Ledger
from minimaxfs.vfs.attributes import LONG, Attributes, attributes_of
from minimaxfs.vfs.drafts import Drafts
from minimaxfs.vfs.handles import Handles
from minimaxfs.vfs.refreshes import Refreshes
from minimaxfs.vfs.sizes import Sizes

DOTS = (".", "..")
"""The names by which each directory leads to itself and to the one above it."""


class Names:
    """Names and attributes, by inode number. Every error is an FsError."""

    def __init__(
        self,
        tree: Tree,
        ledger: Ledger,
        journal: Journal,
        listings: Refreshes,
        sizes: Sizes,
        drafts: Drafts,
        handles: Handles,
        rules: Rules,
    ) -> None:
        self._tree = tree
        self._ledger = ledger
        self._journal = journal
        self._listings = listings
        self._sizes = sizes
        self._drafts = drafts
        self._handles = handles
        self._rules = rules

    def inode(self, number: int) -> Inode:
        """The inode of a number. Raises Stale where it is no more."""
        inode = self._tree.inode(number)
        if inode is None:
            raise Stale(f"inode {number} is gone")
        return inode

    def path(self, number: int, name: str | None = None) -> str:
        """An inode, or a name in a directory, below the mountpoint, as a log line names it."""
        inode = self._tree.inode(number)
        above = f"inode {number}" if inode is None else inode.label
        if name is None:
            return above
        return name if above == ROOT_LABEL else f"{above}/{name}"

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
        inode = await self.find(self.directory(parent), name)
        if inode is None:
            raise NoSuchFile(f"there is no {name!r}")
        inode.lookups += 1
        return inode

    async def find(self, directory: Directory, name: str) -> Inode | None:
        """What a directory holds by a name, listed afresh where the store may know better."""
        inode = self._tree.find(directory, name)
        if not self._needs_listing(directory, inode, name):
            return inode
        try:
            await self._listings.refresh(directory)
        except FsError as error:
            # With write-back a copy in waits for the network; so a name must be free without it.
            if not (error.retry and self._rules.write_back):
                raise
        return self._tree.find(directory, name)

    def _needs_listing(self, directory: Directory, inode: Inode | None, name: str) -> bool:
        """What only this machine has is not worth a request."""
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
        if file.name is not None:
            self._rules.check_name(file.purpose, file.name)
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

    async def listed(self, number: int) -> list[str]:
        """The names in a directory, as a listing that is fresh enough shows them."""
        directory = self.directory(number)
        await self._listings.refresh(directory)
        return list(directory.names)

    def entries(self, number: int, names: Sequence[str], start: int) -> Iterator[tuple[int, Attributes]]:
        """What `stat` shows of `names` from the index `start` on, with their indices; `DOTS` lead to itself.

        A name that has gone since it was listed is left out. One counts as held by the kernel, which
        takes no dots, once the next one is asked for.
        """
        directory = self.directory(number)
        fresh_for = self._listings.fresh_for(directory)
        for index in range(start, len(names)):
            name = names[index]
            inode = directory.names.get(name)
            if inode is not None:
                is_stored = isinstance(inode, File) and inode.remote is not None
                yield index, attributes_of(inode, fresh_for if is_stored else LONG)
                inode.lookups += 1
            elif name in DOTS:
                yield index, attributes_of(directory, LONG)

    def forget(self, counts: Iterable[tuple[int, int]]) -> None:
        """The kernel gives back lookups: inode numbers, and how many of each."""
        for number, count in counts:
            self._tree.forget(number, count)

    def usage(self) -> tuple[int, int]:
        """Bytes and files that are known to be in the store."""
        return usage(self._tree.files())
