"""A model of the tree in plain values, beside a store that other clients use too."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from minimaxfs.core.files import Purpose, RemoteFile
from minimaxfs.core.inodes import File, Remembered
from minimaxfs.core.tree import GRACE, Tree

PURPOSES = (Purpose("voices", uploads=True, lists=True, deletes=True), Purpose("scripts", uploads=True))


@dataclass(slots=True, eq=False)
class Known:
    """What the model knows of one inode."""

    file: File
    name: str | None
    file_id: int | None = None
    stored_at: float = -math.inf
    has_draft: bool = False
    lookups: int = 0
    handles: int = 0

    @property
    def is_held(self) -> bool:
        """Whether anything keeps the inode: a name, the kernel, or a handle."""
        return self.name is not None or self.lookups > 0 or self.handles > 0


class World:
    """The store, the tree, and what the tree should hold. Does to the tree what the drive does."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.tree = Tree(PURPOSES)
        self.store: dict[int, RemoteFile] = {}
        self.last_id = 0
        self.known: list[Known] = []
        self.dropped: list[Known] = []
        self.deleted: dict[int, float] = {}
        self.ledger: dict[int, str] = {}

    def put(self, purpose: Purpose, filename: str) -> RemoteFile:
        """The store gets a file."""
        self.last_id += 1
        remote = RemoteFile(self.last_id, purpose.name, filename, 10, int(self.now))
        self.store[remote.file_id] = remote
        return remote

    def delete(self, file_id: int) -> None:
        """The drive deletes a file in the store."""
        self.store.pop(file_id, None)
        self.deleted[file_id] = self.now
        self.tree.mark_deleted(file_id, self.now)

    def snapshot(self, purpose: Purpose) -> list[RemoteFile]:
        """What the store lists now."""
        return [remote for remote in self.store.values() if remote.purpose == purpose.name]

    def named(self, purpose: Purpose) -> dict[str, Known]:
        """What a directory should hold."""
        return {one.name: one for one in self.known if one.name is not None and one.file.purpose is purpose}

    def those(self, wanted: Callable[[Known], bool]) -> list[Known]:
        """The inodes that are still held, and of such a kind."""
        return [one for one in self.known if wanted(one)]

    def drop_unheld(self) -> None:
        """What nothing keeps should be gone."""
        self.dropped += self.those(lambda one: not one.is_held)
        self.known = self.those(lambda one: one.is_held)

    def listed(
        self, purpose: Purpose, listing: list[RemoteFile], asked_at: float, *, is_complete: bool
    ) -> None:
        """A listing arrives."""
        limit = asked_at - GRACE
        shown = {one.file_id for one in listing if self.deleted.get(one.file_id, -math.inf) < limit}
        vanished = [
            one
            for one in self.named(purpose).values()
            if is_complete and one.file_id and one.file_id not in shown and one.stored_at < limit
        ]
        fresh = shown - {one.file_id for one in self.known}
        remembered = {file_id: Remembered(name) for file_id, name in self.ledger.items()}
        change = self.tree.apply(purpose, listing, remembered, asked_at=asked_at, is_complete=is_complete)
        assert not change.replaced
        assert sorted(change.forgotten) == sorted(one.file_id for one in vanished if one.file_id)
        assert set(change.gone) == {(one.name, one.file) for one in vanished if not one.has_draft}
        for one in vanished:
            one.file_id = None
            one.name = one.name if one.has_draft else None
        self.drop_unheld()
        self._add(purpose, fresh, change.added)

    def _add(self, purpose: Purpose, fresh: set[int], added: list[File]) -> None:
        taken = self.named(purpose)
        wanted = Counter(self.ledger[file_id] for file_id in fresh if file_id in self.ledger)
        for file in added:
            assert file.remote is not None
            assert file.name is not None
            file_id = file.remote.file_id
            given = self.ledger.get(file_id)
            assert file.name == given or given is None or given in taken or wanted[given] > 1
            self.known.append(Known(file, file.name, file_id))
            self.ledger[file_id] = file.name
        assert sorted(fresh) == sorted(file.remote.file_id for file in added if file.remote)

    def forsake(self, one: Known) -> None:
        """Nobody can open the file any more: the store and the spool are told."""
        one.has_draft, one.file.draft = False, None
        if one.file_id is not None:
            self.delete(one.file_id)

    def take_name(self, one: Known, *, unbinds: bool = False) -> None:
        """A file is unlinked, or another one renamed over it."""
        if one.handles == 0:
            self.forsake(one)
            if unbinds:
                one.file_id = None
                self.tree.unbind(one.file)
        one.name = None
        self.tree.detach(one.file)
        self.drop_unheld()

    def stored(self, one: Known, remote: RemoteFile) -> None:
        """The store answers an upload."""
        old, one.has_draft, one.file.draft = one.file_id, False, None
        if old is not None:
            self.delete(old)
        gone = self.tree.bind(one.file, remote, self.now)
        assert gone == self._take_id(remote.file_id)
        if one.is_held:
            one.file_id, one.stored_at = remote.file_id, self.now
        if one.name is None:
            self.delete(remote.file_id)
        else:
            self.ledger[remote.file_id] = one.name
        self.drop_unheld()

    def _take_id(self, file_id: int) -> tuple[str, File] | None:
        """What goes when the id that a listing had shown turns out to be an upload of ours."""
        for double in self.those(lambda one: one.file_id == file_id):
            double.file_id = None
            if not double.has_draft and double.name is not None:
                gone, double.name = (double.name, double.file), None
                return gone
        return None
