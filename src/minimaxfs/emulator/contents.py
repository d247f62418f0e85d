"""Where the bytes lie: a directory with one subdirectory for each purpose. Synchronous.

Plain files that are there at start are offered by the store and never touched. Uploads come to lie beside
them, under their own name where it is a harmless one and free, and those go when they are deleted.
"""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minimaxfs.emulator.messages import Content, OnDisk, StoredFile
from minimaxfs.emulator.purposes import RULES

_INCOMING = ".incoming"


class Contents:
    """A directory of contents; `prepare` makes what is missing of it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._counter = itertools.count()

    def prepare(self) -> None:
        (self._root / _INCOMING).mkdir(parents=True, exist_ok=True)

    def offered(self) -> Iterator[tuple[str, Path]]:
        """Purpose and path of each plain file below a directory that has a purpose's name, in order."""
        for purpose in RULES:
            directory = self._root / purpose
            found = sorted(directory.iterdir()) if directory.is_dir() else []
            yield from ((purpose, path) for path in found if path.is_file() and not path.name.startswith("."))

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A path for the bytes of an upload; what is not kept goes at the end."""
        path = self._root / _INCOMING / f"{os.getpid()}-{next(self._counter)}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def keep(self, stored: StoredFile) -> Content:
        """Move an upload's bytes to their place."""
        if not isinstance(stored.content, OnDisk):
            return stored.content
        directory = self._root / stored.purpose
        directory.mkdir(exist_ok=True)
        place = directory / stored.filename if _harmless(stored.filename) else directory / str(stored.file_id)
        if place.exists():
            place = directory / f"{stored.file_id}{place.suffix}"
        stored.content.path.rename(place)
        return OnDisk(place, stored.size, owned=True)

    def free(self, stored: StoredFile) -> None:
        """Remove a deleted file's bytes, if they came by an upload."""
        if isinstance(stored.content, OnDisk) and stored.content.owned:
            stored.content.path.unlink(missing_ok=True)


def _harmless(filename: str) -> bool:
    if filename.startswith(".") or not filename or "/" in filename or "\0" in filename:
        return False
    return len(filename.encode("utf-8", "replace")) <= 255


@contextmanager
def contents_at(root: Path | None) -> Iterator[Contents]:
    """Contents in this directory, or in a private one that is removed at the end."""
    if root is not None:
        contents = Contents(root)
        contents.prepare()
        yield contents
        return
    with tempfile.TemporaryDirectory(prefix="minimaxfs-emulator-", ignore_cleanup_errors=True) as private:
        contents = Contents(Path(private))
        contents.prepare()
        yield contents
