"""What `minimaxfs doctor` looks at of the store: its name, its certificate, its clock, and the key.

Nothing here sends the key but `key`, and that to the store's own origin: redirects are not followed.
"""

import http.client
import os
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

import certifi

from minimaxfs import __version__
from minimaxfs.api import asks, wire
from minimaxfs.api.asks import Reply
from minimaxfs.api.endpoint import Endpoint, Operation
from minimaxfs.core.errors import FsError
from minimaxfs.findings import Finding, fix, note

LIMIT = 10.0
"""Seconds for each step towards an answer."""

CLOCK_LIMIT = 60.0
"""Seconds that this machine's clock may be off: signed URLs live for an hour and more."""

PURPOSE = "voice_clone"
"""What the key is tried with: a purpose that every account can list."""

Confirm = Callable[[str], bool]
"""Asks a person whether to go on."""


@dataclass(frozen=True, slots=True)
class Met:
    """What came of meeting the host without a key: an answer's head, or why there is none."""

    headers: Mapping[str, str] | None = None
    error: str = ""
    is_about_trust: bool = False


def store(endpoint: Endpoint, key: str, confirm: Confirm) -> list[Finding]:
    """Look at all of it, one after the other, as long as it makes sense."""
    address = urlsplit(endpoint.origin)
    named = name(address)
    if named.advice:
        return [named]
    met = meet(address)
    found = [named, trust(address, met)]
    if met.headers is None:
        return found
    return [*found, clock(met.headers, time.time()), key_check(endpoint, key, confirm)]


def name(address: SplitResult, limit: float = LIMIT) -> Finding:
    """Look whether the host's name has an address; a proxy looks that up itself."""
    host = address.hostname or ""
    if _proxy(address) is not None:
        return Finding("DNS", f"{host} is looked up by the proxy")
    found: list[str] = []
    errors: list[str] = []

    def look() -> None:
        try:
            found.extend(str(row[4][0]) for row in socket.getaddrinfo(host, address.port or 443))
        except OSError as error:
            errors.append(error.strerror or str(error))

    looking = threading.Thread(target=look, daemon=True)  # a resolver cannot be interrupted
    looking.start()
    looking.join(limit)
    if found:
        return Finding("DNS", f"{host} is {found[0]}")
    why = errors[0] if errors else f"no answer within {limit:.0f} s"
    return fix(
        "DNS", f"{host} has no address: {why}", "Check the network, /etc/resolv.conf, and the API host."
    )


def meet(address: SplitResult) -> Met:
    """Ask the host for its front page: free, and without a key."""
    try:
        reply = _asked(address, "/", {})
    except ssl.SSLError as error:
        return Met(error=error.reason or str(error), is_about_trust=True)
    except (OSError, http.client.HTTPException) as error:
        return Met(error=str(error) or type(error).__name__)
    return Met(headers=reply.headers)


def trust(address: SplitResult, met: Met) -> Finding:
    """Look whether the host is reached, and is who it says it is."""
    if met.is_about_trust:
        advice = "Check the clock, and whether a proxy in between replaces certificates (SSL_CERT_FILE)."
        return fix("TLS", f"the certificate of {address.hostname} is not trusted: {met.error}", advice)
    if met.headers is None:
        advice = "Check the network, a firewall, and the API host."
        return fix("TLS", f"{address.netloc} cannot be reached: {met.error}", advice)
    if address.scheme == "http":
        return Finding("TLS", "is not needed: the store is on this machine")
    return Finding("TLS", f"the certificate of {address.hostname} is trusted")


def clock(headers: Mapping[str, str], now: float) -> Finding:
    """Compare this machine's clock (Unix seconds) with the host's."""
    try:
        off = now - parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        return note("clock", "the host does not tell its time", "Compare yours with another: `date -u`.")
    if abs(off) > CLOCK_LIMIT:
        way = "ahead" if off > 0 else "behind"
        advice = "Set it, since signed URLs end by it: `sudo timedatectl set-ntp true`."
        return fix("clock", f"is {abs(off):.0f} s {way} of the host's", advice)
    return Finding("clock", "agrees with the host's")


def key_check(endpoint: Endpoint, key: str, confirm: Confirm) -> Finding:
    """Try the key with one listing, if that is wanted: some hosts take money for a request."""
    price = endpoint.price(Operation.list_files)
    cost = f"costs ${price}" if price else "may cost what the host takes for one"
    if not confirm(f"The key is tried by one request to {endpoint.origin}, which {cost}. Send it?"):
        return note("key", "was not tried", "`minimaxfs doctor --yes` tries it, by one request.")
    ask = asks.ask_list(PURPOSE)
    target = endpoint.url(ask.operation, ask.query).removeprefix(endpoint.origin)
    origin = urlsplit(endpoint.origin)
    try:
        reply = _asked(origin, origin.path + target, {"Authorization": f"Bearer {key}"})
        told = replace(reply, body=reply.body.replace(key.encode(), b"(key)"))
        wire.parse_listing(ask, told, PURPOSE)
    except FsError as error:
        return fix("key", str(error), error.advice)
    except (OSError, http.client.HTTPException) as error:
        return fix("key", f"no answer came: {error!r}", "Check the network.")
    return Finding("key", f"is accepted by {endpoint.origin}")


def _asked(address: SplitResult, target: str, headers: Mapping[str, str]) -> Reply:
    """One GET, by the environment's proxy where there is one."""
    connection = _connection(address)
    try:
        connection.request("GET", target, headers={"User-Agent": f"minimaxfs/{__version__}", **headers})
        answer = connection.getresponse()
        body = answer.read(wire.REPLY_LIMIT)
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)
    finally:
        connection.close()


def _connection(address: SplitResult) -> http.client.HTTPConnection:
    host, port = address.hostname or "", address.port
    proxy = _proxy(address)
    if address.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=LIMIT)
    context = _context(os.environ)
    if proxy is None:
        return http.client.HTTPSConnection(host, port, timeout=LIMIT, context=context)
    connection = http.client.HTTPSConnection(proxy.hostname or "", proxy.port, timeout=LIMIT, context=context)
    connection.set_tunnel(host, port)
    return connection


def _context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Trust whom the drive trusts."""
    directory = environ.get("SSL_CERT_DIR")
    file = environ.get("SSL_CERT_FILE") or (None if directory else certifi.where())
    return ssl.create_default_context(cafile=file, capath=None if file else directory)


def _proxy(address: SplitResult) -> SplitResult | None:
    found = urllib.request.getproxies().get(address.scheme)
    is_direct = address.scheme == "http" or urllib.request.proxy_bypass(address.hostname or "")
    return None if found is None or is_direct else urlsplit(found)
