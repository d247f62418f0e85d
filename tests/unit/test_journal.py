"""The life of an upload: every pair of state and event, and every path through them."""

from itertools import product

import pytest

from minimaxfs.core.journal import TABLE, Event, State, after

SAFE = {State.SEALED, State.SENDING, State.DOUBTFUL, State.FAILED}
"""States in which the bytes are on this machine's disk and the store has not confirmed them."""

PROGRESS = set(Event) - {Event.WRITE, Event.RETRY}
"""Events that need neither a writer nor a person."""


def next_states(state: State, events: set[Event]) -> set[State]:
    return {TABLE[state, event] for event in events if (state, event) in TABLE}


def reachable(state: State, events: set[Event]) -> set[State]:
    found: set[State] = set()
    fresh = {state}
    while fresh:
        found |= fresh
        fresh = {there for here in fresh for there in next_states(here, events)} - found
    return found


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair(state: State, event: Event) -> None:
    """An event leads where the table says, and is a bug of the caller where the table says nothing."""
    if (state, event) in TABLE:
        assert after(state, event) is TABLE[state, event]
        return
    with pytest.raises(ValueError, match=f"an upload that is {state} cannot meet {event}"):
        after(state, event)


@pytest.mark.parametrize("state", State)
def test_each_state_is_reached_and_left_for_the_end(state: State) -> None:
    """Every state is on a way from open to stored."""
    assert state in reachable(State.OPEN, set(Event))
    assert State.STORED in reachable(state, set(Event))


@pytest.mark.parametrize("state", State)
def test_each_state_outlives_the_process(state: State) -> None:
    """A restart may come at any time, and a second one changes nothing more."""
    once = after(state, Event.RESTART)
    assert after(once, Event.RESTART) is once


@pytest.mark.parametrize("state", SAFE)
def test_what_is_sealed_stays_safe(state: State) -> None:
    """Only a writer takes sealed bytes back, and only the store's answer lets them go."""
    for event in set(Event):
        there = TABLE.get((state, event), state)
        assert there in SAFE or (event, there) in {
            (Event.WRITE, State.OPEN),
            (Event.ANSWERED, State.STORED),
        }


def test_what_is_stored_stays_stored() -> None:
    """Nothing happens to an upload after its end but a restart."""
    assert reachable(State.STORED, set(Event)) == {State.STORED}
    assert {event for state, event in TABLE if state is State.STORED} == {Event.RESTART}


def test_only_an_answer_stores() -> None:
    """The store's answer is the one way to stored, and only of an upload that was sent."""
    assert {pair for pair, there in TABLE.items() if there is State.STORED and pair[0] is not there} == {
        (State.SENDING, Event.ANSWERED),
        (State.DOUBTFUL, Event.ANSWERED),
    }


def test_nothing_is_sent_twice_without_a_look() -> None:
    """From a lost answer no way leads to sending but by a listing that does not show the file."""
    for doubt in (Event.LOST, Event.RESTART):
        assert after(State.SENDING, doubt) is State.DOUBTFUL
    assert State.SENDING not in reachable(State.DOUBTFUL, set(Event) - {Event.ABSENT})


@pytest.mark.parametrize("state", set(State) - {State.FAILED})
def test_the_daemon_can_end_it_alone(state: State) -> None:
    """Without a writer or a person every upload can come to its end, but for one that was refused."""
    assert State.STORED in reachable(state, PROGRESS)
    assert State.STORED not in reachable(State.FAILED, PROGRESS)


def test_a_refused_upload_can_be_retried() -> None:
    """What failed for good is sealed again by a retry, and opened again by a write."""
    assert after(State.FAILED, Event.RETRY) is State.SEALED
    assert after(State.FAILED, Event.WRITE) is State.OPEN
