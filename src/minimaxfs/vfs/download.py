"""One remote file while it is being read: what is on its way, and who waits for which bytes.

State only. It starts nothing and fetches nothing; `downloads` does.
"""

from dataclasses import dataclass, field

import trio

from minimaxfs.core.errors import FsError
from minimaxfs.core.ranges import Range, without
from minimaxfs.disk.block_file import BLOCK, BlockFile


@dataclass(slots=True, eq=False)
class Fetch:
    """A range on its way: its bytes are in the block file up to `reached`."""

    part: Range
    reached: int
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)

    @classmethod
    def of(cls, part: Range) -> "Fetch":
        """A fetch that has not begun."""
        return cls(part, part.start)

    @property
    def block_start(self) -> int:
        """Where the block begins that is being filled: `mark` takes it from there."""
        return self.reached // BLOCK * BLOCK


@dataclass(slots=True, eq=False)
class _Waiter:
    part: Range
    woken: trio.Event = field(default_factory=trio.Event)
    error: FsError | None = None


class Download:
    """The readers, fetches and blocks of one file of `size` bytes.

    `ahead` is the range that its last sequential reader may want next.
    """

    def __init__(self, file_id: int, blocks: BlockFile) -> None:
        self.file_id = file_id
        self.blocks = blocks
        self.users = 0
        self.ahead = Range(0, 0)
        self.fetches: list[Fetch] = []
        self.is_whole_stream = False
        self._waiters: list[_Waiter] = []

    @property
    def size(self) -> int:
        """Bytes of the remote file."""
        return self.blocks.size

    def wanted(self, part: Range) -> list[Range]:
        """The bytes of a range, in whole blocks, that are neither on disk nor on their way."""
        flying = [fetch.part for fetch in self.fetches]
        return [piece for run in self.blocks.absent(part) for piece in without(run, flying)]

    async def arrival(self, part: Range) -> None:
        """Return when the range is on disk, or when a fetch of it ended without bringing all of it.

        Raises the FsError that such a fetch failed with.
        """
        waiter = _Waiter(part)
        self._waiters.append(waiter)
        try:
            await waiter.woken.wait()
        finally:
            self._waiters.remove(waiter)
        if waiter.error is not None:
            raise waiter.error

    def advanced(self) -> None:
        """Blocks arrived: wake those whose bytes are all in."""
        for waiter in self._waiters:
            if not waiter.woken.is_set() and not self.blocks.absent(waiter.part):
                waiter.woken.set()

    def ended(self, fetch: Fetch, error: FsError | None) -> None:
        """A fetch is over: wake all that waited for a part of it, with its error if it had one."""
        self.fetches.remove(fetch)
        for waiter in self._waiters:
            if waiter.part.within(fetch.part):
                waiter.error = error if self.blocks.absent(waiter.part) else None
                waiter.woken.set()
