"""The two listeners, on loopback: the API, and the storage that its signed URLs lead to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import trio

from minimaxfs.emulator import connection
from minimaxfs.emulator.desk import Desk
from minimaxfs.emulator.messages import Side

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 lets the system choose."""

    api: int = 0
    storage: int = 0

    @property
    def api_origin(self) -> str:
        return f"http://{_HOST}:{self.api}"

    @property
    def storage_origin(self) -> str:
        return f"http://{_HOST}:{self.storage}"


ANY_PORTS = Ports()


@dataclass(frozen=True, slots=True)
class Site:
    """Two listeners that are open."""

    api: trio.SocketListener
    storage: trio.SocketListener

    @property
    def ports(self) -> Ports:
        return Ports(_port(self.api), _port(self.storage))


@asynccontextmanager
async def opened(ports: Ports) -> AsyncIterator[Site]:
    """Listen here; OSError if a port is taken."""
    async with _listener(ports.api) as api, _listener(ports.storage) as storage:
        yield Site(api, storage)


async def serve(desk: Desk, site: Site) -> None:
    """Answer until cancelled, which ends all connections at once."""
    with desk.lock:
        desk.service.storage_origin = site.ports.storage_origin
    async with trio.open_nursery() as nursery:
        for listener, side in ((site.api, Side.API), (site.storage, Side.STORAGE)):
            handler = partial(connection.serve, side=side, desk=desk)
            nursery.start_soon(partial(trio.serve_listeners, handler, [listener]))


@asynccontextmanager
async def _listener(port: int) -> AsyncIterator[trio.SocketListener]:
    (listener,) = await trio.open_tcp_listeners(port, host=_HOST)
    async with listener:
        yield listener


def _port(listener: trio.SocketListener) -> int:
    _, port = listener.socket.getsockname()
    return int(port)
