"""The directory tree in memory: inodes, dentries and lookup counts. It does no I/O and has no clock.

One directory a purpose below one root; files are known by inode number, by name, and by
`file_id` once the store has them. An inode stays until the kernel has forgotten it, though
its dentry may be gone long before.
"""

from collections.abc import Iterable, Mapping

from minimaxfs.core.files import Purpose, RemoteFile
from minimaxfs.core.inodes import NANOSECONDS, NOTHING, Change, Directory, File, Inode, Remembered, update
from minimaxfs.core.names import assign, tilde_id, tilde_name

ROOT = 1
"""The inode number of the root: FUSE's own."""

GRACE = 5.0
"""Seconds for which our own upload or delete is believed more than a listing that does not show it yet."""

LONGEST_LISTING = 600.0
"""Seconds after which no listing that was asked for before a delete can still be on its way."""


class Tree:
    """All inodes and dentries. Every method is one step: nothing waits, so nothing is ever half done."""

    def __init__(self, purposes: Iterable[Purpose]) -> None:
        self.root = Directory(ROOT, None)
        self._inodes: dict[int, Inode] = {ROOT: self.root}
        self._by_id: dict[int, File] = {}
        self._deleted: dict[int, float] = {}
        self._last = ROOT
        for purpose in purposes:
            self.add_purpose(purpose)

    def _next_number(self) -> int:
        self._last += 1
        return self._last

    def add_purpose(self, purpose: Purpose) -> Directory:
        """A directory for a purpose, which may be there already."""
        there = self.root.names.get(purpose.name)
        if isinstance(there, Directory):
            return there
        directory = Directory(self._next_number(), purpose)
        self._inodes[directory.number] = directory
        self.root.names[purpose.name] = directory
        return directory

    def inode(self, number: int) -> Inode | None:
        """The inode of a number, also of a file whose dentry is gone but which the kernel still holds."""
        return self._inodes.get(number)

    def directory(self, purpose: Purpose) -> Directory:
        """The directory of a purpose. Raises KeyError where there is none."""
        directory = self.root.names[purpose.name]
        assert isinstance(directory, Directory)
        return directory

    def purposes(self) -> list[Directory]:
        """The directories of all purposes."""
        return [inode for inode in self.root.names.values() if isinstance(inode, Directory)]

    def file(self, file_id: int) -> File | None:
        """The file that the store calls by this id, if it is known."""
        return self._by_id.get(file_id)

    def unknown(self, files: Iterable[RemoteFile]) -> list[int]:
        """The file_ids of those that the tree does not know."""
        return [file.file_id for file in files if file.file_id not in self._by_id]

    def files(self) -> Iterable[File]:
        """Every file that the store has and the tree knows."""
        return self._by_id.values()

    def drafts(self) -> list[File]:
        """Every file with bytes that the store does not have, in the order of their making."""
        return [node for node in self._inodes.values() if isinstance(node, File) and node.draft and node.name]

    def find(self, directory: Directory, name: str) -> Inode | None:
        """What a directory holds by a name, or by a file's `stem~<file_id>.ext` form."""
        inode = directory.names.get(name)
        if inode is not None:
            return inode
        file_id = tilde_id(name)
        file = self._by_id.get(file_id) if file_id is not None else None
        if file is None or file_id is None or file.name is None or file.purpose is not directory.purpose:
            return None
        return file if tilde_name(file.name, file_id) == name else None

    def create(self, directory: Directory, name: str, *, mtime_ns: int, mode: int | None = None) -> File:
        """A new file that the store does not have."""
        assert directory.purpose is not None
        assert name not in directory.names
        file = File(self._next_number(), directory.purpose, name, 0, mtime_ns, mode)
        self._inodes[file.number] = file
        directory.names[name] = file
        directory.mtime_ns = mtime_ns
        return file

    def bind(self, file: File, remote: RemoteFile, now: float) -> tuple[str, File] | None:
        """The store has the file's bytes, as `remote`.

        Answers the dentry that went because a listing had shown the same id first. The id of a file
        that nobody holds any more is not kept.
        """
        before = self._by_id.get(remote.file_id)
        gone = None if before is None or before is file else self._lose(before)
        self.unbind(file)
        file.remote = remote
        file.stored_at = now
        if file.number in self._inodes:
            self._by_id[remote.file_id] = file
        return gone

    def _lose(self, file: File) -> tuple[str, File] | None:
        """Nothing in the store is this file's any more: only a draft still needs the dentry."""
        self.unbind(file)
        if file.draft is not None or file.name is None:
            return None
        gone = file.name, file
        self.detach(file)
        return gone

    def unbind(self, file: File) -> None:
        """The store has no version of the file any more."""
        if file.remote is not None and self._by_id.get(file.remote.file_id) is file:
            del self._by_id[file.remote.file_id]
        file.remote = None

    def mark_deleted(self, file_id: int, now: float) -> None:
        """We deleted this id: a listing that was on its way may still show it."""
        self._deleted[file_id] = now

    def detach(self, file: File) -> None:
        """Take the dentry away; the inode stays as long as somebody holds it."""
        if file.name is None:
            return
        del self.directory(file.purpose).names[file.name]
        file.name = None
        self._drop_if_unused(file)

    def rename(self, file: File, name: str) -> None:
        """Move the dentry to a free name of the same directory."""
        names = self.directory(file.purpose).names
        assert name not in names
        if file.name is not None:
            del names[file.name]
        names[name] = file
        file.name = name

    def forget(self, number: int, count: int) -> None:
        """The kernel gives back `count` of its lookups of an inode."""
        inode = self._inodes.get(number)
        if inode is None:
            return
        inode.lookups -= count
        if isinstance(inode, File):
            self._drop_if_unused(inode)

    def close(self, file: File) -> None:
        """One handle less."""
        file.handles -= 1
        self._drop_if_unused(file)

    def _drop_if_unused(self, file: File) -> None:
        if file.name is not None or file.lookups > 0 or file.handles > 0:
            return
        self._inodes.pop(file.number, None)
        self.unbind(file)

    def apply(
        self,
        purpose: Purpose,
        listing: Iterable[RemoteFile],
        remembered: Mapping[int, Remembered],
        *,
        asked_at: float,
        is_complete: bool = True,
    ) -> Change:
        """Make a directory what a listing says, and tell what that changed.

        `asked_at` is when the listing was asked for: what we stored or deleted since is believed
        more. A listing that is not complete (of a purpose that the store does not list) takes
        nothing away.
        """
        directory = self.directory(purpose)
        deleted = self._deleted_since(asked_at - GRACE)
        listed = {file.file_id: file for file in listing if file.file_id not in deleted}
        change = Change()
        if is_complete:
            self._remove_vanished(directory, listed, asked_at, change)
        fresh: list[RemoteFile] = []
        for file_id, remote in listed.items():
            file = self._by_id.get(file_id)
            if file is None:
                fresh.append(remote)
            elif file.remote != remote and not update(file, remote):
                change.replaced.append(file_id)
        self._add(directory, fresh, remembered, change)
        return change

    def _deleted_since(self, moment: float) -> set[int]:
        """The ids that we deleted since; forgets those that no listing can still show."""
        oldest = moment - LONGEST_LISTING
        self._deleted = {file_id: when for file_id, when in self._deleted.items() if when >= oldest}
        return {file_id for file_id, when in self._deleted.items() if when >= moment}

    def _remove_vanished(
        self, directory: Directory, listed: Mapping[int, RemoteFile], asked_at: float, change: Change
    ) -> None:
        for file_id in self._by_id.keys() - listed.keys():
            file = self._by_id[file_id]
            if file.purpose is not directory.purpose or file.name is None:
                continue
            if file.stored_at >= asked_at - GRACE:
                continue
            change.forgotten.append(file_id)
            gone = self._lose(file)
            if gone is not None:
                change.gone.append(gone)

    def _add(
        self,
        directory: Directory,
        fresh: list[RemoteFile],
        remembered: Mapping[int, Remembered],
        change: Change,
    ) -> None:
        assert directory.purpose is not None
        given = {key: known.name for key, known in remembered.items() if known.name is not None}
        names = assign(fresh, given, directory.names)
        latest = directory.mtime_ns
        for number, remote in enumerate(fresh, self._last + 1):
            file_id, _, filename, size, created_at = remote
            name = names[file_id]
            if name == filename:
                name = filename  # one string in memory, not two
            known = remembered.get(file_id, NOTHING)
            mtime_ns = created_at * NANOSECONDS if known.mtime_ns is None else known.mtime_ns
            file = File(number, directory.purpose, name, size or known.size, mtime_ns, known.mode, remote)
            self._inodes[number] = self._by_id[file_id] = directory.names[name] = file
            latest = max(latest, mtime_ns)
            change.added.append(file)
        directory.mtime_ns = latest
        self._last += len(fresh)
