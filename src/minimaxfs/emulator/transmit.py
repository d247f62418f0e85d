"""Bodies on their way out: fast by sendfile, or shaped by faults. The head has been sent already.

Bodies go around h11 so that their framing can be a lie, and because 1 GB/s leaves no room for copies.
"""

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio

from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Body, Content, Gzipped, Inline, OnDisk, Slice

_PIECE = 256 * 1024
_SENDFILE = 1024 * 1024
_TICKS = 50
"""Pieces a second of a slowed body: few enough to be cheap, many enough to look steady."""

_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Shape:
    """`rate` in bytes a second; after `stop` bytes of the body nothing more comes, in silence if `stall`."""

    rate: float | None = None
    stop: int | None = None
    stall: bool = False

    @property
    def plain(self) -> bool:
        return self.rate is None and self.stop is None


def shape_of(faults: tuple[Fault, ...]) -> Shape:
    shape = Shape()
    for fault in faults:
        match fault.kind:
            case Kind.SLOW:
                shape = Shape(max(1.0, fault.value), shape.stop, shape.stall)
            case Kind.CUT:
                shape = Shape(shape.rate, int(fault.value))
            case Kind.STALL:
                shape = Shape(shape.rate, int(fault.value), stall=True)
            case _:
                pass
    return shape


async def send_body(
    stream: trio.SocketStream, body: Body, shape: Shape, *, chunked: bool, sent: Callable[[int], None]
) -> bool:
    """Send a body, telling `sent` of the bytes as they go. Whether all of it went."""
    if isinstance(body, Slice) and isinstance(body.content, OnDisk) and shape.plain and not chunked:
        await _sendfile(stream, body.content, body.start, body.stop, sent)
        return True
    began, total = trio.current_time(), 0
    for piece in _pieces(body, _piece_size(shape)):
        whole = len(piece) if shape.stop is None else min(len(piece), shape.stop - total)
        await stream.send_all(_framed(piece[:whole]) if chunked and whole else piece[:whole])
        total += whole
        sent(whole)
        if shape.rate is not None:
            await trio.sleep_until(began + total / shape.rate)
        if whole < len(piece):
            return await _fall_silent(shape)
    if chunked:
        await stream.send_all(b"0\r\n\r\n")
    return True


async def _fall_silent(shape: Shape) -> bool:
    if shape.stall:
        await trio.sleep_forever()
    return False


async def _sendfile(
    stream: trio.SocketStream, content: OnDisk, start: int, stop: int, sent: Callable[[int], None]
) -> None:
    with _opened(content) as source:
        at = start
        while at < stop:
            await trio.lowlevel.checkpoint()
            try:
                count = os.sendfile(stream.socket.fileno(), source, at, min(_SENDFILE, stop - at))
            except BlockingIOError:
                await trio.lowlevel.wait_writable(stream.socket)
                continue
            if count == 0:
                raise trio.BrokenResourceError(f"{content.path} has become shorter")
            at += count
            sent(count)


def _piece_size(shape: Shape) -> int:
    return _PIECE if shape.rate is None else max(1, min(_PIECE, int(shape.rate / _TICKS)))


def _framed(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _pieces(body: Body, size: int) -> Iterator[bytes]:
    match body:
        case bytes():
            yield from _cut(Inline(body), 0, len(body), size)
        case Slice():
            yield from _cut(body.content, body.start, body.stop, size)
        case Gzipped(content=content):
            press = zlib.compressobj(wbits=_GZIP)
            for piece in _cut(content, 0, content.size, size):
                if pressed := press.compress(piece):
                    yield pressed
            yield press.flush()


def _cut(content: Content, start: int, stop: int, size: int) -> Iterator[bytes]:
    if isinstance(content, Inline):
        yield from (content.data[at : min(at + size, stop)] for at in range(start, stop, size))
        return
    with _opened(content) as source:
        for at in range(start, stop, size):
            yield os.pread(source, min(size, stop - at), at)


@contextmanager
def _opened(content: OnDisk) -> Iterator[int]:
    source = os.open(content.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield source
    finally:
        os.close(source)
