"""What is given back next when room is needed: used least recently first, the ends of files last.

Players and indexers look at the ends, and small files are nothing else: so they outlive the middles
of large files, as long as they take no more than their share. Beyond it they are as good as others.
"""

from collections.abc import Iterable
from functools import partial
from operator import itemgetter

from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BlockFile
from minimaxfs.disk.shelf import Shelf, Step

_SHARE_OF_ENDS = 4
"""The part (1/4) of the limit up to which small files are spared.

With half of it a stream would be left so little that it drives out what was fetched ahead for it.
"""


def next_step(shelf: Shelf, files: Iterable[BlockFile], limit: int) -> Step | None:
    """How to give something back, of what is on the shelf and of the files that are open; None: no way."""
    opened = [file for file in files if not file.cannot_punch]
    steps = [shelf.oldest_middle(), *(_oldest(file, file.map.middle) for file in opened if file.map.middle)]
    if shelf.ends > limit // _SHARE_OF_ENDS or not any(steps):
        steps.append(shelf.oldest_end())
    if not any(steps):
        steps += [_oldest(file, Range(0, file.map.count)) for file in opened]
    return min(filter(None, steps), key=itemgetter(0), default=None)


def _oldest(file: BlockFile, within: Range) -> Step | None:
    oldest = file.map.oldest(within)
    return oldest and (oldest[0], partial(file.evict, oldest[1]))
