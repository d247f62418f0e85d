"""The journal on disk: drafts that the store does not have yet, and deletes that are still owed to it.

The states and their order are decided in `core.journal`; here they are made to last.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from minimaxfs.core.files import RemoteFile
from minimaxfs.core.inodes import Draft, File, Remembered, Sending
from minimaxfs.core.journal import State
from minimaxfs.disk.database import Database
from minimaxfs.disk.ledger import REMEMBER, ledger_row


@dataclass(frozen=True, slots=True)
class Upload:
    """A row of the journal. `replaces` is the file_id to delete once the new version is stored."""

    key: int
    purpose: str
    name: str
    state: State
    size: int
    replaces: int | None
    sending: Sending | None
    mtime_ns: int
    mode: int | None
    error: str


class Journal:
    """Drafts by key, and doomed files. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, file: File) -> int:
        """A new draft of a file; its key names the spool file."""
        replaces = None if file.remote is None else file.remote.file_id
        with self._database.change() as change:
            cursor = change.execute(
                "INSERT INTO uploads (purpose, name, state, replaces, mtime_ns, mode)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (file.purpose.name, file.name or "", State.OPEN, replaces, file.mtime_ns, file.mode),
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def move(self, draft: Draft, state: State) -> None:
        """The draft comes to a state, with the size, error and way of sending that it has now."""
        sending = None if draft.sending is None else json.dumps(asdict(draft.sending))
        with self._database.change() as change:
            change.execute(
                "UPDATE uploads SET state = ?, size = ?, error = ?, sending = ? WHERE key = ?",
                (state, draft.size, draft.error, sending, draft.key),
            )

    def describe(self, file: File) -> None:
        """The name, times and mode of a file that has a draft, and the version that it will replace."""
        assert file.draft is not None
        replaces = None if file.remote is None else file.remote.file_id
        with self._database.change() as change:
            change.execute(
                "UPDATE uploads SET name = ?, size = ?, replaces = ?, mtime_ns = ?, mode = ? WHERE key = ?",
                (file.name or "", file.draft.size, replaces, file.mtime_ns, file.mode, file.draft.key),
            )

    def stored(self, key: int, remote: RemoteFile, kept: Remembered, replaced: Iterable[RemoteFile]) -> None:
        """The store has the draft: the file is remembered, old versions are doomed, the row goes."""
        with self._database.change() as change:
            change.execute(REMEMBER, ledger_row(remote, kept))
            for old in replaced:
                _doom(change, old)
            change.execute("DELETE FROM uploads WHERE key = ?", (key,))

    def renamed(self, remote: RemoteFile, kept: Remembered, replaced: RemoteFile | None) -> None:
        """A stored file has another name here, that of a file which is doomed, if there was one."""
        with self._database.change() as change:
            if replaced is not None:
                _doom(change, replaced)
            change.execute(REMEMBER, ledger_row(remote, kept))

    def discard(self, key: int) -> None:
        """The draft is not wanted any more."""
        with self._database.change() as change:
            change.execute("DELETE FROM uploads WHERE key = ?", (key,))

    def uploads(self) -> list[Upload]:
        """All drafts, oldest first."""
        rows = self._database.read(
            "SELECT key, purpose, name, state, size, replaces, sending, mtime_ns, mode, error"
            " FROM uploads ORDER BY key"
        )
        return [
            Upload(key, purpose, name, State(state), size, replaces, _sending(sending), *rest)
            for key, purpose, name, state, size, replaces, sending, *rest in rows
        ]

    def doom(self, remote: RemoteFile) -> None:
        """The name is gone; the store is yet to be told."""
        with self._database.change() as change:
            _doom(change, remote)

    def deleted(self, file_id: int) -> None:
        """The store was told, and the file is gone there."""
        with self._database.change() as change:
            change.execute("DELETE FROM files WHERE file_id = ?", (file_id,))
            change.execute("DELETE FROM doomed WHERE file_id = ?", (file_id,))

    def doomed(self) -> list[tuple[int, str]]:
        """Deletes that are owed: file_id and purpose."""
        return [(file_id, purpose) for file_id, purpose in self._database.read("SELECT * FROM doomed")]


def _doom(change: sqlite3.Connection, remote: RemoteFile) -> None:
    change.execute("DELETE FROM files WHERE file_id = ?", (remote.file_id,))
    change.execute("INSERT OR REPLACE INTO doomed VALUES (?, ?)", (remote.file_id, remote.purpose))


def _sending(text: str | None) -> Sending | None:
    if text is None:
        return None
    fields = json.loads(text)
    return Sending(fields["name"], fields["at"], tuple(fields["known"]), fields["replaces"])
