"""What signals mean: SIGTERM and SIGINT end the drive, SIGHUP has it read its settings anew.

A drive on a terminal gets SIGHUP when the terminal goes, and then ends, too.
"""

import logging
import signal
from collections.abc import Awaitable, Callable

import trio

from minimaxfs.ending import Ending
from minimaxfs.report import Report

log = logging.getLogger(__name__)

_OBEYED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Obeys signals; `reload` is None where SIGHUP is to end the drive."""

    def __init__(self, ending: Ending, report: Report, reload: Callable[[], Awaitable[None]] | None) -> None:
        self._ending = ending
        self._report = report
        self._reload = reload

    async def obey(self, nursery: trio.Nursery) -> None:
        """Wait for signals; the end of the drive is the end of the nursery."""
        with trio.open_signal_receiver(*_OBEYED) as signals:
            async for number in signals:
                if number != signal.SIGHUP or self._reload is None:
                    self._end(signal.Signals(number).name, nursery)
                elif not self._ending.has_begun:
                    nursery.start_soon(self._reload)

    def _end(self, name: str, nursery: trio.Nursery) -> None:
        if self._ending.has_begun:
            log.info("%s again: unmounting at once", name)
            nursery.cancel_scope.cancel()
        else:
            log.info("%s: unmounting, after at most %.0f s for uploads", name, self._ending.seconds)
            nursery.start_soon(self._finish, nursery.cancel_scope)

    async def _finish(self, scope: trio.CancelScope) -> None:
        """End the drive while it still answers, so that a program that copies in sees how its upload ends."""
        self._ending.has_begun = True
        self._report.tell()
        await self._ending.finish()
        for upload in self._ending.left():
            log.info("%s: %s, and kept for the next mount", upload.path, upload.state)
        scope.cancel()
