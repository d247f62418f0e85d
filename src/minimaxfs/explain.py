"""`minimaxfs explain`: the last failure on a path, in sentences that a person can act on."""

import errno
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from minimaxfs import ask, progress, values
from minimaxfs.complaint import CommandFailed, Complaint, printable
from minimaxfs.uploads import asked_with_progress, entered


def explain(paths: Iterable[Path], environ: Mapping[str, str]) -> int:
    """Write what failed last on each path to stdout; gives the exit status: 1 where a drive cannot say."""
    status = 0
    for path in paths:
        try:
            mountpoint, below = entered(path)
            reply = asked_with_progress(mountpoint, {"command": "explain", "path": below}, environ)
            sys.stdout.write(f"{printable(str(path))}: {sentences(reply)}\n")
        except CommandFailed as error:
            sys.stderr.write(str(error.complaint))
            status = error.complaint.status
    return status


def sentences(reply: ask.Reply) -> str:
    """Put a drive's answer in words. Raises CommandFailed where it is none."""
    try:
        told = reply.get("failure")
        state, why = values.name(reply.get("state")), values.name(reply.get("why"))
        if told is None:
            return _without(state, why)
        return f"{_failure(values.table(told))}{_now(state)}"
    except ValueError:
        raise CommandFailed(Complaint("the drive is of another version", "Mount it again.")) from None


def _without(state: str, why: str) -> str:
    """Nothing failed in this mount; in an earlier one something may have."""
    if why:
        return f"not stored ({state}): {printable(why)}"
    return f"nothing has failed there since the drive was mounted.{_now(state)}"


def _failure(failure: Mapping[str, object]) -> str:
    number = values.whole(failure.get("errno"))
    name = f"{errno.errorcode.get(number, str(number))} ({os.strerror(number)})"
    when = progress.duration(values.seconds(failure.get("ago")))
    trace_id = failure.get("trace_id")
    trace = f", trace id {printable(values.text(trace_id))}" if trace_id else ""
    return (
        f"{values.text(failure.get('operation'))} failed {when} ago with {name},"
        f" because {printable(values.text(failure.get('error')))}{trace}."
        f" It means that {values.text(failure.get('means'))}."
        f" What to do: {printable(values.text(failure.get('advice')))}"
    )


def _now(state: str) -> str:
    match state:
        case "":
            return ""
        case "stored":
            return " The store has a file of this name now."
        case _:
            return f" The bytes are kept here ({state}): `minimaxfs uploads` shows them."
