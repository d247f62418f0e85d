"""Going to the background: the command returns when the drive answers, or says why it does not.

The fork comes before any thread and any event loop, since neither survives one. A pipe leads from the
child to the parent: one JSON line on it is the child's whole report, `null` for "the drive answers" or
a complaint's fields; its end without a line means that the child died without a word.

The child stays in the command's session until then: an automount lets nobody else past while it waits for
its mount.
"""

import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from minimaxfs.complaint import CommandFailed, Complaint, complaint_of
from minimaxfs.core.errors import ConfigError

READY_LIMIT = 30.0
"""Seconds until the drive must answer: mounting sends no request, so a second is usual."""

STOP_LIMIT = 5.0
"""Seconds that a child which came too late has for ending by itself; SIGTERM ends a drive within 2."""

LOG_LIMIT = 10_000_000
"""Bytes of a log that the next start still appends to; a longer one is put aside, and one is kept."""

Body = Callable[[Callable[[], None]], None]
"""What runs in the background: called with `on_ready`, which it calls when the drive answers."""


def start(body: Body, log: Path, limit: float = READY_LIMIT) -> None:
    """Run `body` in a child, and return in the parent once it is ready; it has a session of its own then.

    The child's standard error goes to `log`; it ends with the process, and never returns here.
    Raises `CommandFailed` with the child's complaint, or one about its silence.
    """
    output = open_log(log)
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _leave_terminal(output)
        _run(body, writing, log)
    os.close(writing)
    os.close(output)
    try:
        _await_report(child, reading, log, limit)
    except BaseException:
        _stop(child)
        raise
    finally:
        os.close(reading)


def open_log(log: Path) -> int:
    """Open `log` for appending, only the user may read it; one over the limit becomes `NAME.1`."""
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if log.stat().st_size > LOG_LIMIT:
                log.replace(log.with_name(log.name + ".1"))
        return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        advice = "Make its directory writable, or choose another place with XDG_STATE_HOME."
        raise ConfigError(f"the log {log} cannot be written: {error.strerror}", advice) from None


def _leave_terminal(output: int) -> None:
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)


def _run(body: Body, writing: int, log: Path) -> NoReturn:
    """Be the child: run `body`, report once, and end with the process.

    What is wrong is in the log before it is reported: who hears of it may end the child, or read the log.
    """
    report = os.fdopen(writing, "w")

    def tell(complaint: Complaint | None) -> None:
        if not report.closed:
            with suppress(BrokenPipeError), report:
                json.dump(complaint and asdict(complaint), report)

    def is_ready() -> None:
        os.setsid()
        tell(None)

    try:
        body(is_ready)
    except Exception as error:
        complaint = complaint_of(error)
        if complaint is None:
            traceback.print_exc()
            tell(Complaint(f"the drive failed: {error!r}", f"The log says more: {log}"))
            raise SystemExit(1) from error
        sys.stderr.write(str(complaint))
        tell(complaint)
        raise SystemExit(complaint.status) from None
    tell(Complaint("the drive ended before it answered", f"The log says more: {log}"))
    raise SystemExit(0)


def _await_report(child: int, reading: int, log: Path, limit: float) -> None:
    """Return when the child says that the drive answers; raise `CommandFailed` otherwise."""
    report = _read_all(reading, time.monotonic() + limit)
    if report is None:
        advice = f"The log says more: {log}"
        raise CommandFailed(Complaint(f"the drive did not answer within {limit:.0f} seconds", advice))
    if not report:
        _, status = os.waitpid(child, 0)
        ending = os.waitstatus_to_exitcode(status)
        what = f"the drive's process ended without a word (status {ending})"
        raise CommandFailed(Complaint(what, f"The log says more: {log}"))
    complaint = json.loads(report)
    if complaint is not None:
        raise CommandFailed(Complaint(**complaint))


def _read_all(descriptor: int, deadline: float) -> bytes | None:
    """Read to the end of the pipe; None where it has not come by the deadline (monotonic seconds)."""
    received = b""
    while True:
        left = max(0.0, deadline - time.monotonic())
        if not select.select([descriptor], [], [], left)[0]:
            return None
        piece = os.read(descriptor, 65536)
        if not piece:
            return received
        received += piece


def _stop(child: int) -> None:
    """End a child that is no longer wanted: a drive must not appear after its command has failed."""
    deadline = time.monotonic() + STOP_LIMIT
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(child, signal.SIGTERM)
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.02)
