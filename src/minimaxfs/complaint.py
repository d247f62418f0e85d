"""What a command says when it cannot do its work: two lines on stderr, and an exit status."""

import os
from dataclasses import dataclass

from minimaxfs.core.errors import ConfigError, FsError


@dataclass(frozen=True, slots=True)
class Complaint:
    """`what` happened, `advice` on what to do, and the exit `status` of the command that says so."""

    what: str
    advice: str
    status: int = 1

    def __str__(self) -> str:
        """Two lines, whatever a path in them holds: what cannot be printed is escaped."""
        return f"minimaxfs: {printable(self.what)}\n{printable(self.advice)}\n"


class CommandFailed(Exception):
    """A command that gave up, for a reason that neither configuration nor the store can mend."""

    def __init__(self, complaint: Complaint) -> None:
        super().__init__(complaint.what)
        self.complaint = complaint


def complaint_of(error: Exception) -> Complaint | None:
    """Put `error` in a user's words; None where it is a bug, and only a traceback says it better."""
    match error:
        case CommandFailed():
            return error.complaint
        case ConfigError():
            return Complaint(str(error), error.advice, os.EX_CONFIG)
        case FsError():
            return Complaint(str(error), error.advice)
        case _:
            return None


def printable(text: str) -> str:
    """Escape what a terminal would obey rather than show."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
