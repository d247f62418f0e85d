"""Signed URLs: until when one works, when to ask for the next, and how to name one without its secret.

A download URL of the store carries its own end in the query, in one of three dialects (documented for
Alibaba OSS and S3; `Expires=` was seen live):

- `Expires=1790167441`: Unix seconds.
- `x-oss-date=20261122T101500Z` and `x-oss-expires=3600`: a start and a life in seconds.
- `X-Amz-Date` and `X-Amz-Expires`: the same, by another name.

Names are matched without regard to case. The query is a secret: whoever has it can read the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from urllib.parse import parse_qsl, urlsplit

DEFAULT_LIFE = 3600.0
"""Seconds that a URL is taken to work when it does not say: the shortest life that is documented."""

SHORTEST_LIFE = 60.0
"""Seconds that a fresh URL is tried for whatever it says. One that seems to have ended when it comes is
the sign of a wrong local clock; believing it would cost a paid retrieve for each read. A 403 settles it."""

RENEW_AFTER = 0.8
"""The share of its life after which a URL is renewed, so that no reader meets its end."""

_MOST_DIGITS = 11
"""Of a time or a life in seconds: the year 5138. More is garbage, or milliseconds."""


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A URL and its life, in Unix seconds."""

    url: str = field(repr=False)
    obtained_at: float
    ends_at: float

    @classmethod
    def obtained(cls, url: str, now: float) -> Self:
        """Make one of what a retrieve answered at `now`."""
        told = ends_at(url)
        end = now + DEFAULT_LIFE if told is None else told
        return cls(url, now, max(end, now + SHORTEST_LIFE))

    @property
    def renew_at(self) -> float:
        """The time from which a new one should be asked for."""
        return self.obtained_at + RENEW_AFTER * (self.ends_at - self.obtained_at)

    def __str__(self) -> str:
        return redacted(self.url)


def ends_at(url: str) -> float | None:
    """When `url` stops working, in Unix seconds; None where it does not say, or not in a way we know."""
    try:
        query = urlsplit(url).query
    except ValueError:
        return None
    fields: dict[str, str] = {}
    for name, value in parse_qsl(query):
        fields.setdefault(name.lower(), value)
    absolute = _seconds(fields.get("expires"))
    if absolute is not None:
        return absolute
    return _dated(fields, "x-oss") or _dated(fields, "x-amz")


def redacted(url: str) -> str:
    """`url` as it may be shown: without its query, fragment and credentials."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"


def _dated(fields: Mapping[str, str], dialect: str) -> float | None:
    start = _stamp(fields.get(f"{dialect}-date"))
    life = _seconds(fields.get(f"{dialect}-expires"))
    return None if start is None or life is None else start + life


def _seconds(text: str | None) -> float | None:
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        return None
    return float(text)


def _stamp(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
