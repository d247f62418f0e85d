"""Bars on a terminal, drawn by rich: imported when there is something to draw, since it is slow to import."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from minimaxfs.overview import Report, Row

WIDTH = 24
"""Columns of a bar in a report: a path, a bar and a number fit side by side on 80."""


class Bar:
    """One bar that changes, and of which nothing is left at its end."""

    def __init__(self, output: TextIO) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(file=output),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("")
        self._progress.start()

    def show(self, words: str, done: int, size: int) -> None:
        """Bytes that are through, of all."""
        self._progress.update(self._task, description=words, completed=done, total=max(1, size))

    def end(self) -> None:
        self._progress.stop()


class Watch:
    """Reports, each in the place of the one before it, while the context lasts."""

    def __init__(self, output: TextIO) -> None:
        self._live = Live(console=Console(file=output), auto_refresh=False)

    def opened(self) -> AbstractContextManager[Live]:
        """The context; it gives the terminal back as it was."""
        return self._live

    def show(self, reports: Iterable[Report]) -> None:
        self._live.update(Group(*map(_drawn, reports)), refresh=True)


def draw(reports: Iterable[Report], output: TextIO) -> None:
    """Draw reports once."""
    console = Console(file=output)
    for report in reports:
        console.print(_drawn(report))


def _drawn(report: Report) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for row in report.rows:
        table.add_row(Text(row.label), _cell(row))
    return Group(Text(report.title, style="bold"), Padding(table, (0, 0, 1, 2)))


def _cell(row: Row) -> RenderableType:
    if not row.size:
        return Text(row.text)
    line = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=row.size, completed=min(row.done, row.size), width=WIDTH)
    line.add_row(bar, Text(row.percent), Text(row.text))
    return line
