"""A connection that lives in the pump, as the drive sees it."""

import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Protocol

import trio

from minimaxfs.api.line import LineEnded, is_readable
from minimaxfs.api.pump_protocol import COUNT, LARGEST, Say


class Orders(Protocol):
    """The pump's process, as a line sees it."""

    @property
    def is_over(self) -> bool: ...

    async def post(
        self, kind: Say, number: int, value: int = 0, payload: bytes = b"", file: int | None = None
    ) -> None: ...

    async def let_go(self, number: int, *, wait: bool) -> None: ...


class RemoteLine:
    """A connection that lives in a pump. One order at a time; after an error only `drop`."""

    def __init__(self, process: Orders, number: int, plain: socket.socket) -> None:
        self._process = process
        self._number = number
        self._socket = plain
        self._answers: deque[tuple[Say, int, bytes]] = deque()
        self._woken = trio.Event()
        self._is_writing = False
        self._is_over = False

    @property
    def is_quiet(self) -> bool:
        """Whether nothing came since the last answer, not even the end: then it can be used again."""
        return not self._is_over and not self._process.is_over and not is_readable(self._socket)

    async def open(self, name: str) -> None:
        """Hand the socket over; with a `name`, return when its certificate was found to be good."""
        await self._process.post(
            Say.ADOPT, self._number, payload=name.encode("ascii"), file=self._socket.fileno()
        )
        await self._answer()

    async def ask(self, head: bytes) -> bytes:
        """Send a request's head (or nothing), and return the next head that comes, with its blank line."""
        await self._process.post(Say.ASK, self._number, payload=head)
        _, answer = await self._answer()
        return answer

    def at_hand(self, _most: int) -> bytes:
        """As `Line` says: what came is in the pump."""
        return b""

    async def take(self, most: int) -> bytes:
        """Some bytes of the body; none at the end."""
        await self._process.post(Say.TAKE, self._number, min(most, LARGEST))
        _, data = await self._answer()
        return data

    async def pour(self, file: int, offset: int, count: int, moved: Callable[[int], None]) -> None:
        """Move the next `count` bytes of the body into a file, telling `moved` how many are in it so far.

        Raises OSError where the file does not take them. After `drop` nothing is written any more.
        """
        self._is_writing = True
        await self._process.post(Say.POUR, self._number, offset, COUNT.pack(count), file)
        done = 0
        while done < count:
            done, _ = await self._answer()
            moved(done)
        self._is_writing = False

    async def _answer(self) -> tuple[int, bytes]:
        while not self._answers:
            self._woken = trio.Event()
            await self._woken.wait()
        kind, value, payload = self._answers.popleft()
        match kind:
            case Say.ENDED:
                self._is_writing = False
                raise LineEnded(payload.decode(errors="replace"))
            case Say.FULL:
                self._is_writing = False
                raise OSError(value, os.strerror(value))
            case _:
                return value, payload

    def heard(self, kind: Say, value: int, payload: bytes) -> None:
        """The pump said something about this line. Of its progress only the last word counts."""
        if kind is Say.MOVED and self._answers and self._answers[-1][0] is Say.MOVED:
            self._answers.pop()
        self._answers.append((kind, value, payload))
        self._woken.set()

    async def drop(self) -> None:
        """Close the connection."""
        if self._is_over:
            return
        self._is_over = True
        self._socket.close()
        with trio.CancelScope(shield=True):
            await self._process.let_go(self._number, wait=self._is_writing)
