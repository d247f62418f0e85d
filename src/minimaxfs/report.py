"""How a drive is, told to systemd while it runs: ready, its status in a sentence, alive, stopping.

The sign of life comes from the event loop and not through the mount: a hundred reads that wait for a hung
network would keep that one waiting too, and have a healthy daemon killed.
"""

import math
from datetime import datetime
from pathlib import Path

import trio

from minimaxfs import progress
from minimaxfs.api.standing import Standing
from minimaxfs.complaint import printable
from minimaxfs.core.journal import State
from minimaxfs.ending import Ending
from minimaxfs.systemd import Supervisor

EVERY = 1.0
"""Seconds between two looks at what has changed: as often as a person looks at a status."""

MORE_TIME = 10.0
"""Seconds that a stopping drive asks for, again and again while uploads run: what is left to do after the
last time (unmounting, keeping what was read) takes two."""


class Report:
    """What a supervisor hears of one drive, once that answers."""

    def __init__(self, supervisor: Supervisor, mountpoint: Path, ending: Ending, standing: Standing) -> None:
        self._supervisor = supervisor
        self._mountpoint = mountpoint
        self._ending = ending
        self._standing = standing
        self._told = ""
        self._trouble = ""

    async def serve(self) -> None:
        """Say that the drive is ready, and from then on how it is, until cancelled."""
        if not self._supervisor.address:
            return
        self.tell()
        alive_every = (self._supervisor.watchdog or math.inf) / 2
        alive_at = told_at = trio.current_time()
        while True:
            await trio.sleep(min(alive_every, EVERY))
            now = trio.current_time()
            if now >= alive_at + alive_every:
                alive_at = now
                self._supervisor.notify(WATCHDOG=1)
            if now >= told_at + EVERY:
                told_at = now
                self.tell()

    def reloading(self) -> None:
        """The settings are being read; `reloaded` comes next."""
        self._supervisor.reloading()

    def reloaded(self, trouble: str) -> None:
        """The settings were taken over, or not, for the reason given."""
        self._trouble = trouble
        self._told = ""
        self.tell()

    def tell(self) -> None:
        """Say how the drive is where that has changed, and ask for time as long as it stops."""
        status = self.sentence()
        if self._ending.has_begun:
            more = int(MORE_TIME * 1e6)
            self._supervisor.notify(STOPPING=1, EXTEND_TIMEOUT_USEC=more, STATUS=status)
        elif status != self._told and self._supervisor.notify(READY=1, STATUS=status):
            self._told = status

    def sentence(self) -> str:
        """Put the drive's state in words."""
        pending = self._ending.pending()
        failed = [one for one in self._ending.left() if one.state == State.FAILED]
        said = [f"{'stopping' if self._ending.has_begun else 'mounted at'} {self._mountpoint}"]
        if pending:
            sent, size = sum(one.sent for one in pending), sum(one.size for one in pending)
            said.append(f"{progress.uploads(len(pending))} waiting ({progress.percent(sent, size)})")
        if failed:
            said.append(f"{progress.uploads(len(failed))} failed")
        if self._standing.offline_since is not None:
            since = datetime.fromtimestamp(self._standing.offline_since).astimezone()
            said.append(f"offline since {since:%Y-%m-%d %H:%M}")
        if self._standing.refuses_key:
            said.append("the store refuses the key")
        if self._trouble:
            said.append(self._trouble)
        return printable("; ".join(said))
