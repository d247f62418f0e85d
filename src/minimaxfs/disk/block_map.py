"""Which blocks of a file are there, which are on their way, and what disk they take: no I/O.

A block is *charged* from when room is reserved for it until it is given back: so the limit holds
for what is still to come, too. Each fetch that is to bring a block has a *claim* on it, and a
block that is claimed is never evicted. It is *filled* from its first byte on, and whole, or present,
once its last one is in; until then its first bytes can be read as they come, and are not kept.

All maps have a byte a block, and are searched and changed in C: a note of 256 KiB costs microseconds.
"""

from collections.abc import Iterator

from minimaxfs.core.ranges import ABSENT, Range, absent, contained, covering
from minimaxfs.disk.ages import Ages
from minimaxfs.disk.commons import BLOCK, PAGE, Commons

WRITTEN = 1
"""In the file, by this process: no record has its checksum yet."""

RECORDED = 2
"""In the file, says the record: to be verified when it is first read."""

VERIFIED = 3
"""In the file, and what the record says."""

END = 256 * 1024
"""Bytes at the beginning and at the end of a file that are kept longest: players and indexers look there."""

_EXTENTS = 128
"""Blocks for which a page of the file system's own is counted: it needs one for 340 pieces of a file."""

_ARRIVE = bytes([WRITTEN, *range(1, 256)])
_MORE = bytes([*range(1, 256), 255])
_LESS = bytes([0, *range(255)])
_IS_0 = bytes([1] + [0] * 255)
_IS_NOT_0 = bytes([0] + [1] * 255)


