"""What is shown of uploads while a command waits for them, and how numbers are written."""

import sys
import time
from typing import TextIO

from minimaxfs.ask import Progress

EVERY = 5.0
"""Seconds between two lines where stderr is a file or a pipe; a terminal has one line that changes."""

_ERASE = "\r\x1b[K"


class ProgressLine:
    """Progress on stderr."""

    def __init__(self, output: TextIO = sys.stderr) -> None:
        self._output = output
        self._is_terminal = output.isatty()
        self._next = 0.0

    def show(self, progress: Progress) -> None:
        """Show how far the uploads are; where no line changes, now and then."""
        if progress.uploads == 0 or time.monotonic() < self._next:
            return
        if self._is_terminal:
            self._output.write(_ERASE + sentence(progress))
        else:
            self._next = time.monotonic() + EVERY
            self._output.write(sentence(progress) + "\n")
        self._output.flush()

    def end(self) -> None:
        """Leave nothing on the terminal's line."""
        if self._is_terminal:
            self._output.write(_ERASE)
            self._output.flush()


def sentence(progress: Progress) -> str:
    return f"{uploads(progress.uploads)}: {percent(progress.sent, progress.size)} of {size(progress.size)}"


def uploads(number: int) -> str:
    return "1 upload" if number == 1 else f"{number} uploads"


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
    return f"{seconds / 60:.0f} min"
