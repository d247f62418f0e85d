"""When the parts of a file were used last, and when blocks of them were lost.

A part is a segment (see `commons`): to tell single blocks apart would cost more than it saves.
"""

from collections.abc import Iterator

from minimaxfs.core.ranges import Range, covering
from minimaxfs.disk.commons import BLOCK, Commons

_NEVER = 1 << 62
"""When a segment was used in which nothing is."""


class Ages:
    """The ages of a file of `count` blocks, in ticks of the directory that it is in."""

    def __init__(self, count: int, commons: Commons) -> None:
        self._commons = commons
        self._size = commons.segment // BLOCK
        segments = -(-count // self._size)
        self._used = [_NEVER] * segments
        self._lost = [0] * segments

    def use(self, start: int, stop: int) -> None:
        """These blocks, one at least, were used now."""
        now = self._commons.tick()
        first, last = start // self._size, (stop - 1) // self._size
        self._used[first] = now
        for segment in range(first + 1, last + 1):
            self._used[segment] = now

    def lose(self, blocks: Range, states: bytearray) -> None:
        """These blocks are gone now; `states` says what is left around them."""
        now = self._commons.tick()
        for segment in range(*covering(blocks, self._size)):
            self._lost[segment] = now
            start = segment * self._size
            if not any(states[start : start + self._size]):
                self._used[segment] = _NEVER

    def were_lost(self, blocks: Range, since: int) -> bool:
        """Whether any of these blocks, or of their neighbours, was lost after the tick `since`."""
        return any(self._lost[segment] > since for segment in range(*covering(blocks, self._size)))

    def oldest_first(self, within: Range) -> Iterator[tuple[int, Range]]:
        """The blocks of each segment in which something is, and when they were used."""
        segments = [one for one in range(*covering(within, self._size)) if self._used[one] != _NEVER]
        for segment in sorted(segments, key=self._used.__getitem__):
            start = segment * self._size
            yield self._used[segment], Range(start, start + self._size).within(within)
