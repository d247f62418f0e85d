"""The spool: bytes that were written into the drive and that the store does not have yet.

One plain file a draft, named by its key. Once sealed (fsync, of the file and its directory),
a draft survives the process and the power.
"""

import os
from pathlib import Path

from minimaxfs.disk.faults import local_faults


class SpoolFile:
    """One draft's bytes, open for reading and writing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with local_faults("open a spool file"):
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @property
    def size(self) -> int:
        """Bytes in it."""
        return os.fstat(self._fd).st_size

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        with local_faults("read a spool file"):
            return os.pread(self._fd, size, offset)

    def write(self, offset: int, data: bytes) -> None:
        """All of the bytes, or LocalDiskFull."""
        view = memoryview(data)
        with local_faults("write to the spool"):
            while view:
                written = os.pwrite(self._fd, view, offset)
                view = view[written:]
                offset += written

    def truncate(self, size: int) -> None:
        """Cut, or extend by zeros."""
        with local_faults("truncate a spool file"):
            os.ftruncate(self._fd, size)

    def seal(self) -> None:
        """Make it durable. May take long: call it from a worker thread."""
        with local_faults("seal a spool file"):
            os.fsync(self._fd)
            directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def close(self) -> None:
        os.close(self._fd)


class Spool:
    """The directory of spool files; those in use stay open until they are released."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[int, SpoolFile] = {}

    def open(self) -> None:
        """Make the directory (0700)."""
        with local_faults("make the spool directory"):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, key: int) -> Path:
        """Where a draft's bytes are."""
        return self._directory / str(key)

    def file(self, key: int) -> SpoolFile:
        """A draft's bytes, opened at first use."""
        if key not in self._open:
            self._open[key] = SpoolFile(self.path(key))
        return self._open[key]

    def release(self, key: int) -> None:
        """Nobody uses the draft for now: give its descriptor back."""
        file = self._open.pop(key, None)
        if file is not None:
            file.close()

    def remove(self, key: int) -> None:
        """The bytes are not needed any more."""
        self.release(key)
        self.path(key).unlink(missing_ok=True)

    def close(self) -> None:
        """Give all descriptors back."""
        for key in list(self._open):
            self.release(key)
