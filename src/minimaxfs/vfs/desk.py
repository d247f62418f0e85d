"""What a person may ask about and do to uploads: see them, try one again, discard one."""

from dataclasses import dataclass

import trio

from minimaxfs.core.errors import NoSuchFile, NotPermitted
from minimaxfs.core.inodes import File
from minimaxfs.core.rules import Rules
from minimaxfs.core.tree import Tree
from minimaxfs.vfs.drafts import Drafts
from minimaxfs.vfs.kernel import Kernel
from minimaxfs.vfs.uploads import Uploads


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """A file that the store does not have as it is here. `path` is below the mountpoint.

    `size` and `sent` are bytes, `tries` those that failed, `next_try_in` seconds (None: no try is
    planned), `why` what the last try ended with.
    """

    path: str
    state: str
    size: int
    sent: int
    tries: int
    next_try_in: float | None
    why: str


class Desk:
    """Uploads by path."""

    def __init__(self, tree: Tree, drafts: Drafts, uploads: Uploads, kernel: Kernel, rules: Rules) -> None:
        self._rules = rules
        self._kernel = kernel
        self._tree = tree
        self._drafts = drafts
        self._uploads = uploads

    def uploads(self) -> list[UploadStatus]:
        """Every draft, by path."""
        return sorted((self._status(file) for file in self._tree.drafts()), key=lambda status: status.path)

    def _status(self, file: File) -> UploadStatus:
        draft, upload = file.draft, self._uploads.of(file)
        assert draft is not None
        now = trio.current_time()
        return UploadStatus(
            path=file.label,
            state=str(draft.state),
            size=draft.size,
            sent=upload.sent if upload else 0,
            tries=upload.tries if upload else 0,
            next_try_in=max(0.0, upload.next_try - now) if upload else None,
            why=draft.error or self._rules.keeps_here(file),
        )

    def _find(self, path: str) -> File:
        """The file of a path below the mountpoint that has a draft. Raises NoSuchFile."""
        purpose, _, name = path.partition("/")
        for file in self._tree.drafts():
            if (file.purpose.name, file.name) == (purpose, name):
                return file
        raise NoSuchFile(f"{path} has nothing that waits to be stored")

    async def retry(self, path: str) -> None:
        """Try an upload again, now, and return when the store has it.

        Raises what the upload raises, and NotPermitted for what is not meant for the store.
        """
        file = self._find(path)
        if file.draft is not None:
            file.draft.is_half, file.draft.refused = False, None
        reason = self._rules.keeps_here(file)
        if reason:
            raise NotPermitted(f"{path} is not for the store: {reason}")
        await self._uploads.store(file)

    async def discard(self, path: str) -> None:
        """Give up bytes that the store does not have; what it has of the file shows again.

        Raises NotPermitted while a program has the file open or its bytes are being sent.
        """
        file = self._find(path)
        upload = self._uploads.of(file)
        if file.handles > 0 or (upload is not None and not upload.is_waiting):
            raise NotPermitted(f"{path} is in use")
        await self._drafts.discard(file)
        if file.remote is not None:
            file.size = file.remote.size or None
            self._kernel.content_changed(file.number)
            return
        name, directory = file.name or "", self._tree.directory(file.purpose)
        self._tree.detach(file)
        self._kernel.name_gone(directory.number, name, file.number)

    async def settled(self) -> None:
        """Return when no upload is under way that could end by itself; those that wait are hurried."""
        uploads = self._uploads.running()
        for upload in uploads:
            upload.hasten()
        for upload in uploads:
            await upload.tried.wait()
