"""Files that wait for their record, and those whose record is being written.

A file is recorded after it was closed, and while it is open when no more blocks come for a while:
a film that is watched for hours should outlive a kill. Many are recorded in one turn of a thread: a
turn for each small file would cost more than its record.
"""

from collections.abc import Iterable

from minimaxfs.disk.block_file import BlockFile
from minimaxfs.disk.record import Record

_MOST = 128
"""Files that wait at most, each with a descriptor, of the 1,024 that a process is given."""


class RecordQueue:
    """The closed files, in the order in which they were closed, and what is known of those that are open."""

    def __init__(self) -> None:
        self._grown: dict[BlockFile, int] = {}  # when the last block came; negative once that is recorded
        self._waiting: dict[BlockFile, None] = {}
        self._under_way: dict[BlockFile, None] = {}

    @property
    def is_too_long(self) -> bool:
        """Whether nobody seems to come for the records."""
        return len(self._waiting) > _MOST

    def put(self, file: BlockFile) -> None:
        """The file is to be recorded."""
        self._waiting[file] = None

    def take_back(self, file: BlockFile) -> None:
        """The file is open again, or gone: it need not be recorded now."""
        self._waiting.pop(file, None)

    def begin(self, opened: Iterable[BlockFile]) -> list[Record]:
        """The records of all that wait, and of those `opened` that have got no blocks since the last call."""
        files = [*self._waiting, *self._quiet(opened)]
        self._waiting.clear()
        return [self._begin(file) for file in files]

    def begin_first(self) -> Record:
        """The record of the one that waits longest."""
        file = next(iter(self._waiting))
        del self._waiting[file]
        return self._begin(file)

    def _begin(self, file: BlockFile) -> Record:
        self._under_way[file] = None
        return file.record()

    def _quiet(self, opened: Iterable[BlockFile]) -> list[BlockFile]:
        before = self._grown
        self._grown = {file: file.map.grown for file in opened if file.is_unrecorded}
        found = [file for file, tick in self._grown.items() if before.get(file) == tick]
        for file, tick in self._grown.items():
            if abs(before.get(file, 0)) == tick:
                self._grown[file] = -tick
        return found

    def written(self) -> list[tuple[BlockFile, Record]]:
        """The files whose records are written now: once."""
        found = [(file, record) for file in self._under_way if (record := file.recorded()) is not None]
        for file, _ in found:
            del self._under_way[file]
        return found
