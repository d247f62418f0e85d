"""A relay that makes loopback a long line: this kernel cannot (no netem). A process of its own.

    python -m bench.relay PORT        prints the port that it listens on; what comes there goes to PORT

Both directions of each connection keep to the model in `link`. It shapes, and loses nothing.
"""

import math
import sys
from functools import partial

import trio

from bench.link import Flow, Line, Path

QUANTUM = 64 * 1024
"""Bytes that a connection gives to the line at once: half a millisecond of all of it."""

_SMALL_BUFFER = 256 * 1024
"""Bytes that the kernel may hold of what nginx sends: nginx is not to take for sent what waits here."""

_ENDINGS = (trio.BrokenResourceError, trio.ClosedResourceError)


class Direction:
    """Bytes from one side of a connection to the other, until their end."""

    def __init__(self, flow: Flow, source: trio.SocketStream, target: trio.SocketStream) -> None:
        self._flow = flow
        self._source = source
        self._target = target
        self._arrived = trio.Event()
        self._entry, self._exit = trio.open_memory_channel[tuple[float, bytes]](math.inf)

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._take)
            nursery.start_soon(self._deliver)

    async def _take(self) -> None:
        with self._entry:
            while chunk := await self._source.receive_some(min(await self._room(), QUANTUM)):
                self._entry.send_nowait((self._flow.send(trio.current_time(), len(chunk)), chunk))
            # The end takes its time, too, but no room.
            self._entry.send_nowait((self._flow.send(trio.current_time(), 0), b""))

    async def _room(self) -> int:
        """Wait for the line and for the window. The bytes themselves may still be long in coming."""
        while True:
            await trio.sleep_until(max(self._flow.ready_at(), 0.0))
            room = self._flow.room(trio.current_time())
            if room and self._flow.ready_at() <= trio.current_time():
                return room
            if not room:
                await self._acknowledgement()

    async def _acknowledgement(self) -> None:
        due = self._flow.next_ack()
        if due is None:
            self._arrived = trio.Event()
            await self._arrived.wait()
        else:
            await trio.sleep_until(due)

    async def _deliver(self) -> None:
        async for due, chunk in self._exit:
            await trio.sleep_until(due)
            if not chunk:
                await self._target.send_eof()
                return
            await self._target.send_all(chunk)
            self._flow.delivered(trio.current_time(), len(chunk))
            self._arrived.set()


async def _relay(path: Path, lines: tuple[Line, Line], upstream: int, client: trio.SocketStream) -> None:
    opened_at = trio.current_time()
    server = await trio.open_tcp_stream("127.0.0.1", upstream)
    server.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, _SMALL_BUFFER)
    out, back = (Flow(path, line, opened_at) for line in lines)
    async with client, server:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(Direction(out, client, server).run)
                nursery.start_soon(Direction(back, server, client).run)
        except* _ENDINGS:
            pass  # one side has gone; the other is told by the closing of both


async def _serve(upstream: int) -> None:
    path = Path()
    lines = (Line(path.shared_rate), Line(path.shared_rate))
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=1024)
    sys.stdout.write(f"{listeners[0].socket.getsockname()[1]}\n")
    sys.stdout.flush()
    await trio.serve_listeners(partial(_relay, path, lines, upstream), listeners)


if __name__ == "__main__":
    trio.run(_serve, int(sys.argv[1]))
