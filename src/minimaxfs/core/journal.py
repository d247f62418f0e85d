"""The life of an upload, as a table: (state, event) → state.

::

    OPEN ──seal──► SEALED ──send──► SENDING ──answered──► STORED
      ▲              │ ▲              │ │ │
      └────write─────┘ └──unsent──────┘ │ └─refused─► FAILED ──retry──► SEALED
                                        └─lost or restart─► DOUBTFUL ──answered──► STORED
                                                                     └─absent──► SEALED

A write that the disk or a limit refuses makes OPEN bytes FAILED at once (refused): half a file is
never sent. `SEALED` is the promise: the bytes are on this machine's disk, by fsync, and will not be lost.
`DOUBTFUL` means that the store may have the file, though it never said so: it is looked for
in a listing before a byte is sent again, because an upload is not idempotent.
"""

from enum import StrEnum


class State(StrEnum):
    """Where an upload is. `STORED` is its end: the spool file may go."""

    OPEN = "open"
    SEALED = "sealed"
    SENDING = "sending"
    DOUBTFUL = "doubtful"
    FAILED = "failed"
    STORED = "stored"


class Event(StrEnum):
    """What happens to an upload."""

    WRITE = "write"
    SEAL = "seal"
    SEND = "send"
    ANSWERED = "answered"
    UNSENT = "unsent"
    REFUSED = "refused"
    LOST = "lost"
    ABSENT = "absent"
    RETRY = "retry"
    RESTART = "restart"


TABLE: dict[tuple[State, Event], State] = {
    (State.OPEN, Event.WRITE): State.OPEN,
    (State.OPEN, Event.SEAL): State.SEALED,
    (State.OPEN, Event.REFUSED): State.FAILED,
    (State.OPEN, Event.RESTART): State.OPEN,
    (State.SEALED, Event.WRITE): State.OPEN,
    (State.SEALED, Event.SEAL): State.SEALED,
    (State.SEALED, Event.SEND): State.SENDING,
    (State.SEALED, Event.REFUSED): State.FAILED,
    (State.SEALED, Event.RESTART): State.SEALED,
    (State.SENDING, Event.ANSWERED): State.STORED,
    (State.SENDING, Event.UNSENT): State.SEALED,
    (State.SENDING, Event.REFUSED): State.FAILED,
    (State.SENDING, Event.LOST): State.DOUBTFUL,
    (State.SENDING, Event.RESTART): State.DOUBTFUL,
    (State.DOUBTFUL, Event.ANSWERED): State.STORED,
    (State.DOUBTFUL, Event.ABSENT): State.SEALED,
    (State.DOUBTFUL, Event.RESTART): State.DOUBTFUL,
    (State.FAILED, Event.WRITE): State.OPEN,
    (State.FAILED, Event.SEAL): State.FAILED,
    (State.FAILED, Event.RETRY): State.SEALED,
    (State.FAILED, Event.RESTART): State.FAILED,
    (State.STORED, Event.RESTART): State.STORED,
}
"""Every pair that may happen; any other is a bug of the caller."""


def after(state: State, event: Event) -> State:
    """The state after an event. Raises ValueError where the event cannot happen in the state."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise ValueError(f"an upload that is {state} cannot meet {event}") from None
