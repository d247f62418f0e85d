"""A server that holds a conversation: pieces, pauses and ends as a test tells them, with or without TLS."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import trio

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


class Hung(Exception):
    """The other side has gone."""


@dataclass
class Visit:
    """One connection, the `number`th from 1."""

    number: int
    stream: Stream
    heads: list[bytes]

    async def head(self) -> bytes:
        """The next request's head. Raises Hung where there is none."""
        received = b""
        while b"\r\n\r\n" not in received:
            piece = await self.stream.receive_some(65536)
            if not piece:
                raise Hung
            received += piece
        self.heads.append(received)
        return received

    async def say(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def bye(self) -> None:
        await self.stream.aclose()


Talk = Callable[[Visit], Awaitable[None]]
"""What the server does with a connection, until it closes it."""


@dataclass
class TalkingServer:
    """`heads` are the requests' heads so far, `visits` the connections; `port` is on loopback."""

    port: int
    scheme: str
    heads: list[bytes] = field(default_factory=list)
    visits: int = 0

    def url(self, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}/a"


@asynccontextmanager
async def talking(
    talk: Talk, context: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[TalkingServer]:
    """Have each connection talked to; with a `context`, once TLS is agreed on."""
    (listener,) = await trio.open_tcp_listeners(port, host=host)
    server = TalkingServer(listener.socket.getsockname()[1], "https" if context else "http")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, partial(_serve, talk, server, context), [listener])
        yield server
        nursery.cancel_scope.cancel()


async def _serve(
    talk: Talk, server: TalkingServer, context: ssl.SSLContext | None, plain: trio.SocketStream
) -> None:
    server.visits += 1
    number = server.visits
    stream: Stream = plain
    if context is not None:
        stream = trio.SSLStream(plain, context, server_side=True, https_compatible=True)
    with suppress(Hung, trio.BrokenResourceError, trio.ClosedResourceError):
        await talk(Visit(number, stream, server.heads))


def ok(length: int, *headers: str) -> bytes:
    """The head of a body of so many bytes."""
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {length}", *headers, "", ""]).encode()


def saying(*pieces: bytes) -> Talk:
    """Answer each request of a connection with these pieces, and close it after the last request."""

    async def talk(visit: Visit) -> None:
        while await visit.head():
            for piece in pieces:
                await visit.say(piece)

    return talk


def saying_once(*pieces: bytes) -> Talk:
    """Answer one request with these pieces, and close."""

    async def talk(visit: Visit) -> None:
        await visit.head()
        for piece in pieces:
            await visit.say(piece)
        await visit.bye()

    return talk
