"""The journal on disk: whatever line the process died at, the next one knows what is owed."""

import pytest

from minimaxfs.core.files import Purpose, RemoteFile
from minimaxfs.core.inodes import Draft, File, Remembered, Sending
from minimaxfs.core.journal import State
from minimaxfs.disk.database import Database
from minimaxfs.disk.journal import Journal, Upload
from minimaxfs.disk.ledger import Ledger

PURPOSE = Purpose("voice_clone", uploads=True, lists=True, deletes=True)
OLD = RemoteFile(1, "voice_clone", "a.wav", 10, 5)
NEW = RemoteFile(2, "voice_clone", "a.wav", 20, 6)
OTHER = RemoteFile(3, "voice_clone", "a.wav", 30, 7)
KEPT = Remembered("a.wav", 20, 7, None)


@pytest.fixture
def journal(database: Database) -> Journal:
    return Journal(database)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def new_file() -> File:
    return File(10, PURPOSE, "a.wav", 0, mtime_ns=7, mode=0o640)


def test_a_draft_is_known_from_its_first_moment(journal: Journal) -> None:
    """Before a byte is written, the journal knows name, purpose and what it replaces."""
    file = new_file()
    file.remote = OLD
    key = journal.begin(file)
    expected = Upload(key, "voice_clone", "a.wav", State.OPEN, 0, OLD.file_id, None, 7, 0o640, "")
    assert journal.uploads() == [expected]


def test_keys_are_never_used_twice(journal: Journal) -> None:
    """A spool file that was left behind is never taken for a later draft's."""
    first = journal.begin(new_file())
    journal.discard(first)
    assert journal.begin(new_file()) > first


@pytest.mark.parametrize("state", list(State))
def test_every_state_is_kept_with_its_words(journal: Journal, state: State) -> None:
    """State, size, error and the way in which it was sent come back as they were."""
    key = journal.begin(new_file())
    sending = Sending("b.wav", 1_790_000_000.5, (4, 5), 6)
    journal.move(Draft(key, 123, State.OPEN, "the store is full", sending), state)
    (row,) = journal.uploads()
    assert (row.state, row.size, row.error, row.sending) == (state, 123, "the store is full", sending)


def test_a_new_name_is_described(journal: Journal) -> None:
    """A rename, new times and another version to replace are all remembered."""
    file = new_file()
    file.draft = Draft(journal.begin(file), 55)
    file.name, file.mtime_ns, file.mode, file.remote = "b.wav", 99, None, OLD
    journal.describe(file)
    (row,) = journal.uploads()
    assert (row.name, row.mtime_ns, row.mode, row.replaces, row.size) == ("b.wav", 99, None, 1, 55)


def test_a_stored_draft_becomes_a_file_and_dooms_its_old_versions(journal: Journal, ledger: Ledger) -> None:
    """The draft goes, the file is remembered and the deletes are owed: all in one change."""
    ledger.remember(OLD, Remembered("a.wav"))
    key = journal.begin(new_file())
    journal.stored(key, NEW, KEPT, [OLD, OTHER])
    assert journal.uploads() == []
    assert ledger.remembered("voice_clone") == {NEW.file_id: KEPT}
    assert journal.doomed() == [(OLD.file_id, "voice_clone"), (OTHER.file_id, "voice_clone")]


def test_a_delete_is_owed_until_it_is_done(journal: Journal, ledger: Ledger) -> None:
    """A doomed file is forgotten here at once, and owed until the store was told."""
    ledger.remember(OLD, Remembered("a.wav"))
    journal.doom(OLD)
    journal.doom(OLD)
    assert ledger.files("voice_clone") == []
    assert journal.doomed() == [(OLD.file_id, "voice_clone")]
    journal.deleted(OLD.file_id)
    assert journal.doomed() == []


def test_a_rename_over_a_file_dooms_it(journal: Journal, ledger: Ledger) -> None:
    """The name passes on, and the file that had it is owed to be deleted."""
    ledger.remember(OLD, Remembered("a.wav"))
    ledger.remember(NEW, Remembered("b.wav"))
    journal.renamed(NEW, Remembered("a.wav"), OLD)
    assert ledger.remembered("voice_clone") == {NEW.file_id: Remembered("a.wav")}
    assert journal.doomed() == [(OLD.file_id, "voice_clone")]


def test_drafts_come_oldest_first(journal: Journal) -> None:
    """The next mount goes on in the order in which people wrote."""
    keys = [journal.begin(new_file()) for _ in range(3)]
    assert [row.key for row in journal.uploads()] == keys
