"""The control socket: what commands ask of a drive that runs.

A connection is one request and its answer, in lines of JSON: ``{"command": "retry", "path": "…"}``, then
while it lasts ``{"progress": {"what": "upload", "files": 2, "done": 1000, "size": 4000}}``, and at the end
``{"ok": true, …}`` or ``{"error": what, "advice": …, "errno": …}``.

========  ===============  ======================================================================
command   with             the answer holds
========  ===============  ======================================================================
whoami                     `mountpoint`, `profile`, `pid`
uploads                    `uploads`: a list of `vfs.desk.UploadStatus`
retry     `path`           (it comes when the store has the file)
discard   `path`
drain     `seconds` or     `left`: the uploads that the store should have and has not. While the
          null             connection stays, the drive's end waits for uploads no more
========  ===============  ======================================================================

What else is answered is in `replies`. Paths are below the mountpoint. A client is the drive's own user or
root; one that is slow, silent or talks nonsense loses its connection, and nobody else notices.
"""

import errno
import json
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from types import MappingProxyType

import trio

from minimaxfs import sockets
from minimaxfs.core.errors import AccessRefused, Busy, FsError
from minimaxfs.ending import Desk, Ending
from minimaxfs.vfs.boundary import faults_as_errors

LONGEST_REQUEST = 65536
"""Bytes: a path has at most 4,096, and JSON makes six of one."""

REQUEST_LIMIT = 5.0
"""Seconds until a client must have sent its request: it does so at once."""

SEND_LIMIT = 5.0
"""Seconds that a client may take to accept a line."""

HOLD_LIMIT = 30.0
"""Seconds that a client which let uploads end has for unmounting: fusermount3 takes a fraction of one."""

TICK = 0.5
"""Seconds between two lines of progress: they show on a terminal, and that the drive is alive."""

MOST_CLIENTS = 16
"""Connections at once: each costs a descriptor, which readers need more."""

Reply = dict[str, object]


class Misunderstood(FsError):
    errno = errno.EINVAL
    advice = "Is the command of the same version as the drive? Mount it again."


@dataclass(slots=True)
class Conversation:
    """One client's. A command that takes long says in `progress` how far it is, whenever that is asked."""

    progress: Callable[[], Reply]


Command = Callable[[Mapping[str, object], Conversation], Awaitable[Reply]]
"""A request in, an answer out. Raises FsError."""


