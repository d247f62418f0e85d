"""`minimaxfs status`: how a drive is, once or as long as somebody watches."""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from minimaxfs import ask
from minimaxfs.complaint import CommandFailed, Complaint
from minimaxfs.overview import Report, report
from minimaxfs.progress import is_drawn_on
from minimaxfs.uploads import chosen_drives

EVERY = 1.0
"""Seconds between two looks of --watch: what a person can follow. A look costs the drive nothing."""

Statuses = Sequence[ask.Reply]


def show(mountpoint: Path | None, environ: Mapping[str, str], *, as_json: bool, watch: bool) -> None:
    """Write the status of one drive, or of all that answer (None), to stdout. Raises CommandFailed."""

    def look() -> Statuses:
        return [ask.asked(drive, {"command": "status"}) for drive in chosen_drives(mountpoint, environ)]

    if watch:
        try:
            _watch(look, as_json=as_json)
        except KeyboardInterrupt:  # it is how watching ends
            return
        except BrokenPipeError:  # nobody reads on; what is still to be written goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif as_json:
        sys.stdout.write(json.dumps([_told(one) for one in look()], indent=2) + "\n")
    else:
        _draw([_reported(one) for one in look()])


def _told(reply: ask.Reply) -> ask.Reply:
    """The answer without its envelope."""
    return {name: value for name, value in reply.items() if name != "ok"}


def _reported(reply: ask.Reply) -> Report:
    try:
        return report(reply)
    except ValueError:
        raise CommandFailed(Complaint("a drive is of another version", "Mount it again.")) from None


def _draw(reports: Sequence[Report]) -> None:
    if is_drawn_on(sys.stdout):
        from minimaxfs import bars

        bars.draw(reports, sys.stdout)
    else:
        sys.stdout.write("\n".join(map(str, reports)))


def _watch(look: Callable[[], Statuses], *, as_json: bool) -> None:
    """Show one look after another: in place on a terminal, else below each other, JSON one a line."""
    if is_drawn_on(sys.stdout) and not as_json:
        from minimaxfs import bars

        watch = bars.Watch(sys.stdout)
        with watch.opened():
            while True:
                watch.show([_reported(one) for one in look()])
                time.sleep(EVERY)
    while True:
        statuses = look()
        lines = (
            json.dumps([_told(one) for one in statuses])
            if as_json
            else "\n".join(map(str, map(_reported, statuses)))
        )
        sys.stdout.write(lines + "\n")
        sys.stdout.flush()
        time.sleep(EVERY)
