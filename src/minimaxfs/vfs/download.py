"""One remote file while it is being read: what is on its way, and who waits for which bytes.

State only. It starts nothing and fetches nothing; `downloads` does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from minimaxfs.core.errors import FsError, LocalDiskFull
from minimaxfs.core.files import MIB
from minimaxfs.core.ranges import Range, pieces, without
from minimaxfs.core.window import STEP
from minimaxfs.disk.block_file import BLOCK, BlockFile

WHOLE = STEP
"""Bytes up to which a file comes whole in one GET."""

NEAR = MIB
"""Bytes behind what a fetch has reached for which a reader waits; for more it asks by itself."""

MOST_ASKED = 16
"""Ranges of one file that are asked for at once because somebody waits: one stalled file stops no other."""

Sink = Callable[[int, bytes], None]
"""Takes the bytes that come, and the offset of the first of them."""


@dataclass(slots=True, eq=False)
class Fetch:
    """A range on its way, of which the bytes up to `reached` are in the blocks, or in `sink`.

    Up to `reserved` there is room for them. `is_ahead` says that nobody asked for it yet;
    `full_at` is the offset at which the disk was last found to be full.
    """

    part: Range
    reached: int
    sink: Sink | None = None
    reserved: int = 0
    is_ahead: bool = False
    full_at: int = -1
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)

    @classmethod
    def of(cls, part: Range, sink: Sink | None = None, *, is_ahead: bool = False) -> "Fetch":
        """A fetch that has not begun."""
        return cls(part, part.start, sink, is_ahead=is_ahead)

    @property
    def rest(self) -> Range:
        """The bytes that are still to come."""
        return Range(self.reached, self.part.stop)

    @property
    def coming(self) -> Range:
        """The bytes that nobody else need fetch: the block that is being filled is one of them."""
        return Range(max(self.part.start, self.reached // BLOCK * BLOCK), self.part.stop)


@dataclass(slots=True, eq=False)
class _Waiter:
    part: Range
    woken: trio.Event = field(default_factory=trio.Event)
    error: FsError | None = None


class Download:
    """The readers, fetches and blocks of one file of `size` bytes.

    `ahead` is the range that its last sequential reader may want next. A file that is `in_one_piece`
    is streamed to its end: its server gives no parts of it, or takes money for each.
    """

    def __init__(self, file_id: int, blocks: BlockFile) -> None:
        self.file_id = file_id
        self.blocks = blocks
        self.users = 0
        self.ahead = Range(0, 0)
        self.fetches: list[Fetch] = []
        self.in_one_piece = False
        self.has_failed = False
        self.places = trio.CapacityLimiter(MOST_ASKED)
        self._waiters: list[_Waiter] = []

    @property
    def size(self) -> int:
        """Bytes of the remote file."""
        return self.blocks.size

    @property
    def is_idle(self) -> bool:
        """Whether nobody reads it, and nothing is on its way into it."""
        return self.users == 0 and not self.fetches

    def wanted(self, part: Range) -> list[Range]:
        """The bytes of a range, in whole blocks, that are neither on disk nor on their way."""
        return self._not_coming(part, [fetch.coming for fetch in self.fetches])

    def _not_coming(self, part: Range, coming: list[Range]) -> list[Range]:
        return [piece for run in self.blocks.absent(part) for piece in without(run, coming)]

    def plan(self, part: Range, edge: int, step: int) -> list[Range]:
        """What to fetch now for a read: as few ranges as there can be, ended by multiples of `step`.

        They begin within `part`, and go on beyond it where the bytes up to `edge` are wanted too.
        """
        if self.size <= WHOLE:
            part = Range(0, self.size)
        if self.size <= WHOLE or self.in_one_piece:
            edge = step = self.size
        coming = [fetch.coming for fetch in self.fetches if self._is_near(fetch, part.start)]
        absent = self._not_coming(part, coming)
        runs = (self._not_coming(Range(run.start, max(run.stop, edge)), coming)[0] for run in absent)
        return [piece for run in runs for piece in pieces(run, step) if piece.start < part.stop]

    def _is_near(self, fetch: Fetch, offset: int) -> bool:
        """Whether a fetch will soon be at an offset: what is asked now waits for nothing of later."""
        return self.in_one_piece or not fetch.is_ahead or offset - fetch.reached <= NEAR

    def widen(self, fetch: Fetch, part: Range) -> None:
        """A fetch brings more than was asked for, and takes the place of those for the rest of it."""
        self.in_one_piece = True
        fetch.part, fetch.reached = part, part.start

    def is_covered(self, fetch: Fetch) -> bool:
        """Whether another fetch brings all that this one still has to bring into the blocks."""
        rest = fetch.rest
        return fetch in self.fetches and any(
            other is not fetch
            and other.coming.start <= rest.start
            and rest.stop <= other.part.stop
            and self._is_near(other, rest.start)
            for other in self.fetches
        )

    async def arrival(self, part: Range) -> None:
        """Return when the range is on disk, or when some of it is no longer on its way.

        Raises what its fetch failed with.
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
        """Bytes arrived: wake those whose own are all in."""
        for waiter in self._waiters:
            if not waiter.woken.is_set() and self.blocks.has(waiter.part):
                waiter.woken.set()

    def ended(self, fetch: Fetch, error: FsError | None) -> None:
        """A fetch is over: wake those who wait for what it did not bring, with its error if it had one."""
        self.fetches.remove(fetch)
        self.has_failed = error is not None
        if fetch.is_ahead and isinstance(error, LocalDiskFull):
            error = None  # who waits asks for it by itself, and then older blocks give way
        for waiter in self._waiters:
            if error is not None and self.wanted(waiter.part.within(fetch.part)):
                waiter.error = error
                waiter.woken.set()
            elif self.blocks.has(waiter.part) or self.wanted(waiter.part):
                waiter.woken.set()