class Control:
    """The answers of one drive: its own, and those of `more` commands, by name."""

    def __init__(
        self,
        mountpoint: str,
        profile: str,
        desk: Desk,
        ending: Ending,
        more: Mapping[str, Command] = MappingProxyType({}),
    ) -> None:
        self._more = more
        self._mountpoint = mountpoint
        self._profile = profile
        self._desk = desk
        self._ending = ending
        self._clients = 0

    async def serve(self, listener: socket.socket) -> None:
        """Answer clients until cancelled."""
        accepting = trio.SocketListener(trio.socket.from_stdlib_socket(listener))
        await trio.serve_listeners(self._attend, [accepting])

    async def _attend(self, stream: trio.SocketStream) -> None:
        """Be the boundary: whatever a client does ends with its connection."""
        self._clients += 1
        try:
            with suppress(trio.BrokenResourceError, trio.TooSlowError):
                async with stream:
                    await self._converse(stream)
        finally:
            self._clients -= 1

    async def _converse(self, stream: trio.SocketStream) -> None:
        request: Mapping[str, object] = {}
        try:
            self._admit(stream)
            request = read(await _line(stream))
        except FsError as error:
            await _send(stream, refusal(error))
            return
        reply = await self._with_progress(stream, request)
        if reply is None:
            return
        is_drained = request.get("command") == "drain" and "ok" in reply
        with self._ending.excused() if is_drained else nullcontext():
            await _send(stream, reply)
            if is_drained:
                with trio.move_on_after(HOLD_LIMIT):
                    await stream.receive_some(1)

    def _admit(self, stream: trio.SocketStream) -> None:
        credentials = stream.socket.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, sockets.CREDENTIALS_SIZE
        )
        if sockets.peer_uid(credentials) not in {0, os.getuid()}:
            raise AccessRefused("the drive belongs to another user")
        if self._clients > MOST_CLIENTS:
            raise Busy(f"the drive talks to {MOST_CLIENTS} commands already")

    async def _with_progress(self, stream: trio.SocketStream, request: Mapping[str, object]) -> Reply | None:
        """Give the answer, with lines of progress before it; None where the client has gone."""
        reply: Reply | None = None
        done = trio.Event()
        conversation = Conversation(self._uploads)

        async def tick() -> None:
            try:
                while not done.is_set():
                    with trio.move_on_after(TICK):
                        await done.wait()
                        return
                    await _send(stream, {"progress": conversation.progress()})
            except (trio.BrokenResourceError, trio.TooSlowError):
                nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(tick)
            reply = await self._answer(request, conversation)
            done.set()  # not a cancellation, which could cut a line in two
        return reply

    async def _answer(self, request: Mapping[str, object], conversation: Conversation) -> Reply:
        command = request.get("command")
        try:
            with faults_as_errors(f"command {command}"):
                more = self._more.get(command) if isinstance(command, str) else None
                reply = await (more(request, conversation) if more else self._carry_out(command, request))
                return {"ok": True, **reply}
        except FsError as error:
            return refusal(error)

    async def _carry_out(self, command: object, request: Mapping[str, object]) -> Reply:
        match command:
            case "whoami":
                return {"mountpoint": self._mountpoint, "profile": self._profile, "pid": os.getpid()}
            case "uploads":
                return {"uploads": [asdict(upload) for upload in self._desk.uploads()]}
            case "retry":
                await self._desk.retry(path_of(request))
            case "discard":
                await self._desk.discard(path_of(request))
            case "drain":
                await self._ending.drain(seconds_of(request, self._ending.seconds))
                return {"left": [asdict(upload) for upload in self._ending.left()]}
            case _:
                raise Misunderstood(f"there is no command {command!r}")
        return {}

    def _uploads(self) -> Reply:
        pending = self._ending.pending()
        sent, size = sum(upload.sent for upload in pending), sum(upload.size for upload in pending)
        return {"what": "upload", "files": len(pending), "done": sent, "size": size}


def read(line: bytes) -> Mapping[str, object]:
    """Read a request. Raises Misunderstood."""
    try:
        request: object = json.loads(line)
    except (ValueError, RecursionError):
        raise Misunderstood("the request is not JSON") from None
    if not isinstance(request, dict):
        raise Misunderstood("the request is not an object")
    return request


def path_of(request: Mapping[str, object]) -> str:
    path = request.get("path")
    if not isinstance(path, str):
        raise Misunderstood("the request names no path")
    return path


def seconds_of(request: Mapping[str, object], default: float) -> float:
    seconds = request.get("seconds")
    if seconds is None:
        return default
    if isinstance(seconds, int | float) and seconds >= 0:
        return min(float(seconds), 1e9)
    raise Misunderstood(f"{seconds!r} is no number of seconds")


def refusal(error: FsError) -> Reply:
    return {"error": str(error), "advice": error.advice, "errno": error.errno}


async def _line(stream: trio.SocketStream) -> bytes:
    """Receive a request. Raises Misunderstood where none comes in time, or one that is too long."""
    received = b""
    with trio.move_on_after(REQUEST_LIMIT):
        while b"\n" not in received and len(received) <= LONGEST_REQUEST:
            piece = await stream.receive_some(LONGEST_REQUEST)
            if not piece:
                break
            received += piece
    line, end, _ = received.partition(b"\n")
    if not end:
        raise Misunderstood(f"no line within {REQUEST_LIMIT:.0f} s and {LONGEST_REQUEST} bytes")
    return line


async def _send(stream: trio.SocketStream, reply: Reply) -> None:
    with trio.fail_after(SEND_LIMIT):
        await stream.send_all(json.dumps(reply).encode() + b"\n")
