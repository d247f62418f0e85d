"""What is remembered of the store from one mount to the next."""

import math
from pathlib import Path

import pytest

from minimaxfs.core.files import MAX_FILE_ID, RemoteFile
from minimaxfs.core.inodes import Remembered
from minimaxfs.disk.database import Database
from minimaxfs.disk.ledger import AT_ONCE, Ledger

REMOTE = RemoteFile(444795417354723, "voice_clone", "a\nb/'\"ü.wav", 0, 1_790_000_000)
KEPT = Remembered("a%0Ab.wav", 1234, 1_790_000_000_123_456_789, 0o600)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def test_a_file_is_remembered_as_it_was(ledger: Ledger) -> None:
    """Names of every kind, sizes, nanoseconds and modes come back exactly."""
    ledger.remember(REMOTE, KEPT)
    assert ledger.files("voice_clone") == [REMOTE]
    assert ledger.remembered("voice_clone") == {REMOTE.file_id: KEPT}
    assert ledger.purposes() == ["voice_clone"]


def test_the_largest_id_fits(ledger: Ledger) -> None:
    """Ids are 64 bits wide in the store and here."""
    largest = RemoteFile(MAX_FILE_ID, "t2a_async", "x.tar", 2**40, 0)
    ledger.remember(largest, Remembered("x.tar"))
    assert ledger.files("t2a_async") == [largest]
    assert ledger.remembered("t2a_async") == {MAX_FILE_ID: Remembered("x.tar")}


def test_the_last_word_counts(ledger: Ledger) -> None:
    """A file that is remembered again is remembered once."""
    ledger.remember(REMOTE, KEPT)
    ledger.remember(REMOTE, Remembered("other.wav"))
    assert ledger.remembered("voice_clone") == {REMOTE.file_id: Remembered("other.wav")}
    ledger.forget(REMOTE.file_id)
    assert ledger.files("voice_clone") == []


def test_purposes_are_kept_apart(ledger: Ledger) -> None:
    """What is asked about one purpose tells nothing of another."""
    ledger.remember(REMOTE, KEPT)
    assert ledger.files("prompt_audio") == []
    assert ledger.remembered("prompt_audio") == {}


def test_a_listing_is_one_change(ledger: Ledger) -> None:
    """What is new, what is gone and how long that may be believed are written together."""
    ledger.remember(REMOTE, KEPT)
    new = RemoteFile(7, "voice_clone", "new.wav", 10, 5)
    ledger.record_listing(
        "voice_clone", 100.5, added=[(new, Remembered("new.wav", 10, 5, None))], gone=[REMOTE.file_id]
    )
    assert ledger.files("voice_clone") == [new]
    assert ledger.fresh_until("voice_clone") == 100.5
    assert ledger.fresh_until("prompt_audio") is None


def test_a_long_listing_is_written_part_by_part(ledger: Ledger, tmp_path: Path) -> None:
    """Thousands of files come in several changes; that the listing came is said by the last."""
    files = [RemoteFile(index + 1, "voice_clone", f"{index}.wav", 1, index) for index in range(AT_ONCE + 1)]
    news = [(file, Remembered(file.filename, 1, 0, None)) for file in files]
    ledger.record_listing("voice_clone", 100.5, added=news, gone=[])
    seen = [_seen(tmp_path)]
    while ledger.catch_up():
        seen.append(_seen(tmp_path))
    assert seen == [(0, None), (AT_ONCE, None), (AT_ONCE + 1, None)]
    assert _seen(tmp_path) == (AT_ONCE + 1, 100.5)


def test_a_listing_of_the_usual_length_is_written_at_once(ledger: Ledger, tmp_path: Path) -> None:
    """Nothing of it is postponed: it is on the disk before anybody sees it."""
    ledger.record_listing("voice_clone", 100.5, added=[(REMOTE, KEPT)], gone=[])
    assert _seen(tmp_path) == (1, 100.5)
    assert not ledger.catch_up()


def _seen(place: Path) -> tuple[int, float | None]:
    """What is on the disk: the files of a purpose, and until when its listing may be believed."""
    database = Database(place / "ledger.sqlite")
    database.open()
    try:
        ledger = Ledger(database)
        return len(ledger.files("voice_clone")), ledger.fresh_until("voice_clone")
    finally:
        database.close()


def test_of_many_files_some_can_be_asked_for(ledger: Ledger) -> None:
    """Only those that were asked for, are known and are of the purpose come back."""
    ledger.remember(REMOTE, KEPT)
    ledger.remember(RemoteFile(7, "voice_clone", "b.wav", 1, 1), Remembered("b.wav"))
    ledger.remember(RemoteFile(MAX_FILE_ID, "prompt_audio", "c.wav", 1, 1), Remembered("c.wav"))
    assert ledger.remembered("voice_clone", [REMOTE.file_id, 8, MAX_FILE_ID]) == {REMOTE.file_id: KEPT}
    assert ledger.remembered("prompt_audio", [MAX_FILE_ID]) == {MAX_FILE_ID: Remembered("c.wav")}
    assert ledger.remembered("voice_clone", []) == {}


def test_requests_add_up_by_day_and_operation(ledger: Ledger) -> None:
    """The counts of a day grow with every saving, and are priced."""
    ledger.count_requests("2026-11-23", {"list": 2, "retrieve": 1}, {"retrieve": 0.004})
    ledger.count_requests("2026-11-23", {"retrieve": 2}, {"retrieve": 0.005})
    ledger.count_requests("2026-11-24", {"list": 1}, {})
    counted = ledger.requests("2026-11-23")
    assert counted["list"] == (2, 0.0)
    count, price = counted["retrieve"]
    assert count == 3
    assert math.isclose(price, 0.014)
    assert ledger.requests("2026-11-24") == {"list": (1, 0.0)}


def test_a_pin_goes_with_its_file(ledger: Ledger) -> None:
    """However the file goes: forgotten alone, or missing from a listing; and a pin twice is one."""
    files = [RemoteFile(number, "voice_clone", f"{number}.wav", 1, 1) for number in (1, 2, 3)]
    for file in files:
        ledger.remember(file, KEPT)
    ledger.pin([1, 2, 3])
    ledger.pin([3])
    ledger.remember(files[2], Remembered("renamed.wav"))
    assert ledger.pins() == {1, 2, 3}
    ledger.forget(1)
    ledger.record_listing("voice_clone", 0.0, added=[], gone=[2])
    assert ledger.pins() == {3}
    ledger.unpin([3])
    assert ledger.pins() == set()
