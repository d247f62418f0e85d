"""How a drive ends: uploads get some time to finish, and what is not through then waits in the journal.

A read that hangs gets no time, and neither does an upload that only waits for its next try: it is tried
once more, at once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import trio

from minimaxfs.core.journal import State
from minimaxfs.vfs.desk import UploadStatus

WRITERS_GRACE = 2.0
"""Seconds for a file that is open for writing while nothing is sent: a program at its end closes it in that
time, and a service manager sees no delay."""

ANSWER_GRACE = 0.2
"""Seconds for the kernel to get the answers to requests that waited for an upload."""

_LOOK_EVERY = 0.05
"""Seconds between two looks at the uploads."""


class Desk(Protocol):
    """What `vfs.desk.Desk` does, as far as this floor needs it."""

    def uploads(self) -> list[UploadStatus]: ...

    async def retry(self, path: str) -> None: ...

    async def discard(self, path: str) -> None: ...

    async def settled(self) -> None: ...


def is_under_way(upload: UploadStatus) -> bool:
    """Whether it is being sent, or is the next to be: one that waits for its next try is not."""
    return upload.next_try_in == 0


def is_left(upload: UploadStatus) -> bool:
    """Whether the store should have it by now. What is open is not finished, or stays here by its name."""
    return upload.state != State.OPEN


class Ending:
    """The end of one drive; `seconds` is how long uploads get for it."""

    def __init__(self, desk: Desk, has_writers: Callable[[], bool], seconds: float) -> None:
        self._desk = desk
        self._has_writers = has_writers
        self._excused = 0
        self.seconds = seconds
        self.has_begun = False

    async def finish(self) -> None:
        """Let uploads end, unless somebody did so just now."""
        self.has_begun = True
        if not self._excused:
            await self.drain(self.seconds)

    async def drain(self, seconds: float) -> None:
        """Return when nothing is on its way to the store, or when the time is up."""
        with trio.move_on_after(seconds):
            await self._desk.settled()
            await self._quiet()

    async def _quiet(self) -> None:
        grace, since = 0.0, trio.current_time()
        while True:
            if any(map(is_under_way, self._desk.uploads())):
                grace, since = ANSWER_GRACE, trio.current_time()
            elif trio.current_time() - since >= (WRITERS_GRACE if self._has_writers() else grace):
                return
            await trio.sleep(_LOOK_EVERY)

    @property
    def waits_for_writers(self) -> bool:
        """Whether a mount that was taken away goes on for those who still write."""
        return not self._excused and self._has_writers()

    @contextmanager
    def excused(self) -> Iterator[None]:
        """Uploads had their time: if the drive ends within the context, it ends at once."""
        self._excused += 1
        try:
            yield
        finally:
            self._excused -= 1

    def pending(self) -> list[UploadStatus]:
        """What is on its way to the store, or will be tried again."""
        return [upload for upload in self._desk.uploads() if upload.next_try_in is not None]

    def left(self) -> list[UploadStatus]:
        """What the store should have and has not."""
        return [upload for upload in self._desk.uploads() if is_left(upload)]
