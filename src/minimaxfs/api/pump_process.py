"""The pump's own process: one loop over its sockets. Only the standard library and the rooms beside it.

It costs the drive's event loop nothing: neither the copies, nor TLS, nor a disk that makes its writers wait.
"""

import os
import select
import signal
import socket
import ssl
import time

from minimaxfs.api.pump_line import PIECE, PumpLine
from minimaxfs.api.pump_protocol import COUNT, HEADER, LARGEST, Say
from minimaxfs.api.pump_wires import Ended, TlsWire, Wait, Wire, context_of

GLANCE = 0.05
"""Seconds after which a socket that waits for a whole piece is looked at all the same: it may have slowed."""


class Pump:
    """All lines, and the socket that orders come from."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._poll = select.epoll()
        self._poll.register(orders.fileno(), select.EPOLLIN)
        self._lines: dict[int, PumpLine] = {}
        self._waiting: dict[int, PumpLine] = {}  # by the socket's descriptor
        self._buffer = memoryview(bytearray(PIECE))
        self._trust = ("", "")
        self._context: ssl.SSLContext | None = None

    def run(self) -> None:
        """Do what is ordered, until nobody can order any more."""
        glance_at = 0.0
        while True:
            is_patient = any(line.is_patient for line in self._waiting.values())
            ready = self._poll.poll(GLANCE if is_patient else None)
            for descriptor, _ in ready:
                if descriptor == self._orders.fileno():
                    if not self._obey():
                        return
                elif descriptor in self._waiting:
                    self._go_on(self._waiting[descriptor])
            # However busy the others are: it might wait for them for ever.
            if is_patient and time.monotonic() >= glance_at:
                for line in [line for line in self._waiting.values() if line.is_patient]:
                    self._go_on(line)
                glance_at = time.monotonic() + GLANCE

    def _obey(self) -> bool:
        """Take one order; False where there will be none any more."""
        message, files, _, _ = socket.recv_fds(self._orders, HEADER.size + LARGEST, 1)
        if not message:
            return False
        kind, number, value = HEADER.unpack_from(message)
        payload = message[HEADER.size :]
        match kind:
            case Say.TRUST:
                file, _, directory = payload.decode().partition("\0")
                self._trust, self._context = (file, directory), None
            case Say.ADOPT:
                self._adopt(number, socket.socket(fileno=files[0]), payload.decode())
            case Say.DROP:
                self._drop(number)
            case _:
                self._order(Say(kind), number, value, payload, files)
        return True

    def _adopt(self, number: int, plain: socket.socket, name: str) -> None:
        line = self._lines[number] = PumpLine(number, Wire(plain), self._buffer, self._tell)
        try:
            if name:
                self._context = self._context or context_of(*self._trust)
                line.wire = TlsWire(plain, self._context, name)
        except (OSError, ValueError) as error:
            self._end(line, f"TLS cannot begin: {error}")
        else:
            line.begin(Say.ADOPT)
            self._go_on(line)

    def _order(self, kind: Say, number: int, value: int, payload: bytes, files: list[int]) -> None:
        line = self._lines.get(number)
        if line is None:
            for file in files:
                os.close(file)
            self._tell(Say.ENDED, number, 0, b"the connection is closed")
            return
        if kind is Say.POUR:
            line.begin_pour(files[0], value, COUNT.unpack(payload)[0])
        else:
            line.begin(kind, payload, value)
        self._go_on(line)

    def _go_on(self, line: PumpLine) -> None:
        """Do what can be done for a line now, and be woken for the rest."""
        try:
            is_done = line.go_on()
        except Wait as wait:
            self._watch(line, wait.events)
        except Ended as end:
            self._end(line, str(end))
        else:
            if is_done:
                self._unwatch(line)
            else:
                self._watch(line, select.EPOLLIN)

    def _end(self, line: PumpLine, why: str) -> None:
        self._forget(line)
        self._tell(Say.ENDED, line.number, 0, why.encode()[:LARGEST])

    def _drop(self, number: int) -> None:
        line = self._lines.get(number)
        if line is not None:
            self._forget(line)
        self._tell(Say.GONE, number, 0)

    def _forget(self, line: PumpLine) -> None:
        self._unwatch(line)
        line.close()
        del self._lines[line.number]

    def _watch(self, line: PumpLine, events: int) -> None:
        descriptor = line.wire.socket.fileno()
        if descriptor not in self._waiting:
            self._poll.register(descriptor, events)
            self._waiting[descriptor] = line
        elif line.events != events:
            self._poll.modify(descriptor, events)
        line.events = events

    def _unwatch(self, line: PumpLine) -> None:
        """A line that rests must not wake anybody: its end shows when it is used again."""
        descriptor = line.wire.socket.fileno()
        if self._waiting.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def _tell(self, kind: Say, number: int, value: int, payload: bytes = b"") -> None:
        self._orders.sendall(HEADER.pack(kind, number, value) + payload)


def main(descriptor: int) -> None:
    """Be the pump whose orders come from this descriptor."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Sent to a whole group by Ctrl-C: the drive may still need its bodies, and ends this by closing.
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as orders:
        try:
            Pump(orders).run()
        except (BrokenPipeError, ConnectionResetError):
            return
