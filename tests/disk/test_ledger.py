"""What is remembered of the store from one mount to the next."""

import math

import pytest

from minimaxfs.core.files import MAX_FILE_ID, RemoteFile
from minimaxfs.core.inodes import Remembered
from minimaxfs.disk.database import Database
from minimaxfs.disk.ledger import Ledger

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
