"""An answer whose head is here: its body as it comes, or into a file."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress

import httpx

from minimaxfs.api.line_body import LineBody
from minimaxfs.api.transport_errors import translated
from minimaxfs.core.errors import BrokenReply


class Answer:
    """An answer whose head is here; `chunk` gives its body piece by piece, `pour` into a file."""

    def __init__(self, what: str, response: httpx.Response) -> None:
        self.what = what
        self.status = response.status_code
        self.headers = _headers(response)
        self._response = response
        self._lined = response.stream if isinstance(response.stream, LineBody) else None
        self._chunks: AsyncIterator[bytes] = self._lined or response.aiter_raw()
        self._ended = False

    @property
    def can_pour(self) -> bool:
        """Whether the rest of the body has a known length, and can go into a file without passing by here."""
        return self._lined is not None and self._lined.left is not None

    async def pour(self, file: int, offset: int, count: int, moved: Callable[[int], None]) -> None:
        """Move the next `count` bytes into a file, telling `moved` how many are in it so far.

        Where fewer are left, or none can be poured, raises BrokenReply; OSError where the file takes none.
        """
        left = 0 if self._lined is None else self._lined.left or 0
        if self._lined is None or count > left:
            raise BrokenReply(f"{self.what}: {left} bytes are left of its body, not {count}")
        with translated(self.what):
            await self._lined.pour(file, offset, count, moved)

    async def chunk(self) -> bytes | None:
        """The next bytes, as they came; None at the end. Raises BrokenReply and TimedOut."""
        with translated(self.what):
            chunk = await anext(self._chunks, None)
        self._ended = chunk is None
        return chunk

    async def read(self, limit: int) -> bytes:
        """The rest of the body. Raises BrokenReply where it is longer than `limit` bytes."""
        body = bytearray()
        while (chunk := await self.chunk()) is not None:
            body += chunk
            if len(body) > limit:
                raise BrokenReply(f"{self.what}: the answer is longer than {limit} bytes")
        return bytes(body)

    @property
    def is_over(self) -> bool:
        """Whether all of it has come, and the connection is given back already."""
        return self._lined is not None and self._lined.has_ended

    async def finish(self) -> None:
        """Give the connection back, or close it if the body has not ended.

        httpx's nested generators are then run into the closed socket: left hanging, each would
        be reported by trio when it is collected.
        """
        await self._response.aclose()
        if not self._ended and self._lined is None:
            with suppress(httpx.HTTPError, httpx.StreamError):
                while await anext(self._chunks, None) is not None:
                    pass


def _headers(response: httpx.Response) -> Mapping[str, str]:
    """The headers, their names in lower case; several of one name are one with commas."""
    headers: dict[str, str] = {}
    for name, value in response.headers.multi_items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
