"""Links to bytes: where an answer redirects to, whether that is allowed, and which scheme to try first."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

import trio

from minimaxfs.api.endpoint import is_loopback
from minimaxfs.core.errors import BrokenReply
from minimaxfs.core.signed_url import redacted

REDIRECTS = 3
"""A store's own hop to a CDN is one; a loop is endless."""


def redirection(status: int, headers: Mapping[str, str], base: str) -> str | None:
    """Where an answer sends us; None if it does not. A link with a whole path is taken byte for byte."""
    link = headers.get("location")
    if status not in (301, 302, 303, 307, 308) or link is None:
        return None
    if link.lower().startswith(("http://", "https://")):
        return link
    if link.startswith("/") and not link.startswith("//"):
        return urljoin(base, "/").removesuffix("/") + link
    return urljoin(base, link)


def secured(url: str) -> str | None:
    """The https link that likely leads to the same bytes as an http one; None where there is none.

    The store gives out http links to hosts that speak https too (seen). One with a port of its own is left.
    """
    if url.startswith("https://"):
        return None
    scheme, mark, rest = url.partition("://")
    if scheme.lower() != "http" or not mark:
        return None
    try:
        port = urlsplit(url).port
    except ValueError:
        return None
    if port not in (None, 80):
        return None
    end = min(at for sign in "/?#" if (at := f"{rest}{sign}".find(sign)) >= 0)
    authority = rest[:end].removesuffix(":") if port is None else rest[:end].rpartition(":")[0]
    return f"https://{authority}{rest[end:]}"


def host_of(url: str) -> str:
    """The host that a link leads to, as it says; nothing where it is no link."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


async def refuse_inward(url: str) -> None:
    """Raise BrokenReply for a link whose host is, or resolves to, an address that is not public."""
    host = host_of(url)
    try:
        found = await trio.socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        # The request itself will say so; or a proxy knows the name.
        found = []
    if is_loopback(host) or not all(ip_address(row[4][0]).is_global for row in found):
        raise BrokenReply(f"download of {redacted(url)}: a redirect to an address that is not public")
