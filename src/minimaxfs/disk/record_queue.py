"""Closed files that wait for their record, and those whose record is being written.

Many are recorded in one turn of a thread: a turn for each small file would cost more than its record.
"""

from minimaxfs.disk.block_file import BlockFile
from minimaxfs.disk.record import Record

_MOST = 128
"""Files that wait at most, each with a descriptor, of the 1,024 that a process is given."""


class RecordQueue:
    """The files, in the order in which they were closed; nobody has them open."""

    def __init__(self) -> None:
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

    def begin(self) -> list[Record]:
        """The records of all that wait, to be written."""
        return [self.begin_first() for _ in range(len(self._waiting))]

    def begin_first(self) -> Record:
        """The record of the one that waits longest."""
        file = next(iter(self._waiting))
        del self._waiting[file]
        self._under_way[file] = None
        return file.record()

    def written(self) -> list[tuple[BlockFile, Record]]:
        """The files whose records are written now: once."""
        found = [(file, record) for file in self._under_way if (record := file.recorded()) is not None]
        for file, _ in found:
            del self._under_way[file]
        return found
