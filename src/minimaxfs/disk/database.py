"""The SQLite file under the ledger and the journal: its tables, and one way to change them."""

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from minimaxfs.core.errors import ConfigError, FsError, LocalDiskFull, LocalFault

VERSION = 1

ROOM = 256 * 1024
"""Bytes that SQLite needs beside the ledger to open it: a log and its index."""

_SCHEMA = f"""
CREATE TABLE files (
    file_id INTEGER PRIMARY KEY,
    purpose TEXT NOT NULL,
    filename TEXT NOT NULL,
    size INTEGER NOT NULL,          -- as the store says: 0 is not believed
    created_at INTEGER NOT NULL,
    name TEXT NOT NULL,             -- the dentry that it was given
    true_size INTEGER,              -- as seen: probed or uploaded
    mtime_ns INTEGER,
    mode INTEGER
);
CREATE INDEX files_of_purpose ON files (purpose);
CREATE TABLE listings (purpose TEXT PRIMARY KEY, fresh_until REAL NOT NULL);
CREATE TABLE uploads (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    purpose TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    size INTEGER NOT NULL DEFAULT 0,
    replaces INTEGER,               -- the file_id to delete once the new one is stored
    sending TEXT,                   -- how it was last sent (JSON), by which a listing is searched
    mtime_ns INTEGER,
    mode INTEGER,
    error TEXT NOT NULL DEFAULT ''
);
CREATE TABLE doomed (file_id INTEGER PRIMARY KEY, purpose TEXT NOT NULL);
CREATE TABLE requests (
    day TEXT NOT NULL, operation TEXT NOT NULL, count INTEGER NOT NULL, price REAL NOT NULL,
    PRIMARY KEY (day, operation)
);
PRAGMA user_version = {VERSION};
"""


Change = Callable[[sqlite3.Connection], object]
"""What is done in one transaction."""

_ADDED = """
CREATE TABLE IF NOT EXISTS pins (file_id INTEGER PRIMARY KEY);
CREATE TRIGGER IF NOT EXISTS unpin_what_is_gone AFTER DELETE ON files
    BEGIN DELETE FROM pins WHERE file_id = OLD.file_id; END;
"""
"""What came later and harms no earlier version, so that a ledger of either is one of both. The trigger is
there because a file goes from the ledger in several ways, and no pin may outlive it."""


class Database:
    """One connection, used from one thread. A change is on disk (`synchronous=FULL`) when it is done.

    A change may be postponed. Whoever reads or changes anything finds it done all the same.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._postponed: deque[Change] = deque()
        self._fault: FsError | None = None

    def open(self) -> None:
        """Connect, and make the tables where there are none. Raises ConfigError where it cannot be used."""
        try:
            connection = sqlite3.connect(self._path, isolation_level=None)
            self._path.chmod(0o600)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
            if version <= VERSION:
                connection.executescript(f"BEGIN; {_ADDED} COMMIT;")
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        if version > VERSION:
            connection.close()
            raise ConfigError(f"the ledger {self._path} is of a newer minimaxfs", "Install that version.")
        self._connection = connection

    def _unusable(self, error: sqlite3.Error) -> ConfigError:
        disk = os.statvfs(self._path.parent)
        if disk.f_bavail * disk.f_frsize < ROOM:
            return ConfigError(
                f"the disk that holds {self._path.parent} is full",
                "Free some space on it, but not in that directory: what waits to be stored is there.",
            )
        return ConfigError(
            f"the ledger {self._path} cannot be used: {error}",
            "Move it away to start with an empty one; names given here, and what waits, go with it.",
        )

    def close(self) -> None:
        if self._connection is not None:
            self._settle()
            self._connection.close()
            self._connection = None

    def read(self, query: str, *values: object) -> sqlite3.Cursor:
        """The rows of a query. Raises LocalFault where the disk fails."""
        assert self._connection is not None, "the ledger is closed"
        self._settle()
        try:
            return self._connection.execute(query, values)
        except sqlite3.Error as error:
            raise LocalFault(f"read the ledger: {error}") from error

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """All that is done within happens together or not at all. Raises LocalDiskFull or LocalFault."""
        self._settle()
        with self._transaction() as connection:
            yield connection

    def postpone(self, changes: Iterable[Change]) -> None:
        """Do these in their order when `catch_up` is called, or before anything else is read or changed."""
        self._postponed.extend(changes)

    def catch_up(self) -> bool:
        """Do the next change that was postponed, if there is one; whether more are left.

        Raises as `change` does, also for one that was done before something else; what came after is
        given up then.
        """
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault
        if self._postponed:
            self._do_next()
        return bool(self._postponed)

    def _settle(self) -> None:
        """Do what was postponed. Its fault is not that of whoever comes now."""
        while self._postponed:
            try:
                self._do_next()
            except FsError as error:
                self._fault = error

    def _do_next(self) -> None:
        change = self._postponed.popleft()
        try:
            with self._transaction() as connection:
                change(connection)
        except FsError:
            self._postponed.clear()
            raise

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        assert connection is not None, "the ledger is closed"
        try:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                yield connection
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise LocalDiskFull("write the ledger: the local disk is full") from error
            raise LocalFault(f"write the ledger: {error}") from error
