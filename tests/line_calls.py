"""What the tests of lines do with an exchange: ask, pour, read."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from minimaxfs.api.answer import Answer
from minimaxfs.api.exchange import Exchange, Outbound, Tls
from minimaxfs.api.line import Lines
from minimaxfs.api.local_line import LocalLines
from minimaxfs.api.pump import Pump
from minimaxfs.api.standing import Standing


@dataclass
class Asking:
    """An exchange over one kind of lines, and a file that bodies are poured into.

    `moved` is what was told of the last pour, `sent` the requests that went out.
    """

    exchange: Exchange
    path: Path
    limit: float = 20.0
    public_only: bool = False
    moved: list[int] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def get(self, url: str) -> AsyncIterator[Answer]:
        outbound = Outbound(
            what="a body",
            method="GET",
            url=url,
            on_sent=lambda: self.sent.append(url),
            read_limit=self.limit,
            public_only=self.public_only,
        )
        async with self.exchange.send(outbound) as answer:
            yield answer

    async def read(self, url: str) -> bytes:
        async with self.get(url) as answer:
            return await answer.read(1 << 30)

    async def pour(self, answer: Answer, count: int, offset: int = 0) -> None:
        self.moved.clear()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            await answer.pour(descriptor, offset, count, self.moved.append)
        finally:
            os.close(descriptor)

    async def poured(self, url: str, count: int, offset: int = 0) -> None:
        async with self.get(url) as answer:
            await self.pour(answer, count, offset)

    def written(self) -> bytes:
        return self.path.read_bytes()


@asynccontextmanager
async def asking_over(kind: str, path: Path) -> AsyncIterator[Asking]:
    """An exchange over the lines of a kind, "local" or "pump"; `path` is the file of its pours."""
    tls = Tls()
    lines: Lines = Pump(tls.authorities) if kind == "pump" else LocalLines(lambda: tls.context)
    exchange = Exchange(tls, lines, Standing(), direct=True)
    try:
        yield Asking(exchange, path)
    finally:
        await exchange.aclose()
