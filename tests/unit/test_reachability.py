"""The memory of whether the store can be reached."""

import math

from minimaxfs.core.reachability import (
    FIRST_LIMIT,
    HOLD,
    LONGEST_LIMIT,
    SLOW,
    Reachability,
)


def held() -> Reachability:
    """A store to which a connection was waited for in vain until second 100."""
    state = Reachability()
    state.missed(100.0, 10.0, "no connection")
    return state


def test_at_first_nothing_is_known() -> None:
    """Every request goes, and is waited for as long as any."""
    state = Reachability()
    assert state.admit(0.0) == math.inf
    assert (state.answered_at, state.offline_since) == (None, None)


def test_after_a_long_wait_in_vain_requests_fail_at_once_for_a_while() -> None:
    """Not each of them waits as long as the first."""
    state = held()
    assert (state.offline_since, state.why) == (100.0, "no connection")
    assert state.admit(100.1) is None
    assert state.admit(100.0 + HOLD - 0.1) is None


def test_after_the_pause_one_request_tries_and_the_others_fail() -> None:
    """It has less than a second for its connection."""
    state = held()
    assert state.admit(100.0 + HOLD) == FIRST_LIMIT < 1.0
    assert state.admit(100.0 + HOLD) is None
    state.connected()
    assert state.admit(100.0 + HOLD) == math.inf


def test_a_slow_link_is_given_more_time_with_each_try() -> None:
    """Up to what any connection may take; one that comes about begins anew."""
    state, now, limits = held(), 100.0, []
    for _ in range(6):
        now += HOLD
        limit = state.admit(now)
        assert limit is not None
        limits.append(limit)
        now += limit
        state.missed(now, limit, "no connection")
    assert limits == [0.9, 1.8, 3.6, 7.2, LONGEST_LIMIT, LONGEST_LIMIT]
    assert state.offline_since == 100.0
    assert [state.answered(now), state.answered(now)] == [True, False]
    assert state.admit(now) == math.inf


def test_what_fails_at_once_is_not_paused_for() -> None:
    """A cable that is plugged in again is found by the next request."""
    state = Reachability()
    state.missed(100.0, SLOW / 2, "refused")
    assert state.offline_since == 100.0
    assert state.admit(100.0) == math.inf


def test_a_try_that_was_given_up_leaves_the_way_to_the_next() -> None:
    """Nobody waits for a request that nobody sends."""
    state = held()
    state.admit(100.0 + HOLD)
    state.gave_up()
    assert state.admit(100.0 + HOLD) == FIRST_LIMIT
