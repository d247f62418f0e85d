"""The drive: the rooms of this floor, put together."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import trio

from minimaxfs.api.client import Client
from minimaxfs.api.content import Content
from minimaxfs.core.errors import NoAttribute
from minimaxfs.core.files import Purpose
from minimaxfs.core.inodes import File
from minimaxfs.core.journal import State
from minimaxfs.core.rules import Rules
from minimaxfs.core.tree import Tree
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.journal import Journal
from minimaxfs.disk.ledger import Ledger
from minimaxfs.disk.pins import Pins
from minimaxfs.disk.spool import Spool
from minimaxfs.vfs.arrivals import Arrivals
from minimaxfs.vfs.attributes import DOWNLOAD_URL, extended, extended_value
from minimaxfs.vfs.changes import Changes
from minimaxfs.vfs.deletes import Deletes
from minimaxfs.vfs.desk import Desk
from minimaxfs.vfs.downloads import Downloads
from minimaxfs.vfs.drafts import Drafts
from minimaxfs.vfs.handles import Handles
from minimaxfs.vfs.history import History
from minimaxfs.vfs.keeping import Keeping
from minimaxfs.vfs.kernel import Kernel
from minimaxfs.vfs.listings import Listings
from minimaxfs.vfs.names import Names
from minimaxfs.vfs.reader import Reader
from minimaxfs.vfs.refreshes import Refreshes
from minimaxfs.vfs.runs import Runs
from minimaxfs.vfs.sender import Sender
from minimaxfs.vfs.sizes import Sizes
from minimaxfs.vfs.uploads import Uploads
from minimaxfs.vfs.urls import SignedUrls


@dataclass(frozen=True, slots=True)
class Store:
    """The store, as this floor uses it."""

    client: Client
    content: Content


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is kept on this machine, opened."""

    ledger: Ledger
    journal: Journal
    spool: Spool
    blocks: Blocks
    pins: Pins


class Drive:
    """Names, their changes, and open files of one mount; others see them under `mountpoint`."""

    def __init__(
        self,
        store: Store,
        shelf: Shelf,
        kernel: Kernel,
        mountpoint: str,
        purposes: Iterable[Purpose],
        rules: Rules,
    ) -> None:
        tree = self._tree = Tree(purposes)
        self.history = History()
        self._urls = SignedUrls(store.client)
        self._downloads = Downloads(store.content, self._urls, shelf.blocks)
        self._deletes = Deletes(store.client, tree, shelf.journal, shelf.blocks)
        sender = Sender(store.client, tree, shelf.journal, shelf.spool)
        arrivals = Arrivals(tree, shelf.journal, shelf.spool, shelf.blocks, self._deletes, kernel, shelf.pins)
        self._uploads = Uploads(sender, arrivals, tree, shelf.journal, shelf.spool, self.history)
        self._drafts = Drafts(tree, shelf.journal, shelf.spool, self._downloads, self._uploads, rules)
        self._listings = Listings(
            store.client, tree, shelf.ledger, shelf.blocks, kernel, self._uploads.resolve
        )
        self._rules = rules
        self.desk = Desk(tree, self._drafts, self._uploads, kernel, rules)
        sizes = Sizes(self._downloads, shelf.ledger, kernel)
        runs = Runs(tree, self._downloads, is_on=rules.fetches_runs)
        reader = Reader(self._downloads, runs, sizes, self._listings)
        self.handles = Handles(mountpoint, tree, self._drafts, self._uploads, self._deletes, reader, rules)
        self.reach = store.client.reach
        self.reach.on_return(self._go_on)
        self._refreshes = Refreshes(self._listings, self.history, lambda: self.reach.is_offline)
        self.names = Names(
            tree,
            shelf.ledger,
            shelf.journal,
            self._refreshes,
            sizes,
            self._drafts,
            self.handles,
            rules,
        )
        self.changes = Changes(
            tree,
            shelf.journal,
            self.names,
            self._drafts,
            self._uploads,
            self._deletes,
            self.handles,
            rules,
        )

        self.keeping = Keeping(
            tree, self.names, self._listings, self.handles, shelf.blocks, shelf.pins, self.history
        )

    def start(self, nursery: trio.Nursery) -> None:
        """Show what earlier mounts knew, go on with what they left undone, and fetch in this nursery."""
        self._downloads.start(nursery)
        self._uploads.start(nursery)
        self._refreshes.start(nursery)
        self._listings.load()
        for directory in (self._tree.root, *self._tree.purposes()):
            directory.mtime_ns = directory.mtime_ns or time.time_ns()
        for file in self._drafts.load():
            if self._is_to_go_on(file):
                nursery.start_soon(self._uploads.store_later, file)
        nursery.start_soon(self._deletes.settle_owed)
        nursery.start_soon(self._listings.keep)

    def _is_to_go_on(self, file: File) -> bool:
        assert file.draft is not None
        is_real = file.name is not None and not self._rules.is_local_only(file.name)
        return is_real and file.draft.state in {State.SEALED, State.DOUBTFUL}

    def _go_on(self) -> None:
        """The store can be reached again: what waits for it waits no longer."""
        for upload in self._uploads.running():
            upload.hasten()

    @property
    def is_writing(self) -> bool:
        """Whether bytes are on their way in: a file is open for writing, or an upload runs."""
        return bool(self._uploads.running()) or self.handles.has_writers()

    async def finish(self) -> None:
        """Keep what was read, at the end of the mount."""
        await self._downloads.finish()

    def extended_names(self, number: int) -> list[str]:
        """The extended attributes that an inode has and that cost nothing."""
        return list(extended(self.names.inode(number)))

    async def extended(self, number: int, name: str) -> str:
        """An extended attribute's value. `download_url` costs a request where no URL is known."""
        inode = self.names.inode(number)
        if name != DOWNLOAD_URL or not isinstance(inode, File) or inode.remote is None:
            return extended_value(inode, name)
        address = await self._urls.address(inode.remote.file_id)
        if address.signed is None:
            raise NoAttribute(f"{inode.label}: the store gives no URL for it")
        return address.signed.url
