"""A connection that lives in this process: for answers that are read here anyway, and for short bodies.

A short body is here sooner than another process would have been told of it: 200 reads of 64 KiB take
0.10 s, and by the pump 0.15 s.
"""

import os
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import trio

from minimaxfs.api.line import Line, LineEnded, is_readable
from minimaxfs.api.pump_protocol import END_OF_HEAD, LARGEST
from minimaxfs.api.pump_wires import Ended, TlsWire, Wait, Wire

PIECE = 256 * 1024
"""Bytes that are received at once, before others have their turn."""

_Result = TypeVar("_Result")


class LocalLine:
    """A connection of this process. `room` is shared by all: what is in it is used at once."""

    def __init__(self, wire: Wire, room: memoryview) -> None:
        self._wire = wire
        self._room = room
        self._spare = b""  # came behind a head

    @property
    def is_quiet(self) -> bool:
        """As `Line` says."""
        is_open = self._wire.socket.fileno() >= 0
        return is_open and not (self._spare or self._wire.holds_more or is_readable(self._wire.socket))

    async def open(self) -> None:
        """Be ready to speak. Raises LineEnded."""
        await self._when_ready(self._wire.shake)

    async def ask(self, head: bytes) -> bytes:
        """As `Line` says."""
        left = head
        while left:
            left = left[await self._when_ready(partial(self._wire.send, left)) :]
        came = bytearray(self._spare)
        while (end := came.find(END_OF_HEAD)) < 0:
            if len(came) >= LARGEST:
                raise LineEnded("its head does not end")
            piece = await self._receive(LARGEST - len(came))
            if not piece:
                raise LineEnded("the other side closed the connection")
            came += piece
        end += len(END_OF_HEAD)
        self._spare = bytes(came[end:])
        return bytes(came[:end])

    def at_hand(self, most: int) -> bytes:
        """As `Line` says."""
        data, self._spare = self._spare[:most], self._spare[most:]
        return data

    async def take(self, most: int) -> bytes:
        """As `Line` says."""
        return self.at_hand(most) or bytes(await self._receive(most))

    async def _receive(self, most: int) -> memoryview:
        """What comes next: to be used before anything is waited for."""
        room = self._room[:most]
        return room[: await self._when_ready(partial(self._wire.receive_into, room))]

    async def _when_ready(self, work: Callable[[], _Result]) -> _Result:
        await trio.lowlevel.checkpoint_if_cancelled()
        while True:
            try:
                return work()
            except Wait as wait:
                await self._ready(wait)
            except Ended as end:
                raise LineEnded(str(end)) from end

    async def _ready(self, wait: Wait) -> None:
        if wait.is_for_reading:
            await trio.lowlevel.wait_readable(self._wire.socket)
        else:
            await trio.lowlevel.wait_writable(self._wire.socket)

    async def pour(self, file: int, offset: int, count: int, moved: Callable[[int], None]) -> None:
        """As `Line` says."""
        first = self.at_hand(count)
        _write(file, memoryview(first), offset)
        done = len(first)
        if done:
            moved(done)
        while done < count:
            piece = await self._receive(count - done)
            if not piece:
                raise LineEnded("the other side closed the connection")
            _write(file, piece, offset + done)
            done += len(piece)
            moved(done)
            if done < count:  # at the end the connection is to be kept, though its reader may be content
                await trio.lowlevel.checkpoint()

    async def drop(self) -> None:
        """As `Line` says."""
        trio.lowlevel.notify_closing(self._wire.socket)
        self._wire.socket.close()


def _write(file: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written


class LocalLines:
    """Lines of this process. `context` makes the TLS context when it is first needed."""

    def __init__(self, context: Callable[[], ssl.SSLContext]) -> None:
        self._context = context
        self._room = memoryview(bytearray(PIECE))

    async def start(self) -> None:
        """Nothing has to be waited for."""

    async def line(self, stream: trio.SocketStream, name: str) -> Line:
        """As `Lines` says."""
        plain = socket.socket(fileno=stream.socket.detach())
        try:
            wire = TlsWire(plain, self._context(), name) if name else Wire(plain)
        except (OSError, ValueError) as error:
            plain.close()
            raise LineEnded(f"TLS cannot begin: {error}") from error
        line = LocalLine(wire, self._room)
        try:
            await line.open()
        except BaseException:
            await line.drop()
            raise
        return line

    async def aclose(self) -> None:
        """Each line is dropped by who has it."""
