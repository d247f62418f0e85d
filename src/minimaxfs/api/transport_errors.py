"""Where httpx's errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from minimaxfs.core.errors import BrokenReply, FsError, Offline, TimedOut

_ERRORS: tuple[tuple[type[httpx.TransportError], type[FsError], str], ...] = (
    (httpx.ConnectTimeout, TimedOut, "no connection in time"),
    (httpx.ConnectError, Offline, "no connection"),
    (httpx.ProxyError, Offline, "no connection through the proxy"),
    (httpx.TimeoutException, TimedOut, "the other side went silent"),
    (httpx.NetworkError, BrokenReply, "the connection broke off"),
    (httpx.TransportError, BrokenReply, "the answer is not HTTP, or broke off"),
)
"""httpx's errors → ours; the first that fits."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise our error, about `what`, in place of httpx's."""
    try:
        yield
    except httpx.TransportError as error:
        kind, words = next((kind, words) for cause, kind, words in _ERRORS if isinstance(error, cause))
        raise kind(f"{what}: {words} ({str(error) or type(error).__name__})") from error
