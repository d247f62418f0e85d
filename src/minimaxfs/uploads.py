"""`minimaxfs uploads`, `retry` and `discard`: what is not in the store, and what a person does about it."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from minimaxfs import ask, mounts, progress, values
from minimaxfs.complaint import CommandFailed, Complaint, printable
from minimaxfs.unmount import refuse_others

COLUMNS = ("PATH", "STATE", "SIZE", "SENT", "TRIES", "NEXT TRY", "WHY")


@dataclass(frozen=True, slots=True)
class Row:
    """An upload of a drive, as `vfs.desk.UploadStatus` has it; `path` is the whole one."""

    path: str
    state: str
    size: int
    sent: int
    tries: int
    next_try_in: float | None
    why: str


def show(mountpoint: Path | None, environ: Mapping[str, str], *, as_json: bool) -> None:
    """Write the uploads of one drive, or of all that answer (None), to stdout. Raises CommandFailed."""
    found = [
        row
        for drive in chosen_drives(mountpoint, environ)
        for row in rows(drive.mountpoint, ask.asked(drive, {"command": "uploads"}))
    ]
    sys.stdout.write(written_as_json(found) if as_json else table(found))


def chosen_drives(mountpoint: Path | None, environ: Mapping[str, str]) -> list[ask.Drive]:
    """The drive that was named, or all that answer (None). Raises CommandFailed where there is none."""
    if mountpoint is not None:
        refuse_others(mountpoint, mounts.at(mountpoint, mounts.current()))
        return [ask.present_drive(str(mountpoint), environ)]
    drives = ask.drives(environ)
    if not drives:
        advice = "What waits to be stored goes on when its drive is mounted."
        raise CommandFailed(Complaint("no drive is mounted", advice))
    return drives


def rows(mountpoint: str, reply: ask.Reply) -> list[Row]:
    """Read the answer of a drive. Raises CommandFailed where it is none."""
    listed = reply.get("uploads")
    with suppress(ValueError):
        if isinstance(listed, list):
            return [_row(mountpoint, values.table(one)) for one in listed]
    raise CommandFailed(Complaint(f"the drive at {mountpoint} is of another version", "Mount it again."))


def _row(mountpoint: str, one: Mapping[str, object]) -> Row:
    next_try = one.get("next_try_in")
    return Row(
        path=f"{mountpoint}/{values.text(one.get('path'))}",
        state=values.text(one.get("state")),
        size=values.whole(one.get("size")),
        sent=values.whole(one.get("sent")),
        tries=values.whole(one.get("tries")),
        next_try_in=None if next_try is None else values.seconds(next_try),
        why=str(one.get("why", "")),
    )


def written_as_json(found: Iterable[Row]) -> str:
    """Write a list of objects, for programs: bytes and seconds."""
    return json.dumps([asdict(row) for row in found], indent=2) + "\n"


def table(found: Sequence[Row]) -> str:
    """Write columns for a person."""
    if not found:
        return "The store has everything.\n"
    lines = [COLUMNS, *map(_cells, found)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return "".join(_aligned(line, widths) for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        printable(row.path),
        row.state,
        progress.size(row.size),
        progress.percent(row.sent, row.size),
        str(row.tries),
        _when(row.next_try_in),
        printable(row.why),
    )


def _when(next_try_in: float | None) -> str:
    match next_try_in:
        case None:
            return "-"
        case 0:
            return "now"
        case seconds:
            return f"in {progress.duration(seconds)}"


def _aligned(cells: Iterable[str], widths: Iterable[int]) -> str:
    padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip() + "\n"


def _width(text: str) -> int:
    """Count the terminal's columns: wide and fullwidth characters take two, combining ones none."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def each(command: str, paths: Iterable[Path], environ: Mapping[str, str]) -> int:
    """Retry or discard each path, and return the exit status: 1 where one failed, which is said at once."""
    status = 0
    for path in paths:
        try:
            _one(command, path, environ)
        except CommandFailed as error:
            sys.stderr.write(str(error.complaint))
            status = error.complaint.status
    return status


def _one(command: str, path: Path, environ: Mapping[str, str]) -> None:
    mountpoint, below = entered(path)
    asked_with_progress(mountpoint, {"command": command, "path": below}, environ)


def entered(path: Path) -> tuple[str, str]:
    """The drive's mountpoint and what is below it. Raises CommandFailed where the path is in no drive."""
    found = mounts.entered(path, mounts.current())
    if found is None:
        advice = "`findmnt -t fuse.minimaxfs` shows the drives that are mounted."
        raise CommandFailed(Complaint(f"{path} is in no drive of minimaxfs", advice))
    return found


def asked_with_progress(mountpoint: str, request: ask.Reply, environ: Mapping[str, str]) -> ask.Reply:
    """The answer of the drive at the mountpoint, with progress on stderr until it comes."""
    line = progress.ProgressLine()
    drive = ask.present_drive(mountpoint, environ)
    try:
        return ask.asked(drive, request, line.show)
    finally:
        line.end()
