"""One connection: requests come in by h11, are answered at the desk, and the next may follow.

Each exchange has an h11 connection of its own, because bodies go out around it (see `transmit`).
"""

import socket
import struct
from dataclasses import replace
from pathlib import Path

import h11
import trio

from minimaxfs.emulator.desk import Desk
from minimaxfs.emulator.faults import Fault, Kind, announced
from minimaxfs.emulator.messages import Form, Operation, Reply, Request, Side
from minimaxfs.emulator.multipart import MultipartError, boundary_of
from minimaxfs.emulator.transmit import send_body, shape_of
from minimaxfs.emulator.uploads import FormReader

_RECEIVE = 128 * 1024
"""Bytes a read. Larger buffers are mapped and unmapped each time: uploads at 0.54 GB/s instead of 0.75."""

_HEAD_LIMIT = 64 * 1024
_BODY_LIMIT = 1024 * 1024
"""Bytes of a request's body that is not an upload."""


async def serve(stream: trio.SocketStream, side: Side, desk: Desk) -> None:
    """Answer requests until the client or a fault ends the connection."""
    leftover: bytes | None = b""
    async with stream:
        try:
            while leftover is not None:
                leftover = await _Exchange(stream, side, desk).run(leftover)
        except (trio.BrokenResourceError, OSError, h11.ProtocolError):
            # The client went away or speaks something else, or a content's file went away or found no
            # room: no honest answer can be given any more, and the other connections go on.
            return


class _Exchange:
    """One request and its answer."""

    def __init__(self, stream: trio.SocketStream, side: Side, desk: Desk) -> None:
        self._stream = stream
        self._side = side
        self._desk = desk
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_LIMIT)

    async def run(self, leftover: bytes) -> bytes | None:
        """Returns the bytes that came after the request, or None where the connection is to end."""
        if leftover:
            self._http.receive_data(leftover)
        event = await self._event()
        if not isinstance(event, h11.Request):
            return None
        head = _head(self._side, event)
        operation, faults = self._desk.arrived(head)
        if _has(faults, Kind.RESET):
            self._close_by_reset()
            return None
        with self._desk.contents.incoming() as path:
            if operation is Operation.UPLOAD:
                request = replace(head, form=await self._form(head, path))
            else:
                request = replace(head, body=await self._body())
            reply = await self._answer(request, faults)
        if reply is None or not await self._send(operation, head.method, reply, faults):
            return None
        return self._http.trailing_data[0] if self._http.their_state is h11.DONE else None

    async def _answer(self, request: Request, faults: tuple[Fault, ...]) -> Reply | None:
        """The reply, or None where none is to be sent."""
        for fault in faults:
            if fault.kind is Kind.DELAY:
                await trio.sleep(fault.value)
            elif fault.kind is Kind.STALL and not fault.value:
                await trio.sleep_forever()
        reply = self._desk.answer(request, faults)
        return None if _has(faults, Kind.LOSE_REPLY) else reply

    async def _send(self, operation: Operation, method: str, reply: Reply, faults: tuple[Fault, ...]) -> bool:
        """Whether the connection can go on."""
        length, shape = announced(reply), shape_of(faults)
        framing = [] if length is None else [("content-length", str(length))]
        head = self._http.send(h11.Response(status_code=reply.status, headers=[*reply.headers, *framing]))
        if isinstance(reply.body, bytes) and shape.plain and length is not None and method != "HEAD":
            # In one packet: a client that waits for the end of a short answer need not wait twice.
            await self._stream.send_all(head + reply.body)
            return not reply.surplus
        await self._stream.send_all(head)
        if method == "HEAD":
            return True
        whole = await send_body(
            self._stream,
            reply.body,
            shape,
            chunked=length is None,
            sent=lambda count: self._desk.sent(operation, count),
        )
        return whole and not reply.surplus

    async def _form(self, head: Request, path: Path) -> Form:
        """The form of an upload, its file at `path`. A body that is no form is read to its end, too."""
        try:
            with FormReader(boundary_of(head.headers.get("content-type", "")), path) as reader:
                while isinstance(event := await self._event(), h11.Data):
                    reader.feed(event.data)
                return reader.finish()
        except MultipartError as error:
            while self._http.their_state is h11.SEND_BODY:
                await self._event()
            return Form({}, problem=str(error))

    async def _body(self) -> bytes:
        body = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
            if len(body) > _BODY_LIMIT:
                raise h11.RemoteProtocolError("a body of this size belongs to an upload")
        return bytes(body)

    async def _event(self) -> h11.Event:
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Event):
                return event
            if self._http.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                await self._stream.send_all(self._http.send(go_on))
            self._http.receive_data(await self._stream.receive_some(_RECEIVE))

    def _close_by_reset(self) -> None:
        """Close with an RST: linger on, for no time."""
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _head(side: Side, event: h11.Request) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
    return Request(side, event.method.decode("latin-1"), event.target.decode("latin-1"), headers)


def _has(faults: tuple[Fault, ...], kind: Kind) -> bool:
    return any(fault.kind is kind for fault in faults)