class BlockMap:
    """The blocks of a file of `size` bytes; `held` are the bytes of disk that they and `extra` may take.

    `grown` is the tick at which the last block became whole.
    """

    def __init__(self, size: int, extra: int, commons: Commons) -> None:
        self.size = size
        self.count = -(-size // BLOCK)
        self.states = bytearray(self.count)
        self.held = 0
        self.grown = 0
        self.middle = Range(END // BLOCK, max(END // BLOCK, (size - END) // BLOCK))  # of the blocks
        self._commons = commons
        self._extra = extra + PAGE * (self.count // _EXTENTS + (self.count > 3))
        self._short = self.count * BLOCK - -(-size // PAGE) * PAGE  # by so much is the last block shorter
        self._charged = bytearray(self.count)
        self._claims = bytearray(self.count)
        self.ages = Ages(self.count, commons)
        self._filled: dict[int, int] = {}  # block → its bytes so far, of those that are not whole yet

    def bytes_of(self, blocks: Range) -> Range:
        """The bytes of a run of blocks."""
        return Range(blocks.start * BLOCK, min(self.size, blocks.stop * BLOCK))

    def recall(self, flags: bytes) -> None:
        """A record says which blocks are there."""
        self.states[:] = flags.translate(bytes([ABSENT] + [RECORDED] * 255))
        for run in absent(self.states.translate(_IS_0), Range(0, self.count)):
            self.charge(self.bytes_of(run))
            self.ages.use(*run)

    def take_all(self) -> None:
        """All blocks were put there by this process."""
        self.states[:] = bytes([WRITTEN]) * self.count
        self.charge(Range(0, self.size))
        if self.count:
            self.ages.use(0, self.count)

    def forget_all(self) -> None:
        """Nothing is there any more, and no room is taken."""
        self._commons.used -= self.held
        self.held = 0
        self._charged[:] = self._claims[:] = bytes(self.count)
        self.lose(Range(0, self.count))

    def has(self, part: Range) -> bool:
        """Whether all bytes of a range are in, also of a block that is only begun."""
        for run in absent(self.states, covering(part, BLOCK)):
            for index in range(*run):
                if self._filled.get(index, 0) < min(part.stop - index * BLOCK, BLOCK):
                    return False
        return True

    def lacking(self, part: Range) -> int:
        """Bytes of disk that writing a range will take beyond those that are held."""
        blocks = covering(part, BLOCK)
        count = self._charged.count(0, *blocks)
        is_last = count > 0 and blocks.stop == self.count and not self._charged[-1]
        return self._cost(count, is_last) + (0 if self.held or not count else self._extra)

    def _cost(self, count: int, is_last: bool) -> int:
        return count * BLOCK - self._short * is_last

    def charge(self, part: Range) -> None:
        """The blocks that a range touches take up room from now on, if they did not before."""
        size = self.lacking(part)
        if size:
            start, stop = covering(part, BLOCK)
            self._charged[start:stop] = b"\1" * (stop - start)
            self.held += size
            self._commons.used += size

    def discharge(self, blocks: Range) -> None:
        """The disk has the room of these blocks back."""
        count = self._charged.count(1, *blocks)
        size = self._cost(count, count > 0 and blocks.stop == self.count and self._charged[-1] == 1)
        self._charged[blocks.start : blocks.stop] = bytes(blocks.size)
        if size and size + self._extra >= self.held:
            size = self.held
        self.held -= size
        self._commons.used -= size

    def claim(self, part: Range) -> None:
        """A range is going to be written: until it is, or is given up, its blocks stay."""
        start, stop = covering(part, BLOCK)
        self._claims[start:stop] = self._claims[start:stop].translate(_MORE)

    def unclaim(self, part: Range, *, spare_filled: bool = False) -> list[Range]:
        """A claim on a range ends. Forget, and answer, the blocks that nobody brings now.

        `spare_filled` keeps those of which the first bytes are in.
        """
        start, stop = covering(part, BLOCK)
        self._claims[start:stop] = self._claims[start:stop].translate(_LESS)
        if self.states.find(ABSENT, start, stop) == -1:
            return []
        spared = self._filled.keys() if spare_filled else ()
        gone = [index for index in range(start, stop) if self._is_forsaken(index) and index not in spared]
        runs = [Range(index, index + 1) for index in gone]
        for run in runs:
            self.discharge(run)
            self.lose(run)
        return runs

    def _is_forsaken(self, index: int) -> bool:
        """Whether it takes up room, and is neither whole nor claimed."""
        return self.states[index] == ABSENT and self._charged[index] == 1 and not self._claims[index]

    def is_claimed(self, index: int) -> bool:
        """Whether somebody is to write the block."""
        return self._claims[index] > 0

    def wrote(self, part: Range) -> bool:
        """A range is in the file; whether that made a block whole."""
        if not part:
            return False
        start, stop = covering(part, BLOCK)
        inner = contained(part, BLOCK, self.size)
        self.charge(part)
        self.ages.use(start, stop)
        before = self.states.count(ABSENT, start, stop)
        if inner:
            self._arrive(inner)
        for index in {start, stop - 1}.difference(range(*inner)):
            self._fill(index, part)
        if self.states.count(ABSENT, start, stop) == before:
            return False
        self.grown = self._commons.tick()
        return True

    def _arrive(self, blocks: Range) -> None:
        start, stop = blocks
        self.states[start:stop] = self.states[start:stop].translate(_ARRIVE)
        self._no_longer_begun(blocks)

    def _no_longer_begun(self, blocks: Range) -> None:
        for index in [index for index in self._filled if blocks.start <= index < blocks.stop]:
            del self._filled[index]

    def _fill(self, index: int, part: Range) -> None:
        """A part of a block was written. It is whole if no byte before that was missing."""
        if self.states[index] != ABSENT:
            return
        block = self.bytes_of(Range(index, index + 1))
        filled = self._filled.get(index, 0)
        if part.start - block.start <= filled:
            filled = max(filled, min(part.stop, block.stop) - block.start)
        if filled < block.size:
            self._filled[index] = filled
        else:
            self._arrive(Range(index, index + 1))

    def passed(self, part: Range) -> list[Range]:
        """A fetch wrote a range, and is done with the blocks that end in it; those that are not whole yet."""
        ended = Range(part.start // BLOCK, contained(part, BLOCK, self.size).stop)
        return self.unclaim(self.bytes_of(ended)) if ended else []

    def unfinished(self) -> list[Range]:
        """Forget, and answer, the blocks that are not whole: nobody goes on with them."""
        self._claims[:] = bytes(self.count)
        return self.unclaim(Range(0, self.size)) if self._charged.count(1) else []

    def lose(self, blocks: Range) -> None:
        """These blocks are gone, or no longer to be believed."""
        self.states[blocks.start : blocks.stop] = bytes(blocks.size)
        self._no_longer_begun(blocks)
        self.ages.lose(blocks, self.states)

    def oldest(self, within: Range) -> tuple[int, Range] | None:
        """The blocks that were used longest ago, of those that may be given back, and when that was."""
        for used, blocks in self.ages.oldest_first(within):
            for run in self._evictable(blocks):
                return used, Range(run.start, blocks.stop)
        return None

    def _evictable(self, blocks: Range) -> Iterator[Range]:
        """The runs of these blocks that are present, and that nobody has a claim on."""
        start, stop = blocks
        gone = int.from_bytes(self.states[start:stop].translate(_IS_0), "big")
        claimed = int.from_bytes(self._claims[start:stop].translate(_IS_NOT_0), "big")
        kept = bytearray((gone | claimed).to_bytes(stop - start, "big"))
        for run in absent(kept, Range(0, len(kept))):
            yield Range(start + run.start, start + run.stop)

    def first(self, blocks: Range, size: int) -> Iterator[Range]:
        """Of these blocks, as many that may be evicted as make up `size` bytes, if there are as many."""
        count = -(-size // BLOCK)
        for run in self._evictable(blocks):
            if count <= 0:
                return
            yield Range(run.start, min(run.stop, run.start + count))
            count -= run.size
