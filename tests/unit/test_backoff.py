"""Waits between tries: how many, how long, and when none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimaxfs.core.backoff import QUICK, SLOW, USUAL, Schedule, pause
from minimaxfs.core.errors import AccessRefused, BrokenReply, FsError, Offline, RateLimited, ServerFailed

jitters = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(failed=st.integers(min_value=1, max_value=10_000), jitter=jitters)
def test_a_wait_is_bounded_on_both_sides(failed: int, jitter: float) -> None:
    """However many tries failed, a wait lies between half the first step and the ceiling."""
    for schedule in (USUAL, SLOW, QUICK):
        assert schedule.first / 2 <= schedule.delay(failed, jitter) <= schedule.ceiling


def test_waits_double() -> None:
    """Each step is twice the one before, up to the ceiling."""
    schedule = Schedule(tries=9, first=1.0, ceiling=5.0)
    assert [schedule.delay(failed, 0.0) for failed in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 2.5]


def test_chance_takes_the_upper_half_of_a_step() -> None:
    """Jitter moves a wait from half a step up to the whole of it."""
    assert USUAL.delay(1, 0.0) == USUAL.first / 2
    assert USUAL.delay(1, 0.999) == pytest.approx(USUAL.first, rel=0.01)


@pytest.mark.parametrize(
    ("error", "tries"), [(ServerFailed("x"), 4), (BrokenReply("x"), 4), (Offline("x"), 2)]
)
def test_tries_are_counted(error: FsError, tries: int) -> None:
    """After the last try that an error is worth, there is no further wait."""
    assert pause(error, tries - 1, 0.5, left=30) is not None
    assert pause(error, tries, 0.5, left=30) is None


@given(jitter=jitters)
def test_being_offline_is_told_fast(jitter: float) -> None:
    """The one more try of a client without a connection comes within 0.3 s."""
    delay = pause(Offline("x"), 1, jitter, left=30)
    assert delay is not None
    assert delay <= 0.3


def test_what_time_does_not_mend_is_not_tried_again() -> None:
    """An error whose class says so ends the call at once."""
    assert pause(AccessRefused("x"), 1, 0.0, left=30) is None


@given(asked=st.floats(min_value=0, max_value=20), jitter=jitters)
def test_the_stores_own_wait_is_honoured(asked: float, jitter: float) -> None:
    """No client comes back before `Retry-After` is over."""
    delay = pause(RateLimited("x", retry_after=asked), 1, jitter, left=30)
    assert delay is not None
    assert delay >= asked


def test_a_wait_that_outlasts_the_call_is_not_begun() -> None:
    """A `Retry-After` of an hour ends the call at once, and so does any wait in its last moment."""
    assert pause(RateLimited("x", retry_after=3600), 1, 0.0, left=30) is None
    assert pause(ServerFailed("x"), 1, 0.0, left=0.1) is None
