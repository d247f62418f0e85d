"""The ledger: what is remembered of the store across mounts.

Remote files with the names that they were given here, when purposes were listed, and the
count of requests.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from minimaxfs.core.files import RemoteFile
from minimaxfs.core.inodes import Remembered
from minimaxfs.disk.database import Database

AT_ONCE = 2000
"""New files of a listing that are written at once, and in one transaction: 5 ms in which nobody is served."""

REMEMBER = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"

_KEPT = "SELECT file_id, name, true_size, mtime_ns, mode FROM files WHERE purpose = ?"
_KEPT_AMONG = (  # the + keeps SQLite from going through all files of the purpose
    "SELECT file_id, name, true_size, mtime_ns, mode FROM files WHERE +purpose = ?"
    " AND file_id IN (SELECT value FROM json_each(?))"
)


def ledger_row(remote: RemoteFile, kept: Remembered) -> tuple[object, ...]:
    """The row of `REMEMBER` for a file that the store has."""
    return (*remote, *kept)


class Ledger:
    """Facts about remote files, listings and requests. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def files(self, purpose: str) -> list[RemoteFile]:
        """The files of a purpose, as they were last listed, retrieved or stored."""
        rows = self._database.read(
            "SELECT file_id, filename, size, created_at FROM files WHERE purpose = ?", purpose
        )
        return [RemoteFile(file_id, purpose, *rest) for file_id, *rest in rows]

    def purposes(self) -> list[str]:
        """Every purpose of which a file is remembered."""
        return [name for (name,) in self._database.read("SELECT DISTINCT purpose FROM files")]

    def remembered(self, purpose: str, among: Sequence[int] | None = None) -> dict[int, Remembered]:
        """What is kept of the files of a purpose beyond a listing, by file_id: of all, or `among` some."""
        if among is None:
            rows = self._database.read(_KEPT, purpose)
        else:
            rows = self._database.read(_KEPT_AMONG, purpose, json.dumps(among))
        return {file_id: Remembered(*rest) for file_id, *rest in rows}

    def fresh_until(self, purpose: str) -> float | None:
        """Until when the purpose's last listing may be believed, in Unix seconds; None: there was none."""
        row = self._database.read("SELECT fresh_until FROM listings WHERE purpose = ?", purpose).fetchone()
        return None if row is None else row[0]

    def record_listing(
        self,
        purpose: str,
        fresh_until: float,
        *,
        added: Iterable[tuple[RemoteFile, Remembered]],
        gone: Iterable[int],
    ) -> None:
        """A listing came, to be believed for a while: these files are new, and these ids are gone.

        More than `AT_ONCE` new files are postponed, and written when `catch_up` is called.
        """
        rows = [ledger_row(*one) for one in added]
        parts = [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
        whole = partial(_close_listing, purpose, fresh_until, list(gone))
        if len(parts) > 1:
            self._database.postpone([*(partial(_remember, part) for part in parts), whole])
            return
        with self._database.change() as change:
            _remember(rows, change)
            whole(change)

    def catch_up(self) -> bool:
        """Write the next part of what was postponed; whether there is more. Raises as the disk does."""
        return self._database.catch_up()

    def remember(self, remote: RemoteFile, kept: Remembered) -> None:
        """Keep what this machine knows of a file of the store: its name here, its size as seen, its times."""
        with self._database.change() as change:
            change.execute(REMEMBER, ledger_row(remote, kept))

    def forget(self, file_id: int) -> None:
        """The store no longer has the file."""
        with self._database.change() as change:
            change.execute("DELETE FROM files WHERE file_id = ?", (file_id,))

    def pins(self) -> set[int]:
        """The file_ids whose blocks are to stay on this disk."""
        return {file_id for (file_id,) in self._database.read("SELECT file_id FROM pins")}

    def pin(self, file_ids: Iterable[int]) -> None:
        """Let the blocks of these files stay, until they are unpinned or gone from the store."""
        with self._database.change() as change:
            change.executemany("INSERT OR IGNORE INTO pins VALUES (?)", [(one,) for one in file_ids])

    def unpin(self, file_ids: Iterable[int]) -> None:
        """Let the blocks of these files go like any others."""
        with self._database.change() as change:
            change.executemany("DELETE FROM pins WHERE file_id = ?", [(one,) for one in file_ids])

    def count_requests(self, day: str, counts: Mapping[str, int], prices: Mapping[str, float]) -> None:
        """Add requests, by operation, to those of a day (ISO date); prices are those of one request."""
        with self._database.change() as change:
            change.executemany(
                "INSERT INTO requests VALUES (?, ?, ?, ?) ON CONFLICT (day, operation)"
                " DO UPDATE SET count = count + excluded.count, price = price + excluded.price",
                [(day, operation, n, n * prices.get(operation, 0.0)) for operation, n in counts.items()],
            )

    def requests(self, day: str) -> dict[str, tuple[int, float]]:
        """The count and the whole price of a day's requests, by operation."""
        rows = self._database.read("SELECT operation, count, price FROM requests WHERE day = ?", day)
        return {operation: (count, price) for operation, count, price in rows}


def _remember(rows: Iterable[tuple[object, ...]], change: sqlite3.Connection) -> None:
    change.executemany(REMEMBER, rows)


def _close_listing(purpose: str, fresh_until: float, gone: Iterable[int], change: sqlite3.Connection) -> None:
    change.executemany("DELETE FROM files WHERE file_id = ?", [(file_id,) for file_id in gone])
    change.execute("INSERT OR REPLACE INTO listings VALUES (?, ?)", (purpose, fresh_until))
