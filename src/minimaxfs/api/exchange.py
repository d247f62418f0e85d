"""One HTTP request and its answer: the room that drives httpx, and where httpx's errors become ours.

No key is known here, no redirect is followed, nothing is tried twice. Every wait has a limit.
"""

import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import httpx
import trio

from minimaxfs import __version__
from minimaxfs.api.exact_url import ExactUrl
from minimaxfs.api.standing import Standing
from minimaxfs.core.errors import BrokenReply, FsError, Offline, TimedOut

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

_ERRORS: tuple[tuple[type[httpx.TransportError], type[FsError], str], ...] = (
    (httpx.ConnectTimeout, TimedOut, "no connection in time"),
    (httpx.ConnectError, Offline, "no connection"),
    (httpx.ProxyError, Offline, "no connection through the proxy"),
    (httpx.TimeoutException, TimedOut, "the other side went silent"),
    (httpx.NetworkError, BrokenReply, "the connection broke off"),
    (httpx.TransportError, BrokenReply, "the answer is not HTTP, or broke off"),
)
"""httpx's errors → ours; the first that fits."""

Pieces = Callable[[], AsyncGenerator[bytes, None]]
"""A request's body, from its first byte each time."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """A request as it leaves. `what` names it in messages, `on_sent` is told when its head is out.

    `write_limit` and `read_limit` are seconds without progress. A `body` needs a Content-Length header.
    """

    what: str
    method: str
    url: str
    on_sent: Callable[[], None]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Pieces | None = None
    write_limit: float = SILENCE_LIMIT
    read_limit: float = SILENCE_LIMIT


class Tls:
    """The TLS context of all exchanges, made when first used: it costs 150 ms, and an emulator needs none."""

    @cached_property
    def context(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()


class Answer:
    """An answer whose head is here; `chunk` gives its body piece by piece."""

    def __init__(self, what: str, response: httpx.Response) -> None:
        self.what = what
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        self._response = response
        self._chunks = response.aiter_raw()
        self._ended = False

    async def chunk(self) -> bytes | None:
        """The next bytes, as they came; None at the end. Raises BrokenReply and TimedOut."""
        with _translated(self.what):
            chunk = await anext(self._chunks, None)
        self._ended = chunk is None
        return chunk

    async def read(self, limit: int) -> bytes:
        """The rest of the body. Raises BrokenReply where it is longer than `limit` bytes."""
        body = bytearray()
        while (chunk := await self.chunk()) is not None:
            body += chunk
            if len(body) > limit:
                raise BrokenReply(f"{self.what}: the answer is longer than {limit} bytes")
        return bytes(body)

    async def finish(self) -> None:
        """Give the connection back, or close it if the body has not ended.

        httpx's nested generators are then run into the closed socket: left hanging, each would
        be reported by trio when it is collected.
        """
        await self._response.aclose()
        if not self._ended:
            with suppress(httpx.HTTPError, httpx.StreamError):
                while await anext(self._chunks, None) is not None:
                    pass


class Exchange:
    """A pool of connections. Close it with `aclose`. `direct` passes by the environment's proxies.

    Whether anything came back is told to `standing`.
    """

    def __init__(self, tls: Tls, standing: Standing, *, direct: bool) -> None:
        self._tls = tls
        self._standing = standing
        self._direct = direct
        self._clients: dict[str, httpx.AsyncClient] = {}

    @asynccontextmanager
    async def send(self, outbound: Outbound) -> AsyncIterator[Answer]:
        """Send it, and hold its answer open for the length of the block."""
        request = _request(outbound)
        stream = _Outgoing(outbound)
        request.stream = stream
        try:
            with _translated(outbound.what):
                response = await self._client(request.url.scheme).send(request, stream=True)
        except FsError as error:
            self._standing.silent(error, time.time())
            raise
        finally:
            await stream.aclose()
        self._standing.answered()
        answer = Answer(outbound.what, response)
        try:
            yield answer
        finally:
            with trio.CancelScope(shield=True):
                await answer.finish()

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()

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
        extensions={"timeout": timeout.as_dict()},
    )
    # The constructor makes a plain copy, which would normalise the path.
    request.url = url
    return request


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        kind, words = next((kind, words) for cause, kind, words in _ERRORS if isinstance(error, cause))
        raise kind(f"{what}: {words} ({str(error) or type(error).__name__})") from error
