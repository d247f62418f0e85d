"""The pump, as the drive sees it: connections whose bytes go into files without passing by here.

The process starts with the first connection, and anew if it should have died: then the lines of the old one
have ended, and who reads goes on at the byte by another.
"""

import array
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import trio

import minimaxfs
from minimaxfs.api.line import Line
from minimaxfs.api.pump_protocol import HEADER, LARGEST, Say
from minimaxfs.api.remote_line import RemoteLine

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds until a pump that does not let go of a file is killed: a file is never written to later."""

AT_ONCE = 64
"""Messages that are taken before others have their turn: a millisecond of work."""

_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    " from minimaxfs.api.pump_process import main; main(int(sys.argv[2]))"
)

_ENVIRONMENT = ("LD_LIBRARY_PATH", "OPENSSL_CONF")
"""What it gets to know of the environment: how to start, but no key."""

Trust = Callable[[], tuple[str, str]]
"""Tells the file and the directory of the certificate authorities that are trusted ("" for none)."""


class Process:
    """One life of the pump's process."""

    def __init__(self, orders: socket.socket, process: "subprocess.Popen[bytes]") -> None:
        orders.setblocking(False)
        self._orders = orders
        self._process = process
        self._lines: dict[int, RemoteLine] = {}
        self._gone: dict[int, trio.Event] = {}
        self._posting = trio.StrictFIFOLock()
        self._last = 0
        self.is_over = False

    @classmethod
    def start(cls) -> "Process":
        """Start one; takes 2 ms, so call it from a thread. It ends when its socket does."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = Path(minimaxfs.__file__).parents[1]
        with theirs:
            command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(root), str(theirs.fileno())]
            process = subprocess.Popen(
                command,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )
        return cls(ours, process)

    def line(self, plain: socket.socket) -> RemoteLine:
        """A line for a connected socket, which the process has still to be given."""
        self._last += 1
        line = self._lines[self._last] = RemoteLine(self, self._last, plain)
        return line

    async def post(
        self, kind: Say, number: int, value: int = 0, payload: bytes = b"", file: int | None = None
    ) -> None:
        """Send an order. A pump that is gone says so as the answer."""
        message = [HEADER.pack(kind, number, value) + payload]
        rights = [] if file is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))]
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self.is_over:
            try:
                self._orders.sendmsg(message, rights)
            except BlockingIOError:
                async with self._posting:
                    with suppress(trio.ClosedResourceError):
                        await trio.lowlevel.wait_writable(self._orders)
            except OSError:
                self._die()
            else:
                return
        self._end(number)

    async def listen(self) -> None:
        """Hear what it says, until it is gone."""
        while not self.is_over:
            with suppress(trio.ClosedResourceError):
                await trio.lowlevel.wait_readable(self._orders)
            for _ in range(AT_ONCE):
                try:
                    message = self._orders.recv(HEADER.size + LARGEST)
                except BlockingIOError:
                    break
                except OSError:
                    message = b""
                if not message:
                    self._die()
                    return
                self._hear(message)

    def _hear(self, message: bytes) -> None:
        kind, number, value = HEADER.unpack_from(message)
        if kind == Say.GONE:
            self._lines.pop(number, None)
            self._gone.pop(number, trio.Event()).set()
        elif number in self._lines:
            self._lines[number].heard(Say(kind), value, message[HEADER.size :])

    async def let_go(self, number: int, *, wait: bool) -> None:
        """Have a line closed; where it may be writing, return when it does not any more."""
        if self.is_over:
            return
        gone = self._gone[number] = trio.Event()
        await self.post(Say.DROP, number)
        if not wait:
            return
        with trio.move_on_after(PATIENCE) as scope:
            await gone.wait()
        if scope.cancelled_caught:
            log.warning("the process that moves bodies into files hangs: it is ended, and started anew")
            self._process.kill()
            await self._ended()
            self._die()

    def _die(self) -> None:
        """It is gone: so are its lines."""
        if self.is_over:
            return
        self.is_over = True
        trio.lowlevel.notify_closing(self._orders)
        self._orders.close()
        for number in list(self._lines):
            self._end(number)
        for gone in self._gone.values():
            gone.set()

    def _end(self, number: int) -> None:
        if number in self._lines:
            self._lines[number].heard(Say.ENDED, 0, b"the process that reads from it has ended")

    async def aclose(self) -> None:
        """End it, and leave no trace of it."""
        self._die()
        if not await self._ended():
            self._process.kill()
            await self._ended()

    async def _ended(self) -> bool:
        """Whether it has ended in time. One that waits for a dead disk does not, though it was killed."""
        with trio.move_on_after(PATIENCE, shield=True):
            await trio.to_thread.run_sync(self._process.wait, abandon_on_cancel=True)
            return True
        return False


class Pump:
    """Connections in a process of their own, which starts with the first. Close it with `aclose`."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._process: Process | None = None
        self._starting = trio.StrictFIFOLock()

    async def line(self, stream: trio.SocketStream, name: str) -> Line:
        """As `Lines` says."""
        plain = socket.socket(fileno=stream.socket.detach())
        try:
            process = await self._living()
        except BaseException:
            plain.close()
            raise
        line = process.line(plain)
        try:
            await line.open(name)
        except BaseException:
            await line.drop()
            raise
        return line

    async def start(self) -> None:
        """Start the process, if there is none."""
        await self._living()

    async def _living(self) -> Process:
        async with self._starting:
            if self._process is not None and self._process.is_over:
                log.warning("the process that moves bodies into files has ended: starting it anew")
                await self._process.aclose()
                self._process = None
            if self._process is None:
                self._process = await trio.to_thread.run_sync(Process.start)
                # It lives as long as its process, whoever needed it first.
                trio.lowlevel.spawn_system_task(self._process.listen)
                await self._process.post(Say.TRUST, 0, payload="\0".join(self._trust()).encode())
            return self._process

    async def aclose(self) -> None:
        """End the process."""
        if self._process is not None:
            await self._process.aclose()
            self._process = None
