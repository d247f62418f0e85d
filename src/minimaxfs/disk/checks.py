"""Which recorded blocks are still to be verified, and the checks of them that are under way."""

from array import array
from collections.abc import Callable, Mapping

from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_map import RECORDED, VERIFIED, WRITTEN, BlockMap
from minimaxfs.disk.load import Check
from minimaxfs.disk.sparse import Descriptor


class Checks:
    """The checksums of a file's blocks, and what of them is being compared with the disk."""

    def __init__(self, blocks: BlockMap) -> None:
        self.sums = array("I", bytes(4 * blocks.count))
        self._map = blocks
        self._under_way: list[Check] = []

    def needed(self, descriptor: Descriptor, blocks: Range, ahead: Range) -> list[Check]:
        """What is to be run before these blocks are believed; those `ahead` are verified with them."""
        if self._map.states.find(RECORDED, *blocks) == -1:
            return []
        checks = [check for check in self._under_way if check.touches(blocks)]
        under_way = {index for check in self._under_way for index in check.sums}
        new = {
            index: self.sums[index]
            for index in range(blocks.start, max(blocks.stop, ahead.stop))
            if self._map.states[index] == RECORDED and index not in under_way
        }
        if any(blocks.start <= index < blocks.stop for index in new):
            check = Check(descriptor, self._map.size, new)
            self._under_way.append(check)
            checks.append(check)
        return checks

    def settle(self, check: Check) -> list[int]:
        """Believe the blocks that passed, and answer those that did not: once, whoever comes first."""
        if check not in self._under_way or check.rotten is None:
            return []
        self._under_way.remove(check)
        recorded = [index for index in check.sums if self._map.states[index] == RECORDED]
        for index in recorded:
            self._map.states[index] = VERIFIED
        return [index for index in recorded if index in check.rotten]

    def learn(self, taken: Mapping[int, int], were_lost: Callable[[Range], bool]) -> None:
        """Checksums of blocks were recorded: those that are still what they were need no other record."""
        is_whole = not were_lost(Range(0, self._map.count))
        for index, checksum in taken.items():
            if self._map.states[index] == WRITTEN and (is_whole or not were_lost(Range(index, index + 1))):
                self._map.states[index] = VERIFIED
                self.sums[index] = checksum
