"""A connection that carries one HTTP request at a time, wherever it lives."""

import select
import socket
from collections.abc import Callable
from typing import Protocol

import trio


class LineEnded(Exception):
    """The connection broke off; says how."""


class Line(Protocol):
    """A connection. One call at a time; after an error, or a cancellation, only `drop`."""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing came since the last answer, not even the end: then it can be used again."""
        ...

    async def ask(self, head: bytes) -> bytes:
        """Send a request's head (or nothing), and return the next head that comes, with its blank line.

        Like all of these, raises LineEnded.
        """
        ...

    def at_hand(self, most: int, /) -> bytes:
        """What of the body came with its head, and was not taken yet."""
        ...

    async def take(self, most: int) -> bytes:
        """Some bytes of the body; none at the end."""
        ...

    async def pour(self, file: int, offset: int, count: int, moved: Callable[[int], None]) -> None:
        """Move the next `count` bytes of the body into a file, telling `moved` how many are in it so far.

        Raises OSError where the file does not take them. After `drop` nothing is written any more.
        """
        ...

    async def drop(self) -> None:
        """Close the connection."""
        ...


class Lines(Protocol):
    """Makes lines of connected sockets."""

    async def start(self) -> None:
        """Do what the first line would have to wait for."""
        ...

    async def line(self, stream: trio.SocketStream, name: str) -> Line:
        """Take over a connection, with TLS if there is a `name` that its certificate must have.

        Raises LineEnded where TLS cannot be agreed on.
        """
        ...

    async def aclose(self) -> None:
        """End all of them."""
        ...


def is_readable(plain: socket.socket) -> bool:
    """Whether something came, or the end."""
    poll = select.poll()
    poll.register(plain, select.POLLIN)
    return bool(poll.poll(0))
