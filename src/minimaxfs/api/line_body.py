"""A body that comes by a line: piece by piece, or straight into a file."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import h11
import httpx
import trio

from minimaxfs.api.line import Line, LineEnded

LEAST = 32 * 1024
"""Bytes that a poured body must bring within the limit on silence: 4 KiB/s, below any usable link."""

_Result = TypeVar("_Result")


class LineBody(httpx.AsyncByteStream):
    """A body on its way. `left` are its bytes that are still to come; None where `framing` tells its end.

    `limit` is in seconds without progress; `at_end` is called when all has come.
    """

    def __init__(
        self,
        line: Line,
        left: int | None,
        framing: h11.Connection | None,
        limit: float,
        at_end: Callable[[], Awaitable[None]],
    ) -> None:
        self.left = left
        self._framing = framing
        self._line = line
        self._limit = limit
        self._at_end = at_end
        self.has_ended = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        data = await (self._framed() if self.left is None else self._counted(self.left))
        if not data:
            await self._end()
            raise StopAsyncIteration
        return data

    async def _counted(self, left: int) -> bytes:
        if left == 0:
            return b""
        data = self._line.at_hand(left) or await in_time(self._limit, self._line.take(left))
        if not data:
            raise httpx.RemoteProtocolError(f"the connection was closed {left} bytes early")
        self.left = left - len(data)
        return data

    async def _framed(self) -> bytes:
        """The next bytes of a body that has chunks, or ends with its connection."""
        assert self._framing is not None
        while True:
            try:
                event = self._framing.next_event()
            except h11.RemoteProtocolError as error:
                raise httpx.RemoteProtocolError(str(error)) from error
            match event:
                case h11.Data():
                    return bytes(event.data)
                case h11.NEED_DATA:
                    self._framing.receive_data(await in_time(self._limit, self._line.take(1 << 16)))
                case _:
                    return b""

    async def pour(self, file: int, offset: int, count: int, moved: Callable[[int], None]) -> None:
        """Move the next `count` bytes, of those that are `left`, into a file at an offset.

        `moved` is told how many are in it so far. Raises OSError where the file does not take them, and
        httpx's transport errors. When this has been left, in whatever way, nothing is written any more
        once `aclose` has returned.
        """
        assert self.left is not None
        assert count <= self.left
        mark = 0
        with trio.CancelScope(deadline=trio.current_time() + self._limit) as scope:

            def told(so_far: int) -> None:
                nonlocal mark
                if so_far - mark >= LEAST or so_far == count:
                    mark, scope.deadline = so_far, trio.current_time() + self._limit
                moved(so_far)

            try:
                await self._line.pour(file, offset, count, told)
            except LineEnded as error:
                raise httpx.ReadError(str(error)) from error
        if scope.cancelled_caught:
            raise httpx.ReadTimeout(f"less than {LEAST} bytes came within {self._limit:.0f} s")
        self.left -= count
        if self.left == 0:
            await self._end()

    async def _end(self) -> None:
        if not self.has_ended:
            self.has_ended = True
            # More came than its chunks, or the end of the connection did.
            is_spoilt = self._framing is not None and any(self._framing.trailing_data)
            await (self._line.drop() if is_spoilt else self._at_end())

    async def aclose(self) -> None:
        """A body that has not ended ends its connection: nobody knows where the next answer begins."""
        if not self.has_ended:
            self.has_ended = True
            await self._line.drop()


async def in_time(limit: float, work: Awaitable[_Result]) -> _Result:
    """The result of some work on a line. Raises httpx's transport errors."""
    try:
        with trio.fail_after(limit):
            return await work
    except trio.TooSlowError as error:
        raise httpx.ReadTimeout(f"nothing came within {limit:.0f} s") from error
    except LineEnded as error:
        raise httpx.ReadError(str(error)) from error
