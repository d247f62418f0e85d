"""Listings as those see them who look: what is known is shown, and a store that is silent is not waited for.

A listing goes on when who asked for it has been answered with what was known; the next look shows it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from minimaxfs.core.errors import FsError
from minimaxfs.core.inodes import Directory
from minimaxfs.vfs.boundary import faults_as_errors
from minimaxfs.vfs.history import History
from minimaxfs.vfs.listings import Listings

KNOWN_LIMIT = 3.0
"""Seconds that a look at a directory which is known waits: three times what 10,000 names take."""

OFFLINE_LIMIT = 0.5
"""Seconds of the same while the store is out of reach: time to find out that it is back."""


@dataclass(slots=True, eq=False)
class _Asking:
    """A listing on its way; `is_late` once somebody has waited as long as is bearable."""

    ended: trio.Event = field(default_factory=trio.Event)
    error: FsError | None = None
    is_late: bool = False


class Refreshes:
    """Looks at directories. Listings run in the nursery that `start` is given."""

    def __init__(self, listings: Listings, history: History, is_offline: Callable[[], bool]) -> None:
        self._listings = listings
        self._history = history
        self._is_offline = is_offline
        self._asked: dict[str, _Asking] = {}
        self._nursery: trio.Nursery | None = None

    def start(self, nursery: trio.Nursery) -> None:
        """List in this nursery from now on."""
        self._nursery = nursery

    def fresh_for(self, directory: Directory) -> float:
        """As of `Listings`."""
        return self._listings.fresh_for(directory)

    def is_cold(self, directory: Directory) -> bool:
        """As of `Listings`."""
        return self._listings.is_cold(directory)

    async def refresh(self, directory: Directory) -> None:
        """Return when the directory shows a listing that is fresh enough, or what is known if that is late.

        Raises FsError where the purpose was never seen and cannot be listed now, or the store refuses.
        """
        if directory.purpose is None or self.fresh_for(directory) > 0.0:
            return
        asking = self._asked.get(directory.purpose.name) or self._ask(directory, directory.purpose.name)
        if not self._listings.is_known(directory.purpose):
            await asking.ended.wait()
        elif not asking.is_late:
            limit = OFFLINE_LIMIT if self._is_offline() else KNOWN_LIMIT
            with trio.move_on_after(limit) as waiting:
                await asking.ended.wait()
            asking.is_late = waiting.cancelled_caught
        if asking.error is not None:
            raise asking.error

    def _ask(self, directory: Directory, name: str) -> _Asking:
        assert self._nursery is not None
        asking = self._asked[name] = _Asking()
        self._nursery.start_soon(self._run, asking, directory, name)
        return asking

    async def _run(self, asking: _Asking, directory: Directory, name: str) -> None:
        """A task's boundary: what goes wrong is told to those who wait."""
        try:
            with faults_as_errors(f"listing of {name}"):
                await self._listings.refresh(directory)
        except FsError as error:
            asking.error = error
        finally:
            del self._asked[name]
            asking.ended.set()
        failed = asking.error or self._listings.failure(name)
        if failed is not None:
            self._history.note(name, "list", failed)
