"""One connection in the pump, and what was ordered of it last. Only the standard library.

What it knows of HTTP is that a blank line ends a head. Heads are judged by who gave the order, before a
byte of the body is asked for.
"""

import os
import time
from typing import Protocol

from minimaxfs.api.pump_protocol import END_OF_HEAD, LARGEST, Say
from minimaxfs.api.pump_wires import Ended, Wait, Wire

PIECE = 256 * 1024
"""Bytes from one socket before the others have their turn: 0.2 ms of copying."""

FAST = 10e6
"""Bytes a second above which a socket is left alone until PIECE bytes are there: waking up for each small
segment costs more than the copies (3 CPU seconds a GB against 1)."""


class Tell(Protocol):
    """Sends a message to the drive."""

    def __call__(self, kind: Say, number: int, value: int, payload: bytes = b"") -> None: ...


class PumpLine:
    """A connection. `events` is what it waits for, if it does."""

    def __init__(self, number: int, wire: Wire, buffer: memoryview, tell: Tell) -> None:
        self.number = number
        self.wire = wire
        self.events = 0
        self._buffer = buffer
        self._tell = tell
        self._order = Say.ADOPT
        self._spare = bytearray()  # came behind a head
        self._outgoing = b""
        self._is_spoilt = False
        self._file = -1
        self._offset = self._goal = self._moved = 0
        self._began = 0.0
        self._wakes_at = 1

    @property
    def is_patient(self) -> bool:
        """Whether it is woken only for a whole piece."""
        return self._wakes_at > 1

    def begin(self, order: Say, outgoing: bytes = b"", most: int = 0) -> None:
        """Take an order: to shake hands, to send a head and bring one, or to give some of a body."""
        self._order, self._outgoing, self._goal = order, outgoing, min(most, LARGEST)
        self._is_spoilt = bool(outgoing) and (bool(self._spare) or self.wire.holds_more)

    def begin_pour(self, file: int, offset: int, count: int) -> None:
        """Take the order to move so many bytes into a file, which is closed at the end."""
        self._order, self._file, self._offset, self._goal = Say.POUR, file, offset, count
        self._moved, self._began = 0, time.monotonic()

    def go_on(self) -> bool:
        """Do what can be done now; whether that was all of the order. Raises Wait, and Ended."""
        match self._order:
            case Say.ADOPT:
                self.wire.shake()
                self._tell(Say.READY, self.number, 0)
                return True
            case Say.ASK:
                self._ask()
                return True
            case Say.TAKE:
                self._take()
                return True
            case _:
                return self._pour()

    def _ask(self) -> None:
        if self._is_spoilt:
            raise Ended("more came than was asked for")
        while self._outgoing:
            self._outgoing = self._outgoing[self.wire.send(self._outgoing) :]
        while (end := self._spare.find(END_OF_HEAD)) < 0:
            if len(self._spare) >= LARGEST:
                raise Ended("its head does not end")
            self._spare += self._receive(LARGEST - len(self._spare))
        head = bytes(self._spare[: end + len(END_OF_HEAD)])
        del self._spare[: len(head)]
        self._tell(Say.HEAD, self.number, 0, head)

    def _receive(self, most: int) -> memoryview:
        room = self._buffer[:most]
        count = self.wire.receive_into(room)
        if count == 0:
            raise Ended("the other side closed the connection")
        return room[:count]

    def _take(self) -> None:
        if self._spare:
            data = bytes(self._spare[: self._goal])
            del self._spare[: len(data)]
        else:
            data = bytes(self._buffer[: self.wire.receive_into(self._buffer[: self._goal])])
        self._tell(Say.BYTES, self.number, 0, data)

    def _pour(self) -> bool:
        """Move what is there, up to a piece of it, and tell how far it is."""
        before = self._moved
        try:
            if self._spare:
                data = bytes(self._spare[: self._goal])
                del self._spare[: len(data)]
                self._write(memoryview(data))
            if self._moved < self._goal:
                self._write(self._receive(min(PIECE, self._goal - self._moved)))
        except Wait:
            if self._moved > before:
                self._tell(Say.MOVED, self.number, self._moved)
            raise
        except OSError as error:
            self._close_file()
            self._tell(Say.FULL, self.number, error.errno or 0)
            return True
        is_done = self._moved == self._goal
        if is_done:
            self._close_file()
        self._tell(Say.MOVED, self.number, self._moved)
        self._pace()
        return is_done

    def _write(self, data: memoryview) -> None:
        while data:
            written = os.pwrite(self._file, data, self._offset + self._moved)
            data, self._moved = data[written:], self._moved + written

    def _pace(self) -> None:
        """Wake up for whole pieces where they come fast, and never for more than what is still to come."""
        elapsed = max(time.monotonic() - self._began, 1e-6)
        left = self._goal - self._moved - self.wire.held_back
        is_fast = self._moved >= PIECE and self._moved / elapsed > FAST
        size = PIECE if is_fast and left > PIECE else 1
        if size != self._wakes_at:
            self.wire.wake_at(size)
            self._wakes_at = size

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def close(self) -> None:
        """Close the connection, and the file if one is being written."""
        self._close_file()
        self.wire.socket.close()
