"""What is shown while a command waits, and how numbers are written."""

import os
import sys
import time
from typing import Protocol, TextIO

from minimaxfs.ask import Progress

EVERY = 5.0
"""Seconds between two lines where stderr is a file or a pipe; a terminal has one line that changes."""

_DUMB = ("", "dumb", "unknown")
"""Terminals on which no line changes."""


class Bar(Protocol):
    """A bar that changes on a terminal."""

    def show(self, words: str, done: int, size: int) -> None: ...

    def end(self) -> None: ...


class ProgressLine:
    """Progress on stderr: a bar on a terminal, else a line now and then."""

    def __init__(self, output: TextIO = sys.stderr) -> None:
        self._output = output
        self._is_drawn = is_drawn_on(output)
        self._bar: Bar | None = None
        self._next = 0.0

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        if progress.files == 0:
            return
        if self._is_drawn:
            self._draw(progress)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            self._output.write(sentence(progress) + "\n")
            self._output.flush()

    def _draw(self, progress: Progress) -> None:
        if self._bar is None:
            from minimaxfs import bars

            self._bar = bars.Bar(self._output)
        self._bar.show(count(progress.files, progress.what), progress.done, progress.size)

    def end(self) -> None:
        """Leave nothing of the bar."""
        if self._bar is not None:
            self._bar.end()
            self._bar = None


def is_drawn_on(output: TextIO) -> bool:
    """Whether lines can change there: files and pipes keep what they get."""
    return output.isatty() and os.environ.get("TERM", "") not in _DUMB


def sentence(progress: Progress) -> str:
    done = f"{percent(progress.done, progress.size)} of {size(progress.size)}"
    return f"{count(progress.files, progress.what)}: {done}"


def count(number: int, what: str) -> str:
    """Write so many of something whose plural ends in s."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def uploads(number: int) -> str:
    return count(number, "upload")


def percent(sent: int, whole: int) -> str:
    """Write a part of a whole, rounded down: what is not quite through is not 100 %."""
    return f"{min(100, sent * 100 // max(1, whole))} %"


def size(number: int) -> str:
    """Write bytes in decimal units, as the store's limits are: three digits are enough to compare."""
    if number < 1000:
        return f"{number} B"
    value, unit = number / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}"


def duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
