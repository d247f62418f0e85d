"""The bytes of files, from a storage of which is remembered whether it can be reached."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from minimaxfs.api.client import Client
from minimaxfs.api.content import Content, Opened
from minimaxfs.api.endpoint import Operation
from minimaxfs.api.reach import Reach
from minimaxfs.core.signed_url import redacted


class ReachedContent(Content):
    """`Content` whose GETs of signed URLs fail at once while the storage is known to be out of reach."""

    def __init__(self, client: Client, *, on_request: Callable[[Operation], None]) -> None:
        super().__init__(client, on_request=on_request)
        self.reach = Reach()

    @asynccontextmanager
    async def open(self, url: str, start: int, stop: int | None = None) -> AsyncIterator[Opened]:
        """As `Content.open`."""
        with self.reach.trying(f"download of {redacted(url)}") as attempt:
            attempt.is_connected = True  # it may be: only the exchange could tell
            async with super().open(url, start, stop) as opened:
                attempt.answered()
                yield opened
