"""One HTTP request and its answer: the room that drives httpx.

No key is known here, no redirect is followed, nothing is tried twice. Every wait has a limit.
"""

import logging
import os
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from urllib.request import getproxies

import certifi
import httpx
import trio

from minimaxfs import __version__
from minimaxfs.api.answer import Answer
from minimaxfs.api.exact_url import ExactUrl
from minimaxfs.api.line import Lines
from minimaxfs.api.standing import Standing
from minimaxfs.api.transport import PUBLIC_ONLY, LineTransport
from minimaxfs.api.transport_errors import translated
from minimaxfs.core.errors import FsError

log = logging.getLogger(__name__)

CONNECT_LIMIT = 10.0
"""Seconds for a connection with TLS: several round trips on the worst link, and no user waits longer."""

SILENCE_LIMIT = 20.0
"""Seconds without a byte after which an answer is given up."""

KEEP_ALIVE = 60.0
"""Seconds that an idle connection is kept (httpx: 5): a new one costs two round trips, three with TLS."""

CONNECTIONS = 100
"""At once, per exchange: above any number of ranges and calls in flight, far below a descriptor limit."""

_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "User-Agent": f"minimaxfs/{__version__}",
        "Accept": "*/*",
        # Else text comes gzipped and without a length.
        "Accept-Encoding": "identity",
    }
)

Pieces = Callable[[], AsyncGenerator[bytes, None]]
"""A request's body, from its first byte each time."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """A request as it leaves. `what` names it in messages, `on_sent` is told when its head is out.

    `write_limit` and `read_limit` are seconds without progress. A `body` needs a Content-Length header.
    With `public_only` a host whose address is not public is refused.
    """

    what: str
    method: str
    url: str
    on_sent: Callable[[], None]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Pieces | None = None
    write_limit: float = SILENCE_LIMIT
    read_limit: float = SILENCE_LIMIT
    public_only: bool = False


class Tls:
    """Whom TLS trusts: SSL_CERT_FILE and SSL_CERT_DIR, else the authorities that come with certifi."""

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context of this process's exchanges. It costs 150 ms, and an emulator needs none."""
        return httpx.create_ssl_context()

    def authorities(self) -> tuple[str, str]:
        """The file and the directory that they are in; "" for none. As httpx finds them."""
        file, directory = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
        return (file, "" if file else directory) if file or directory else (certifi.where(), "")


class Exchange:
    """A pool of connections. Close it with `aclose`. `direct` passes by the environment's proxies.

    What has no body goes over `lines`; the rest, and all through a proxy, by httpx's own transport. Whether
    anything came back is told to `standing`.
    """

    def __init__(self, tls: Tls, lines: Lines, standing: Standing, *, direct: bool) -> None:
        self._tls = tls
        self._standing = standing
        self._direct = direct
        self._clients: dict[str, httpx.AsyncClient] = {}
        is_free = direct or not getproxies()
        self._lean = LineTransport(lines) if is_free else None

    @asynccontextmanager
    async def send(self, outbound: Outbound) -> AsyncIterator[Answer]:
        """Send it, and hold its answer open for the length of the block."""
        request = _request(outbound)
        stream = _Outgoing(outbound)
        request.stream = stream
        try:
            with translated(outbound.what):
                response = await self._respond(request, has_body=outbound.body is not None)
        except FsError as error:
            self._standing.silent(error, time.time())
            raise
        finally:
            await stream.aclose()
        self._standing.answered()
        log.debug("%s: HTTP %d", outbound.what, response.status_code)
        answer = Answer(outbound.what, response)
        try:
            yield answer
        finally:
            if not answer.is_over:
                with trio.CancelScope(shield=True):
                    await answer.finish()

    async def prepare(self, origin: str | None = None) -> None:
        """Do what the first request would have to wait for; with an `origin`, connect to it."""
        if self._lean is not None:
            await self._lean.prepare(None if origin is None else httpx.URL(origin), CONNECT_LIMIT)

    async def _respond(self, request: httpx.Request, *, has_body: bool) -> httpx.Response:
        if self._lean is not None and not has_body:
            return await self._lean.handle_async_request(request)
        return await self._client(request.url.scheme).send(request, stream=True)

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()
        if self._lean is not None:
            await self._lean.aclose()

    def _client(self, scheme: str) -> httpx.AsyncClient:
        if scheme not in self._clients:
            # Plain HTTP gets a context that trusts nobody: quick to make, and safe to misuse.
            context = self._tls.context if scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._clients[scheme] = httpx.AsyncClient(
                verify=context,
                trust_env=not self._direct,
                limits=httpx.Limits(
                    max_connections=CONNECTIONS,
                    max_keepalive_connections=CONNECTIONS,
                    keepalive_expiry=KEEP_ALIVE,
                ),
            )
        return self._clients[scheme]


class _Outgoing(httpx.AsyncByteStream):
    """A request's body as httpx wants it. It is asked for, even where empty, once the head is out."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._pieces: AsyncGenerator[bytes, None] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._outbound.on_sent()
        if self._outbound.body is not None:
            self._pieces = self._outbound.body()
        return self

    async def __anext__(self) -> bytes:
        if self._pieces is None:
            raise StopAsyncIteration
        return await anext(self._pieces)

    async def aclose(self) -> None:
        if self._pieces is not None:
            with trio.CancelScope(shield=True):
                await self._pieces.aclose()


def _request(outbound: Outbound) -> httpx.Request:
    url = ExactUrl(outbound.url)
    timeout = httpx.Timeout(
        connect=CONNECT_LIMIT,
        pool=SILENCE_LIMIT,
        write=outbound.write_limit,
        read=outbound.read_limit,
    )
    request = httpx.Request(
        outbound.method,
        url,
        headers={**_HEADERS, **outbound.headers},
        extensions={"timeout": timeout.as_dict(), PUBLIC_ONLY: outbound.public_only},
    )
    # The constructor makes a plain copy, which would normalise the path.
    request.url = url
    return request
