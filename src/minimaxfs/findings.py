"""What `minimaxfs doctor` finds: a line for each thing that it looked at."""

from dataclasses import dataclass
from enum import StrEnum

from minimaxfs.complaint import printable


class Level(StrEnum):
    """`NOTE` is for what only some need, and for what was not looked at."""

    OK = "ok"
    NOTE = "note"
    FIX = "fix"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do about it, where there is something to do."""

    subject: str
    what: str
    level: Level = Level.OK
    advice: str = ""

    def __str__(self) -> str:
        """One line."""
        advice = f". {self.advice}" if self.advice else ""
        return printable(f"{self.level:<5} {self.subject}: {self.what}{advice}") + "\n"


def note(subject: str, what: str, advice: str) -> Finding:
    return Finding(subject, what, Level.NOTE, advice)


def fix(subject: str, what: str, advice: str) -> Finding:
    return Finding(subject, what, Level.FIX, advice)
