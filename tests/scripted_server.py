"""A server that says exactly the bytes a test wants: for answers that no decent store gives."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import trio

Script = Callable[[bytes], bytes]
"""The head of a request, as it came → the whole answer, as it goes out."""


@dataclass
class ScriptedServer:
    """`heads` are the requests' heads so far; `port` is on loopback."""

    port: int
    heads: list[bytes] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[ScriptedServer]:
    """Answer each request's head at once, whatever of its body is still to come, and close."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    server = ScriptedServer(listener.socket.getsockname()[1])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, partial(_serve, script, server.heads), [listener])
        yield server
        nursery.cancel_scope.cancel()


async def _serve(script: Script, heads: list[bytes], stream: trio.SocketStream) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += await stream.receive_some(65536)
    head = received.partition(b"\r\n\r\n")[0]
    heads.append(head)
    await stream.send_all(script(head))
    await stream.send_eof()
    # Read on, so that closing does not reset the connection before the answer is read.
    with trio.move_on_after(5):
        while await stream.receive_some(65536):
            pass


def answer(status: str, body: bytes = b"", *headers: str, kind: str = "application/json") -> bytes:
    """An HTTP answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
