"""HTTP/1.1 as a transport of httpx: GETs whose bodies may go straight into files.

A body is framed by its Content-Length, by chunks, or by the end of the connection. Only one of a known length
can be poured into a file; any can be iterated over. Connections are kept for a minute, and serve one request
at a time.
"""

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

import h11
import httpx
import trio

from minimaxfs.api.heads import Head, judged, outgoing, plain
from minimaxfs.api.line import Line, LineEnded, Lines
from minimaxfs.api.line_body import LineBody, in_time

KEEP_ALIVE = 60.0
"""Seconds that an idle connection is kept: a new one costs two round trips, three with TLS."""

MOST_IDLE = 32
"""Connections that are kept for later, of all hosts together: the ranges of four files."""

MOST_HEADS = 10
"""Heads of one answer: before its own come at most a few that say "go on" (100), or "soon" (103)."""

PUBLIC_ONLY = "minimaxfs.public_only"
"""The request extension that forbids a host whose address is not public."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a connection leads. `name` is the host whose certificate is wanted, "" without TLS."""

    host: str
    port: int
    name: str
    is_public: bool


@dataclass(frozen=True, slots=True)
class _Idle:
    place: _Place
    line: Line
    until: float


class LineTransport(httpx.AsyncBaseTransport):
    """A pool of connections, which `lines` makes."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._idle: list[_Idle] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request without a body, and answer once its answer's head is here.

        Raises httpx's transport errors.
        """
        place = _place(request)
        limits = request.extensions["timeout"]
        line = await self._kept(place)
        is_kept = line is not None
        line = line or await self._connected(place, limits["connect"])
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for _ in request.stream:
            pass  # it has no bytes; being asked for them, it learns that the head goes out
        try:
            return await self._exchange(place, line, request)
        except httpx.ReadError:
            # A connection that was kept may be closed by the other side in the moment of its use.
            if not is_kept:
                raise
        return await self._exchange(place, await self._connected(place, limits["connect"]), request)

    async def _kept(self, place: _Place) -> Line | None:
        """An idle connection to the place, the youngest first; those that have ended go."""
        for idle in reversed(self._idle.copy()):
            if idle.until < trio.current_time() or not idle.line.is_quiet:
                self._idle.remove(idle)
                await idle.line.drop()
            elif idle.place == place:
                self._idle.remove(idle)
                return idle.line
        return None

    async def _connected(self, place: _Place, limit: float) -> Line:
        try:
            with trio.fail_after(limit):
                stream = await trio.open_tcp_stream(place.host, place.port)
                if place.is_public:
                    await _refuse_inward(stream)
                return await self._lines.line(stream, place.name)
        except trio.TooSlowError as error:
            raise httpx.ConnectTimeout(f"no connection within {limit:.0f} s") from error
        except (OSError, LineEnded) as error:
            raise httpx.ConnectError(str(error)) from error

    async def _exchange(self, place: _Place, line: Line, request: httpx.Request) -> httpx.Response:
        try:
            head, framing = await _answered(line, request)
        except BaseException:
            await line.drop()
            raise
        body = LineBody(
            line,
            head.length,
            framing,
            request.extensions["timeout"]["read"],
            lambda: self._keep(place, line) if head.stays else line.drop(),
        )
        return httpx.Response(head.status, headers=head.fields, stream=body)

    async def _keep(self, place: _Place, line: Line) -> None:
        if len(self._idle) >= MOST_IDLE:
            await self._idle.pop(0).line.drop()
        self._idle.append(_Idle(place, line, trio.current_time() + KEEP_ALIVE))

    async def prepare(self, origin: httpx.URL | None, limit: float) -> None:
        """Do what the first request would have to wait for; with an `origin`, connect to it."""
        await self._lines.start()
        if origin is None:
            return
        place = _place(httpx.Request("GET", origin))
        with suppress(httpx.TransportError):  # the first request will say so
            await self._keep(place, await self._connected(place, limit))

    async def aclose(self) -> None:
        """End all connections, and the pump."""
        while self._idle:
            await self._idle.pop().line.drop()
        await self._lines.aclose()


async def _answered(line: Line, request: httpx.Request) -> tuple[Head, h11.Connection | None]:
    """Send the head, and return the answer's, with what frames its body where no length does.

    Raises httpx's transport errors.
    """
    limit = request.extensions["timeout"]["read"]
    answer = await in_time(limit, line.ask(outgoing(request)))
    head = plain(answer)
    if head is not None:
        return head, None
    connection = h11.Connection(h11.CLIENT)
    try:
        # What was sent: h11 has to know, to judge what comes.
        connection.send(
            h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        )
        connection.send(h11.EndOfMessage())
        for _ in range(MOST_HEADS):
            connection.receive_data(answer)
            event = connection.next_event()
            if isinstance(event, h11.Response):
                return judged(event), connection
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                break
            answer = await in_time(limit, line.ask(b""))
        raise httpx.RemoteProtocolError("the answer does not begin with a head")
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error)) from error


def _place(request: httpx.Request) -> _Place:
    url = request.url
    is_secure = url.scheme == "https"
    port = url.port or (443 if is_secure else 80)
    host = url.raw_host.decode("ascii")
    return _Place(host, port, host if is_secure else "", bool(request.extensions.get(PUBLIC_ONLY)))


async def _refuse_inward(stream: trio.SocketStream) -> None:
    """Close it, and raise OSError, where its address is not public, whatever the name resolved to before."""
    if not ip_address(stream.socket.getpeername()[0].partition("%")[0]).is_global:
        await stream.aclose()
        raise OSError("its address is not public")
