"""What is asked of the API and what it answers, as values: no host, no key, no client. Pure.

The requests are those of the files API as documented; what is said here of the live service was seen.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from minimaxfs.api.endpoint import Operation


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `subject` is the object of the sentence in messages, `json` a body that is POSTed."""

    operation: Operation
    subject: str
    query: Mapping[str, str] = field(default_factory=dict)
    json: bytes | None = None

    def __str__(self) -> str:
        return f"{self.operation.value} of {self.subject}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer in full. The names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> float | None:
        """Seconds that the store asks to wait; a date is measured against the answer's own `Date`."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10:
            return float(text)
        try:
            until = parsedate_to_datetime(text)
            return max(0.0, (until - parsedate_to_datetime(self.headers.get("date", ""))).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None


def ask_list(purpose: str) -> Ask:
    return Ask(Operation.list_files, purpose or "all purposes", {"purpose": purpose} if purpose else {})


def ask_retrieve(file_id: int) -> Ask:
    return Ask(Operation.retrieve, f"file {file_id}", {"file_id": str(file_id)})


def ask_content(file_id: int) -> Ask:
    return Ask(Operation.retrieve_content, f"file {file_id}", {"file_id": str(file_id)})


def ask_delete(file_id: int, purpose: str) -> Ask:
    """The id goes as a JSON integer: the live service refuses a string with 2013."""
    fields = {"file_id": file_id, "purpose": purpose} if purpose else {"file_id": file_id}
    return Ask(Operation.delete, f"file {file_id}", json=json.dumps(fields).encode())


def ask_upload(purpose: str, filename: str) -> Ask:
    return Ask(Operation.upload, f"{filename!r} to {purpose}")
