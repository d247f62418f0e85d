"""The journal on disk: drafts that the store does not have yet, and deletes that are still owed to it.

The states and their order are decided in `core.journal`; here they are made to last.
"""

from dataclasses import dataclass

from minimaxfs.core.inodes import File
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

    def record(self, file: File) -> None:
        """Where the draft of a file is now: its name, state, size and times."""
        draft = file.draft
        assert draft is not None
        replaces = None if file.remote is None else file.remote.file_id
        with self._database.change() as change:
            change.execute(
                "UPDATE uploads SET name = ?, state = ?, size = ?, replaces = ?, mtime_ns = ?, mode = ?,"
                " error = ? WHERE key = ?",
                (
                    file.name or "",
                    draft.state,
                    draft.size,
                    replaces,
                    file.mtime_ns,
                    file.mode,
                    draft.error,
                    draft.key,
                ),
            )

    def stored(self, key: int, file: File, replaced: int | None) -> None:
        """The store has the draft: the file is remembered, its old version is doomed, the row goes."""
        with self._database.change() as change:
            change.execute(REMEMBER, ledger_row(file))
            if replaced is not None:
                change.execute("DELETE FROM files WHERE file_id = ?", (replaced,))
                change.execute("INSERT OR REPLACE INTO doomed VALUES (?, ?)", (replaced, file.purpose.name))
            change.execute("DELETE FROM uploads WHERE key = ?", (key,))

    def discard(self, key: int) -> None:
        """The draft is not wanted any more."""
        with self._database.change() as change:
            change.execute("DELETE FROM uploads WHERE key = ?", (key,))

    def uploads(self) -> list[Upload]:
        """All drafts, oldest first."""
        rows = self._database.read(
            "SELECT key, purpose, name, state, size, replaces, mtime_ns, mode, error"
            " FROM uploads ORDER BY key"
        )
        return [Upload(key, purpose, name, State(state), *rest) for key, purpose, name, state, *rest in rows]

    def doom(self, file_id: int, purpose: str) -> None:
        """The name is gone; the store is yet to be told."""
        with self._database.change() as change:
            change.execute("DELETE FROM files WHERE file_id = ?", (file_id,))
            change.execute("INSERT OR REPLACE INTO doomed VALUES (?, ?)", (file_id, purpose))

    def deleted(self, file_id: int) -> None:
        """The store was told, and the file is gone there."""
        with self._database.change() as change:
            change.execute("DELETE FROM files WHERE file_id = ?", (file_id,))
            change.execute("DELETE FROM doomed WHERE file_id = ?", (file_id,))

    def doomed(self) -> list[tuple[int, str]]:
        """Deletes that are owed: file_id and purpose."""
        return [(file_id, purpose) for file_id, purpose in self._database.read("SELECT * FROM doomed")]
