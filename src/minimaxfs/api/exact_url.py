"""A URL whose path and query go out byte for byte as they came.

httpx resolves dot segments and re-encodes what it finds unusual. A signed URL's signature covers its
path, so a store may refuse the result. Only what no HTTP request can hold (spaces, control
characters, what is not ASCII) is percent-encoded here.
"""

import string
from functools import lru_cache
from urllib.parse import quote, urlsplit

import httpx

from minimaxfs.core.errors import BrokenReply
from minimaxfs.core.signed_url import redacted

_KEPT = string.punctuation


class ExactUrl(httpx.URL):
    """An absolute http or https URL. Raises BrokenReply for anything else.

    As text it is the origin alone, so that httpx's own log lines hold no signature.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = parts.netloc.rpartition("@")[2]
            super().__init__(_origin(parts.scheme, host))
        except (ValueError, httpx.InvalidURL):
            # The cause's text would quote the URL.
            raise BrokenReply(f"{redacted(url)} is no URL") from None
        if self.scheme not in ("http", "https") or not self.host:
            raise BrokenReply(f"{redacted(url)} is no http or https URL")
        self._target = _target(url)

    @property
    def raw_path(self) -> bytes:
        return self._target

    def __repr__(self) -> str:
        return f"ExactUrl({str(self)!r})"


@lru_cache(maxsize=256)
def _origin(scheme: str, host: str) -> httpx.URL:
    """The origin's URL, which is the same for each file of a storage: parsing it takes 6 µs."""
    return httpx.URL(f"{scheme}://{host}/")


def _target(url: str) -> bytes:
    """All from the path on, fragment aside."""
    rest = url.partition("#")[0].partition("://")[2]
    start = min(at for mark in "/?" if (at := f"{rest}{mark}".find(mark)) >= 0)
    target = quote(rest[start:], safe=_KEPT)
    return (target if target.startswith("/") else f"/{target}").encode("ascii")
