"""Drafts: bytes that were written into the drive, from the first write to the end of their upload."""

import time
from contextlib import suppress

from minimaxfs.core.errors import FsError, ServerFailed
from minimaxfs.core.files import MIB, Purpose
from minimaxfs.core.inodes import Draft, File
from minimaxfs.core.journal import Event, State, after
from minimaxfs.core.names import tilde_name
from minimaxfs.core.ranges import Range, pieces
from minimaxfs.core.rules import Rules
from minimaxfs.core.tree import Tree
from minimaxfs.disk.journal import Journal, Upload
from minimaxfs.disk.spool import Spool
from minimaxfs.vfs.downloads import Downloads
from minimaxfs.vfs.flights import Flights
from minimaxfs.vfs.uploads import Uploads

HALF = "The drive ended while it was being written: it may be half a file. Write it again, or delete it."
"""What is said of a draft that was open when the daemon died. It is shown, and never sent by itself."""


class Drafts:
    """The local side of files that differ from what the store has."""

    def __init__(
        self,
        tree: Tree,
        journal: Journal,
        spool: Spool,
        downloads: Downloads,
        uploads: Uploads,
        rules: Rules,
    ) -> None:
        self._tree = tree
        self._journal = journal
        self._spool = spool
        self._downloads = downloads
        self._uploads = uploads
        self._rules = rules
        self._flights: Flights[Draft] = Flights()

    def begin(self, file: File) -> Draft:
        """An empty draft of a file."""
        key = self._journal.begin(file)
        try:
            self._spool.file(key)
        except FsError:
            self._journal.discard(key)
            raise
        file.draft = Draft(key)
        file.size = 0
        return file.draft

    async def writable(self, file: File, keep: int | None = None) -> Draft:
        """The file's draft, in a state that may be written.

        Of a file that only the store has, the first `keep` bytes are fetched into it (None: all).
        """
        while True:
            draft = file.draft
            if self._uploads.of(file) is not None:
                await self._uploads.settled(file)
            elif draft is None:
                await self._flights.run(file.number, lambda: self._copy_of_stored(file, keep))
            elif draft.state is State.DOUBTFUL:
                await self._uploads.store(file)
            else:
                break
        if draft.state is not State.OPEN:
            state = after(draft.state, Event.WRITE)
            self._journal.move(draft, state)
            draft.state = state
        return draft

    async def _copy_of_stored(self, file: File, keep: int | None) -> Draft:
        remote, size = file.remote, file.size or 0
        if file.size is None and keep != 0:
            raise ServerFailed(f"{file.label}: its size is not known, so its bytes cannot be kept")
        wanted = size if keep is None else min(keep, size)
        key = self._journal.begin(file)
        draft = Draft(key, wanted)
        try:
            spool_file = self._spool.file(key)
            if remote is not None and wanted:
                download = self._downloads.open(remote, size)
                try:
                    for piece in pieces(Range(0, wanted), MIB):
                        spool_file.write(piece.start, await self._downloads.read(download, piece, wanted))
                finally:
                    self._downloads.close(download)
        except BaseException:
            self._spool.remove(key)
            self._journal.discard(key)
            raise
        file.draft = draft
        file.size = wanted
        return draft

    async def write(self, file: File, offset: int, data: bytes) -> None:
        """Put bytes into the draft. Raises TooLarge before a byte beyond the purpose's limit is taken."""
        draft = file.draft
        if draft is None or draft.state is not State.OPEN:
            draft = await self.writable(file)
        end = offset + len(data)
        self._rules.check_size(file.purpose, end)
        self._spool.file(draft.key).write(offset, data)
        _touched(draft)
        file.size = draft.size = max(draft.size, end)
        file.mtime_ns = time.time_ns()

    async def truncate(self, file: File, size: int) -> None:
        """Cut the draft, or extend it by zeros."""
        self._rules.check_size(file.purpose, size)
        if file.draft is None and file.size == size:
            return
        draft = await self.writable(file, keep=size)
        self._spool.file(draft.key).truncate(size)
        _touched(draft)
        file.size = draft.size = size
        file.mtime_ns = time.time_ns()

    def spoil(self, file: File, error: FsError) -> None:
        """A write was refused: what is there is half a file, and is not sent."""
        draft = file.draft
        if draft is None or draft.state is not State.OPEN:
            return
        draft.error = f"{error}. {error.advice}"
        draft.is_half, draft.refused = True, error
        draft.state = after(draft.state, Event.REFUSED)
        with suppress(FsError):  # a full disk may be why: what the journal says is open is not sent either
            self._journal.move(draft, draft.state)

    def read(self, file: File, offset: int, size: int) -> bytes:
        """Bytes of the draft."""
        assert file.draft is not None
        return self._spool.file(file.draft.key).read(offset, size)

    def rest(self, file: File) -> None:
        """Nobody has the file open: give the descriptor back, and remember how far it came."""
        if file.draft is None:
            return
        with suppress(FsError):  # a full disk may be why: name and times are then those of the last record
            self._journal.describe(file)
        if self._uploads.of(file) is None:
            self._spool.release(file.draft.key)

    async def discard(self, file: File) -> None:
        """Give up what the store does not have. An upload that waits for its next try ends."""
        await self._uploads.settled(file)
        draft, file.draft = file.draft, None
        if draft is not None:
            self._uploads.forget(draft)

    def load(self) -> list[File]:
        """Show the drafts of earlier mounts, and answer their files, oldest first."""
        return [file for row in self._journal.uploads() if (file := self._recover(row)) is not None]

    def _recover(self, row: Upload) -> File | None:
        if not self._spool.path(row.key).exists():
            self._uploads.forget(Draft(row.key))
            return None
        if not row.name:
            self._bury(row)
            return None
        file = self._place_of(row)
        draft = Draft(row.key, row.size, after(row.state, Event.RESTART), row.error, row.sending)
        draft.size = file.size = self._spool.file(row.key).size
        if draft.state is State.OPEN and not self._rules.is_local_only(row.name):
            draft.error, draft.is_half = HALF, True
        self._spool.release(row.key)
        with suppress(FsError):  # a full disk: the row says the same, less clearly
            self._journal.move(draft, draft.state)
        file.draft = draft
        return file

    def _bury(self, row: Upload) -> None:
        """It was deleted. If it was being sent, the store may have it all the same."""
        draft = Draft(row.key, row.size, after(row.state, Event.RESTART), row.error, row.sending)
        purpose = self._tree.add_purpose(Purpose(row.purpose, uploads=True)).purpose
        if draft.state is State.DOUBTFUL and purpose is not None:
            self._uploads.bury(File(0, purpose, None, row.size, row.mtime_ns, draft=draft))
        else:
            self._uploads.forget(draft)

    def _was_promoted(self, name: str, sent_as: str, state: State) -> bool:
        is_sent = state in {State.SENDING, State.DOUBTFUL}
        return is_sent and self._rules.is_local_only(name) and not self._rules.is_local_only(sent_as)

    def _place_of(self, row: Upload) -> File:
        """The file that the draft is a new version of, or else a new one by its name.

        A draft that was being sent by a new name (a promotion) has that name now, if the store has it.
        """
        directory = self._tree.add_purpose(Purpose(row.purpose, uploads=True))
        name, replaces = row.name, row.replaces
        if row.sending is not None and self._was_promoted(row.name, row.sending.name, row.state):
            name, replaces = row.sending.name, row.sending.replaces
        replaced = None if replaces is None else self._tree.file(replaces)
        if replaced is not None and replaced.draft is None:
            if name not in directory.names:  # it was renamed with its draft
                self._tree.rename(replaced, name)
            replaced.mtime_ns, replaced.mode = row.mtime_ns, row.mode
            return replaced
        while name in directory.names:
            name = tilde_name(name, row.key)
        return self._tree.create(directory, name, mtime_ns=row.mtime_ns, mode=row.mode)


def _touched(draft: Draft) -> None:
    """Somebody wrote it and was not refused: what there is now is what they want."""
    draft.version += 1
    draft.is_half, draft.refused = False, None
