"""The directory of block files, in which cleaners and others may have meddled, even under a running drive.

Whatever they did costs another fetch, and is said once. Nothing outside of it is ever touched.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from minimaxfs.disk.block_file import BlockFile
from minimaxfs.disk.sparse import Descriptor, Foreign, clear_away, create, create_nameless, open_ours

log = logging.getLogger(__name__)


class Places:
    """Opens and makes block files in `directory`; calls `on_loss` when all of it is gone."""

    def __init__(self, directory: Path, on_loss: Callable[[], None]) -> None:
        self._directory = directory
        self._on_loss = on_loss
        self._said: set[int] = set()

    def prepare(self) -> None:
        """Make the directory, where it is missing, private to this user. Raises OSError."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def reopen(self, file: BlockFile) -> bool:
        """Go on with what is on disk, if it is there and ours; whether the disk could say."""
        try:
            file.open(open_ours(file.path))
            file.recall()
        except FileNotFoundError as error:
            if self._directory.exists():
                self._say(file, error.strerror)
            else:
                self._begin_anew()
        except Foreign as error:
            self._say(file, error.strerror)
            clear_away(file.path)
        except OSError as error:
            self._say(file, error.strerror)
            return False
        return True

    def make(self, file: BlockFile) -> None:
        """Make a new file, with nothing in it. Raises OSError.

        What cannot be removed keeps its name; the file goes without one then, as if it were discarded,
        and ends with its users.
        """
        file.open(create_nameless(self._directory) if file.is_discarded else self._created(file))

    def _created(self, file: BlockFile) -> Descriptor:
        try:
            return create(file.path)
        except FileNotFoundError:
            self._begin_anew()
        except FileExistsError:
            self._say(file, "it is not a file of this drive")
            if not clear_away(file.path):
                file.is_discarded = True
                return create_nameless(self._directory)
        return create(file.path)

    def _say(self, file: BlockFile, why: str | None) -> None:
        if file.file_id not in self._said:
            self._said.add(file.file_id)
            log.warning("%s: %s; it is fetched again", file.path, why)

    def _begin_anew(self) -> None:
        log.warning("%s is gone; what it held is fetched again", self._directory)
        self._on_loss()
        with suppress(OSError):  # it is met again when a file is to be made
            self.prepare()
