"""The SQLite file: what is done together, what is refused, and what a full disk does to it."""

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from minimaxfs.core.errors import ConfigError, LocalDiskFull, LocalFault
from minimaxfs.disk.database import Database
from small_disk import fill_up, small_disk

MIB = 1024 * 1024
ROW = "INSERT INTO doomed VALUES (?, 'voice_clone')"


def doomed(database: Database) -> list[int]:
    return [file_id for file_id, _ in database.read("SELECT * FROM doomed ORDER BY file_id")]


def test_a_change_happens_whole_or_not_at_all(database: Database) -> None:
    """An exception within a change takes back what was done in it, and the next change works."""
    with pytest.raises(KeyError):
        _insert(database, 1, fails_with=KeyError())
    assert doomed(database) == []
    with database.change() as change:
        change.execute(ROW, (2,))
    assert doomed(database) == [2]


def test_what_was_changed_is_there_for_the_next_process(database: Database, tmp_path: Path) -> None:
    """A change that is done is on the disk, though nobody closed the database."""
    with database.change() as change:
        change.execute(ROW, (1,))
    other = Database(tmp_path / "ledger.sqlite")
    other.open()
    assert doomed(other) == [1]
    other.close()


def test_what_is_postponed_is_done_part_by_part(database: Database, tmp_path: Path) -> None:
    """Each call does one change and says whether there are more; the disk has no more than that."""
    database.postpone(partial(_add, number) for number in (1, 2))
    other = Database(tmp_path / "ledger.sqlite")
    other.open()
    assert doomed(other) == []
    assert database.catch_up()
    assert doomed(other) == [1]
    assert not database.catch_up()
    assert doomed(other) == [1, 2]
    assert not database.catch_up()
    other.close()


def test_whoever_comes_first_finds_it_done(database: Database) -> None:
    """What was postponed is there for who reads, and is not done after what came later."""
    database.postpone([partial(_add, 1)])
    assert doomed(database) == [1]
    database.postpone([partial(_add, 2)])
    with database.change() as change:
        change.execute("DELETE FROM doomed WHERE file_id = 2")
    assert doomed(database) == [1]


def test_closing_does_what_was_postponed(database: Database, tmp_path: Path) -> None:
    """Nothing is lost at the end."""
    database.postpone(partial(_add, number) for number in (1, 2))
    database.close()
    other = Database(tmp_path / "ledger.sqlite")
    other.open()
    assert doomed(other) == [1, 2]
    other.close()


def test_a_postponed_change_that_fails_is_nobody_elses_fault(database: Database) -> None:
    """Who reads gets what there is; the next call says what happened, and the rest is given up."""
    database.postpone(partial(_add, number) for number in (1, 1, 2))
    assert doomed(database) == [1]
    with pytest.raises(LocalFault):
        database.catch_up()
    assert not database.catch_up()
    assert doomed(database) == [1]


def test_what_sqlite_refuses_is_a_local_fault(database: Database) -> None:
    """An error of SQLite has an errno like any other, and leaves nothing half done."""
    with pytest.raises(LocalFault):
        _insert(database, 1, 2, 1)
    assert doomed(database) == []
    with pytest.raises(LocalFault):
        database.read("SELECT * FROM nothing")


def test_it_is_private(database: Database, tmp_path: Path) -> None:
    """Names of files are nobody else's business, in the write-ahead log neither."""
    with database.change() as change:
        change.execute(ROW, (1,))
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.glob("ledger.sqlite*")}
    assert modes == {0o600}


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    """What is wrong and what to do are said, and the file is left as it is."""
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"something else, and longer than a header of SQLite" * 100)
    with pytest.raises(ConfigError, match="cannot be used") as refused:
        Database(path).open()
    assert "Move it away" in refused.value.advice
    assert path.read_bytes().startswith(b"something else")


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """An older minimaxfs does not guess what a newer one wrote."""
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(ConfigError, match="newer"):
        Database(tmp_path / "ledger.sqlite").open()


def test_closing_twice_is_closing_once(database: Database) -> None:
    """The end of a mount may come by two ways."""
    database.close()
    database.close()


def test_a_full_disk_is_said_and_survived(tmp_path: Path) -> None:
    """A change that has no room is an error of its own kind; with room, the same database works."""
    with small_disk(tmp_path / "disk", MIB) as disk:
        database = Database(disk / "ledger.sqlite")
        database.open()
        fill_up(disk / "others")
        with pytest.raises(LocalDiskFull):
            _insert(database, *range(200_000))
        (disk / "others").unlink()
        before = len(doomed(database))
        with database.change() as change:
            change.execute(ROW, (-1,))
        assert len(doomed(database)) == before + 1
        database.close()


def _add(file_id: int, change: sqlite3.Connection) -> None:
    change.execute(ROW, (file_id,))


def _insert(database: Database, *file_ids: int, fails_with: Exception | None = None) -> None:
    """One change of several rows, and maybe a fault in the middle of it."""
    with database.change() as change:
        for file_id in file_ids:
            change.execute(ROW, (file_id,))
        if fails_with is not None:
            raise fails_with
