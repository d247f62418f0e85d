"""The bytes of files: ranged GETs of signed URLs, without the key, and `retrieve_content`, with it.

One question is one request, plus up to three redirects (see `gets`). Nothing is tried twice: who reads
knows which bytes are still wanted. All bytes that come out were checked against the answer's head, and a
body that ends early or late ends in an error.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from minimaxfs.api.answer import Answer
from minimaxfs.api.asks import Reply
from minimaxfs.api.client import Client
from minimaxfs.api.endpoint import Operation
from minimaxfs.api.framing import Framing, framing, range_header
from minimaxfs.api.gets import Gets
from minimaxfs.api.links import redirection
from minimaxfs.api.refusals import refusal_by_status
from minimaxfs.core.errors import AccessRefused, BrokenReply, FsError


class UrlEnded(AccessRefused):
    """A signed URL is refused: it has ended, or was altered. A new one may work."""

    advice = "The store refuses its own download link, also a new one: check the clock of this machine."


class Opened:
    """Bytes on their way: `start` to `stop` of a file of `total` bytes (None: not known).

    `start` is 0 and `whole` true where the server sends the entire file, asked for or not.
    """

    def __init__(self, answer: Answer, frame: Framing) -> None:
        self.start = frame.start
        self.stop = frame.stop
        self.total = frame.total
        self.whole = frame.whole
        self._answer = answer
        self._at = frame.start

    def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, once, in the pieces in which they come. Raises BrokenReply and TimedOut."""
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = None if self._answer.status == 416 else await self._answer.chunk()
        if chunk is None:
            self._check_end()
            raise StopAsyncIteration
        self._at += len(chunk)
        if self.stop is not None and self._at > self.stop:
            raise BrokenReply(f"{self._answer.what}: more bytes came than were promised")
        return chunk

    @property
    def can_pour(self) -> bool:
        """Whether the bytes can go into a file without passing by here."""
        return self.stop is not None and self._answer.can_pour

    async def pour(self, file: int, count: int, moved: Callable[[int], None]) -> None:
        """Move the next `count` bytes into a file, to their own offsets, telling `moved` how many are there.

        Raises BrokenReply and TimedOut, and OSError where the file does not take them.
        """
        await self._answer.pour(file, self._at, count, moved)
        self._at += count

    def _check_end(self) -> None:
        if self.stop is not None and self._at < self.stop:
            missing = self.stop - self._at
            raise BrokenReply(f"{self._answer.what}: the answer ended {missing} bytes early")


class Content:
    """Reads files of the store that `client` speaks to. Close it with `aclose`.

    `on_request` is called as `Client`'s is, for each GET of a signed URL.
    """

    def __init__(self, client: Client, *, on_request: Callable[[Operation], None]) -> None:
        self._client = client
        self._gets = Gets(
            client.tls,
            client.standing,
            local=client.endpoint.local,
            on_sent=lambda: on_request(Operation.download),
        )

    async def prepare(self) -> None:
        """Start what the first GET would have to wait for: it costs no request."""
        await self._gets.prepare()

    async def aclose(self) -> None:
        await self._gets.aclose()

    @asynccontextmanager
    async def open(self, url: str, start: int, stop: int | None = None) -> AsyncIterator[Opened]:
        """Bytes `start` to `stop` (None: to the end) of what is behind `url`, for the length of the block.

        Where `start` is at or past the end, no bytes come and `total` says why. Raises UrlEnded,
        NoSuchFile, RateLimited, ServerFailed, TimedOut, Offline and BrokenReply.
        """
        async with self._gets.get(url, range_header(start, stop), stop and stop - start) as answer:
            yield _opened(answer, start, stop)

    @asynccontextmanager
    async def open_by_id(self, file_id: int, start: int, stop: int | None = None) -> AsyncIterator[Opened]:
        """The same by `retrieve_content`. Raises what `open` does, and the errors of the API."""
        wanted = range_header(start, stop)
        async with self._client.content(file_id, wanted) as answer:
            link = redirection(answer.status, answer.headers, self._client.endpoint.origin)
            if link is None:
                if answer.status not in (200, 206, 416) or _is_json(answer):
                    raise await self._client.refusal(file_id, answer)
                yield _opened(answer, start, stop)
                return
        async with self._gets.get(link, wanted, stop and stop - start) as answer:
            yield _opened(answer, start, stop)

    async def probe(self, url: str) -> int | None:
        """The file's size in bytes, for one request of one byte; None where the server does not say."""
        async with self.open(url, 0, 1) as opened:
            return await _size(opened)

    async def probe_by_id(self, file_id: int) -> int | None:
        """The same by `retrieve_content`."""
        async with self.open_by_id(file_id, 0, 1) as opened:
            return await _size(opened)


async def _size(opened: Opened) -> int | None:
    if not opened.whole or opened.stop == 1:
        # The one byte is read, so that the connection can be used again.
        async for _ in opened.chunks():
            pass
    return opened.total


def _opened(answer: Answer, start: int, stop: int | None) -> Opened:
    frame = framing(answer.what, answer.status, answer.headers, start, stop)
    if frame is None:
        raise _refused(answer)
    return Opened(answer, frame)


def _refused(answer: Answer) -> FsError:
    status = answer.status
    kind = UrlEnded if status in (401, 403) else refusal_by_status(Operation.download, status, json=False)
    reply = Reply(status, answer.headers)
    return kind(f"{answer.what}: HTTP {status}", code=status, retry_after=reply.retry_after)


def _is_json(answer: Answer) -> bool:
    """JSON in place of bytes is an error; a 206 carries the part that was asked for, whatever its type."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return answer.status != 206 and (kind == "application/json" or kind.endswith("+json"))
