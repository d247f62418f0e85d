"""What the tests of the API send and read, and a meter of what they asked."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from minimaxfs.api.content import Opened
from minimaxfs.api.endpoint import Operation

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Repeated:
    """A body of `size` bytes that takes no memory; `pattern` is a mebibyte at most."""

    size: int
    pattern: bytes = b"minimaxfs"

    async def pieces(self) -> AsyncIterator[bytes]:
        piece = (self.pattern * (MIB // len(self.pattern) + 1))[:MIB]
        for start in range(0, self.size, MIB):
            yield piece[: self.size - start]


@dataclass(frozen=True, slots=True)
class Bytes:
    """A body of the bytes of `data`; `size` may be a lie."""

    data: bytes
    claimed: int | None = None

    @property
    def size(self) -> int:
        return len(self.data) if self.claimed is None else self.claimed

    async def pieces(self) -> AsyncIterator[bytes]:
        yield self.data


def count(sent: Counter[Operation]) -> Callable[[Operation], None]:
    """An `on_request` that counts."""

    def note(operation: Operation) -> None:
        sent[operation] += 1

    return note


async def read(opening: AbstractAsyncContextManager[Opened]) -> bytes:
    """All bytes of what is opened."""
    async with opening as opened:
        return b"".join([chunk async for chunk in opened.chunks()])
