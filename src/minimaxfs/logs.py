"""The log on stderr: a line for an event, in the form that its reader wants, and no secret in any of them.

=======  =====================================================================================
form     a line of it
=======  =====================================================================================
text     ``2026-11-25 14:03:07,512 WARNING minimaxfs.fuse.operations: read a.wav: EIO: …``
json     ``{"time": "…", "level": "warning", "logger": "…", "message": "…", "path": "a.wav", …}``
=======  =====================================================================================

Where stderr is the journal, each line begins with its priority, as sd-daemon(3) has it, and a text has no
time, which the journal has by itself. A record brings fields of its own as `extra={"fields": {…}}`.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import datetime

from minimaxfs.complaint import printable

TEXT = "text"
JSON = "json"

_PRIORITIES: Mapping[int, int] = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
"""Level of a record → priority of syslog."""

_SECRET = re.compile(
    r"(?i)((?:signature|credential|security-token|accesskeyid)=|\bbearer )[^\s&\"']+",
)
"""What a signed URL or a request's header shows of a secret. Nothing here logs either: an exception of
somebody else's code may."""

_STDERR = 2


def start(level: str, form: str, environ: Mapping[str, str]) -> None:
    """Log to stderr from now on; a second call changes level and form.

    The HTTP client's own log would show signed URLs and the key: only its warnings pass.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(form, for_journal=is_journal(environ)))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for client in ("httpx", "httpcore"):
        logging.getLogger(client).setLevel(logging.WARNING)


def is_journal(environ: Mapping[str, str]) -> bool:
    """Whether stderr still is what systemd connected to the journal: `JOURNAL_STREAM` names it."""
    try:
        status = os.fstat(_STDERR)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def complain(text: str, environ: Mapping[str, str]) -> None:
    """Write the lines that end a failed command."""
    if is_journal(environ):
        text = with_priority(text.rstrip("\n"), logging.ERROR) + "\n"
    sys.stderr.write(text)


def with_priority(lines: str, level: int) -> str:
    """Begin each line with the priority of a level."""
    return "\n".join(f"<{_PRIORITIES.get(level, 6)}>{line}" for line in lines.split("\n"))


def scrubbed(text: str) -> str:
    """Take out what looks like a signature or a key."""
    return _SECRET.sub(r"\1(hidden)", text)


class Lines(logging.Formatter):
    """Records as lines. A message is one, whatever a name in it holds; only a traceback has more."""

    def __init__(self, form: str, *, for_journal: bool) -> None:
        super().__init__()
        self._write = _as_json if form == JSON else _as_text
        self._for_journal = for_journal

    def format(self, record: logging.LogRecord) -> str:
        message = scrubbed(record.getMessage())
        traceback = scrubbed(self.formatException(record.exc_info)) if record.exc_info else ""
        lines = self._write(record, message, traceback, self._time(record))
        return with_priority(lines, record.levelno) if self._for_journal else lines

    def _time(self, record: logging.LogRecord) -> str:
        return "" if self._for_journal else self.formatTime(record)


def _as_text(record: logging.LogRecord, message: str, traceback: str, time: str) -> str:
    head = f"{time} {record.levelname} {record.name}" if time else record.name
    line = f"{head}: {printable(message)}"
    return f"{line}\n{traceback}" if traceback else line


def _as_json(record: logging.LogRecord, message: str, traceback: str, _time: str) -> str:
    fields: object = getattr(record, "fields", {})
    line: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": message,
        **(fields if isinstance(fields, dict) else {}),
    }
    if traceback:
        line["exception"] = traceback
    return json.dumps(line, default=str)
