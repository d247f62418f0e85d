"""Listings: one request shows a whole purpose, when somebody uses it and the last one is too old.

Nothing is polled. A listing that fails for a passing reason leaves what is known in place.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from minimaxfs.api.client import Client
from minimaxfs.core.errors import ContentRefused, FsError, NoSuchFile, NotPermitted, NotSupported
from minimaxfs.core.files import Purpose, RemoteFile
from minimaxfs.core.inodes import Change, Directory, File
from minimaxfs.core.tree import Tree
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.ledger import Ledger
from minimaxfs.vfs.boundary import faults_as_errors
from minimaxfs.vfs.flights import Flights
from minimaxfs.vfs.kernel import Kernel

log = logging.getLogger(__name__)

FRESH = 60.0
"""Seconds for which a listing answers: a person who changes something elsewhere waits no longer."""

UNLISTED_FRESH = 24 * 3600.0
"""Seconds between two tries to list a purpose that is documented not to be listed."""

REFUSED_FRESH = 600.0
"""Seconds before a purpose that ought to be listed, and was refused, is asked for again: accounts differ."""

PAUSE = 5.0
"""Seconds after a failed listing for which what is known is served without asking again."""

BEHIND = 1.0
"""Seconds after a listing for whoever asked to read its names: then what is long is written down."""

Resolve = Callable[[Purpose, list[RemoteFile]], Awaitable[None]]
"""Finds in a listing what an upload without an answer made, before the listing is shown."""


class Listings:
    """When each purpose was listed, and how it is listed again."""

    def __init__(
        self,
        client: Client,
        tree: Tree,
        ledger: Ledger,
        blocks: Blocks,
        kernel: Kernel,
        resolve: Resolve,
    ) -> None:
        self._client = client
        self._tree = tree
        self._ledger = ledger
        self._blocks = blocks
        self._kernel = kernel
        self._resolve = resolve
        self._fresh_until: dict[str, float] = {}
        self._listed = trio.Event()
        self._failed: dict[str, FsError] = {}
        self._flights: Flights[None] = Flights()

    def load(self) -> None:
        """Fill the tree from the ledger: no request."""
        for name in self._ledger.purposes():
            self._tree.add_purpose(Purpose(name, generated=True))
        for directory in self._tree.purposes():
            purpose = directory.purpose
            assert purpose is not None
            known = self._ledger.files(purpose.name)
            self._tree.apply(
                purpose, known, self._ledger.remembered(purpose.name), asked_at=0.0, is_complete=False
            )
            fresh_until = self._ledger.fresh_until(purpose.name)
            if fresh_until is not None and not purpose.lists:
                left = min(UNLISTED_FRESH, fresh_until - time.time())
                self._fresh_until[purpose.name] = trio.current_time() + left

    async def keep(self) -> None:
        """Write down what long listings brought, behind the answers; at the end of the mount, the rest.

        A kill -9 in between costs the next mount the names that it would find without a request, and
        those of one name that had been told apart may be told apart anew.
        """
        try:
            while True:
                await self._listed.wait()
                self._listed = trio.Event()
                await trio.sleep(BEHIND)
                while self._write_next():
                    await trio.lowlevel.checkpoint()  # others' turn
        finally:
            while self._write_next():
                pass

    def _write_next(self) -> bool:
        """Write a part; whether there is more. A full disk is no reason not to show the listing."""
        try:
            with faults_as_errors("keep a listing"):
                return self._ledger.catch_up()
        except FsError as error:
            log.warning("a listing is not kept for other mounts: %s", error)
            return False

    def fresh_for(self, directory: Directory) -> float:
        """Seconds for which what the directory shows may be believed without asking again."""
        if directory.purpose is None:
            return FRESH
        left = self._fresh_until.get(directory.purpose.name, 0.0) - trio.current_time()
        return min(FRESH, max(0.0, left))

    def is_cold(self, directory: Directory) -> bool:
        """Whether the directory was never listed in this mount."""
        return directory.purpose is not None and directory.purpose.name not in self._fresh_until

    def is_known(self, purpose: Purpose) -> bool:
        """Whether there is something to show without a listing: one came once, or none may ever come."""
        return self._ledger.fresh_until(purpose.name) is not None or not purpose.lists

    def failure(self, purpose: str) -> FsError | None:
        """What the last listing of the purpose failed with, though what was known is shown."""
        return self._failed.get(purpose)

    def expire(self, purpose: Purpose) -> None:
        """The next use asks the store again."""
        self._fresh_until.pop(purpose.name, None)

    async def refresh(self, directory: Directory) -> None:
        """Return when the directory shows a listing that is fresh enough.

        Raises FsError where the purpose was never seen and cannot be listed now.
        """
        if directory.purpose is None or self.fresh_for(directory) > 0.0:
            return
        purpose = directory.purpose
        await self._flights.run(purpose.name, lambda: self._list(purpose))

    async def ask_again(self, directory: Directory) -> None:
        """List now, however fresh the last listing is. Raises FsError where that fails."""
        if directory.purpose is None:
            return
        self.expire(directory.purpose)
        await self.refresh(directory)
        failed = self.failure(directory.purpose.name)
        if failed is not None:
            raise failed

    async def _list(self, purpose: Purpose) -> None:
        asked_at = trio.current_time()
        self._failed.pop(purpose.name, None)
        try:
            files = await self._ask(purpose)
        except FsError as error:
            if not (error.retry and self.is_known(purpose)):
                raise
            log.warning("%s: showing what is known, since listing failed: %s", purpose.name, error)
            self._fresh_until[purpose.name] = trio.current_time() + PAUSE
            self._failed[purpose.name] = error
            return
        if files is not None:
            await self._resolve(purpose, files)
        fresh_for = _fresh_for(purpose, files)
        self._apply(purpose, files or [], asked_at, fresh_for)
        self._fresh_until[purpose.name] = asked_at + fresh_for

    async def _ask(self, purpose: Purpose) -> list[RemoteFile] | None:
        """What the store lists; None where it refuses to list the purpose at all."""
        try:
            return await self._client.list_files(purpose.name)
        except (ContentRefused, NoSuchFile, NotPermitted, NotSupported) as error:
            level = logging.WARNING if purpose.lists else logging.INFO
            log.log(level, "%s: the store does not list it: %s", purpose.name, error)
            return None

    def _apply(self, purpose: Purpose, files: list[RemoteFile], asked_at: float, fresh_for: float) -> None:
        files = [file for file in files if file.purpose == purpose.name]
        unknown = self._tree.unknown(files)
        # Where all are, the ledger has next to nothing of the purpose, and asking for each takes longer.
        among = unknown if len(unknown) < len(files) else None
        change = self._tree.apply(
            purpose,
            files,
            self._ledger.remembered(purpose.name, among),
            asked_at=asked_at,
            is_complete=fresh_for == FRESH,
        )
        replaced = [file for file_id in change.replaced if (file := self._tree.file(file_id))]
        self._remember(purpose, change, replaced, time.time() + fresh_for)
        for file_id in (*change.forgotten, *change.replaced):
            self._blocks.discard(file_id)
        for file in replaced:
            self._kernel.content_changed(file.number)
        directory = self._tree.directory(purpose)
        for name, file in change.gone:
            self._kernel.name_gone(directory.number, name, file.number)

    def lost(self, file: File) -> None:
        """The store said that it has no such file: its name goes, without waiting for a listing."""
        name, remote = file.name, file.remote
        if remote is None or file.draft is not None:
            return
        self._blocks.discard(remote.file_id)
        with suppress(FsError):  # a full disk: the next listing will say so
            self._ledger.forget(remote.file_id)
        self._tree.unbind(file)
        self._tree.detach(file)
        if name is not None:
            self._kernel.name_gone(self._tree.directory(file.purpose).number, name, file.number)

    def _remember(self, purpose: Purpose, change: Change, replaced: list[File], fresh_until: float) -> None:
        """Keep the listing for the mounts to come; a full disk is no reason not to show it now."""
        news = ((file.remote, file.kept) for file in (*change.added, *replaced) if file.remote)
        try:
            self._ledger.record_listing(purpose.name, fresh_until, added=news, gone=change.forgotten)
        except FsError as error:
            log.warning("%s: the listing is not kept for other mounts: %s", purpose.name, error)
        self._listed.set()


def _fresh_for(purpose: Purpose, files: list[RemoteFile] | None) -> float:
    """Seconds for which an answer to a listing holds; None where the store would not list."""
    if files or (files is not None and purpose.lists):
        return FRESH
    return REFUSED_FRESH if purpose.lists else UNLISTED_FRESH
