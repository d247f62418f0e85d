"""Where the bytes of remote files come from: a signed URL, or the file_id where there is none."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from minimaxfs.api.content import Content, Opened, UrlEnded
from minimaxfs.core.backoff import pause
from minimaxfs.core.errors import FsError
from minimaxfs.vfs.urls import SignedUrls

PATIENCE = 30.0
"""Seconds within which another try at learning a size may begin; each is silent for 20 s at most."""

FRESH_URLS = 2
"""How often a new URL is asked for without a pause: one may end just when it is handed out."""


class Origin:
    """The store, as one who reads bytes sees it."""

    def __init__(self, content: Content, urls: SignedUrls) -> None:
        self._content = content
        self._urls = urls

    async def gives_parts(self, file_id: int) -> bool:
        """Whether there is a URL, of which ranges cost nothing. Else each asking may cost money.

        A retrieve that this takes is tried again as often as it helps: its error is final.
        """
        return (await self._urls.address(file_id)).signed is not None

    @asynccontextmanager
    async def open(self, file_id: int, start: int, stop: int | None = None) -> AsyncIterator[Opened]:
        """Bytes `start` to `stop` (None: to the end) of a file, on their way: asked for once.

        Raises what `Content.open` and a retrieve raise. After UrlEnded, the next call asks for a new URL.
        """
        address = await self._urls.address(file_id)
        if address.signed is None:
            async with self._content.open_by_id(file_id, start, stop) as reply:
                yield reply
            return
        try:
            async with self._content.open(address.signed.url, start, stop) as reply:
                address.has_worked = True
                yield reply
        except UrlEnded:
            self._urls.ended(file_id, address)
            raise

    async def size(self, file_id: int) -> int:
        """The file's size in bytes, for one byte where the server says it, else for all of them."""
        failures, deadline = 0, trio.current_time() + PATIENCE
        while True:
            address = await self._urls.address(file_id)
            if address.size:
                return address.size
            try:
                return await self._measured(file_id)
            except FsError as error:
                failures += 1
                await wait_after(error, failures, deadline)

    async def _measured(self, file_id: int) -> int:
        async with self.open(file_id, 0, 1) as reply:
            if reply.total is not None:
                return reply.total
            if reply.whole:
                return await _count(reply)
        async with self.open(file_id, 0) as reply:
            return await _count(reply) if reply.total is None else reply.total

    async def told_size(self, file_id: int) -> int | None:
        """The file's size as a part of it says; None where the server gives no parts."""
        async with self.open(file_id, 0, 1) as reply:
            return None if reply.whole else reply.total


async def _count(reply: Opened) -> int:
    """The length of a body that does not say its own: there is no other way than to read it."""
    size = 0
    async for chunk in reply.chunks():
        size += len(chunk)
    return size


async def wait_after(error: FsError, failures: int, deadline: float) -> None:
    """Wait as it fits the error that the last of so many tries ended with, in a row.

    Raises it where nothing speaks for another try that begins before the deadline.
    """
    if isinstance(error, UrlEnded) and failures <= FRESH_URLS:
        return
    wait = pause(error, failures, random.random(), deadline - trio.current_time())
    if wait is None:
        raise error
    await trio.sleep(wait)
