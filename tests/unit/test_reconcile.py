"""What an upload without an answer made is told from all else that a store may list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimaxfs.core.files import RemoteFile
from minimaxfs.core.inodes import Sending
from minimaxfs.core.reconcile import SKEW, made_by, namesakes

AT = 1_700_000_000.0
SENDING = Sending("f.txt", AT, known=(1, 2), replaces=3)


def file(file_id: int, filename: str = "f.txt", size: int = 4, created_at: float = AT) -> RemoteFile:
    return RemoteFile(file_id, "t2a_async_input", filename, size, int(created_at))


def test_the_file_that_was_made_is_found() -> None:
    """A file of the name and size that nobody knew is the one, whatever lies around it."""
    mine = file(9)
    assert made_by(SENDING, 4, [file(1), file(3), file(8, "g.txt"), mine, file(7, size=5)]) == mine


@pytest.mark.parametrize(
    "other",
    [file(1), file(3), file(9, "g.txt"), file(9, size=5), file(9, created_at=AT - SKEW - 1)],
    ids=["known before", "replaced", "another name", "another size", "too old"],
)
def test_nothing_else_is_taken_for_it(other: RemoteFile) -> None:
    """A file that the store had before is never taken for the upload: its bytes are others."""
    assert made_by(SENDING, 4, [other]) is None


def test_of_two_that_were_made_the_newest_counts() -> None:
    """Two tries may both have been stored: one is ours, the other a duplicate to be seen."""
    assert made_by(SENDING, 4, [file(8), file(9, created_at=AT + 5)]) == file(9, created_at=AT + 5)


def test_a_clock_that_is_behind_is_allowed() -> None:
    """The store's clock may be behind this machine's by up to an hour."""
    assert made_by(SENDING, 4, [file(9, created_at=AT - SKEW)]) is not None


def test_a_store_may_keep_the_form_of_a_name() -> None:
    """A store that does not decode forms shows quotes and newlines as they were sent."""
    sending = Sending('a "b"\n.txt', AT)
    assert made_by(sending, 4, [file(9, "a %22b%22%0A.txt")]) is not None


@given(st.lists(st.sampled_from(["f.txt", "g.txt", 'a"b', "a%22b"]), max_size=8))
def test_what_was_there_is_never_taken(filenames: list[str]) -> None:
    """Whatever a store has when an upload begins, none of it can be mistaken for the upload later."""
    there = [file(number, name) for number, name in enumerate(filenames, start=1)]
    for name in ("f.txt", 'a"b'):
        assert made_by(Sending(name, AT, namesakes(name, there)), 4, there) is None
