"""One draft on its way to the store: how far it is, and who waits for it. State only; `uploads` acts."""

import math
from dataclasses import dataclass, field

import trio

from minimaxfs.core.errors import FsError, Offline
from minimaxfs.core.files import RemoteFile
from minimaxfs.core.inodes import Draft, File


def _interrupted() -> FsError:
    """What an upload ends with that is not allowed to end."""
    return Offline("the drive ended before the upload did, which goes on at the next mount")


@dataclass(slots=True, eq=False)
class Upload:
    """A draft on its way. When it ends well its file takes the place of `over`, as `name`.

    `name` is None where the file keeps the name that it has by then. `tries` counts the failed ones,
    `sent` the bytes of this one, and `next_try` is when (trio's clock) the next one begins.
    """

    file: File
    draft: Draft
    name: str | None
    over: File | None
    persists: bool
    error: FsError | None = field(default_factory=_interrupted)
    tries: int = 0
    sent: int = 0
    next_try: float = -math.inf
    tried: trio.Event = field(default_factory=trio.Event)
    hurry: trio.Event = field(default_factory=trio.Event)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    ended: trio.Event = field(default_factory=trio.Event)

    @property
    def path(self) -> str:
        """Where its file is, or will be: below the mountpoint."""
        return f"{self.file.purpose.name}/{self.name}" if self.name else self.file.label

    @property
    def is_waiting(self) -> bool:
        """Whether it does nothing until its next try."""
        return self.next_try > -math.inf

    @property
    def replaced(self) -> list[RemoteFile]:
        """The versions in the store that go when the new one is there; none where nothing can go."""
        if not self.file.purpose.deletes:
            return []
        olds = (self.over.remote if self.over else None, self.file.remote)
        return [old for old in olds if old is not None]

    def wait_until(self, when: float) -> None:
        """The try failed, and the next one is at `when`: tell those who waited for this one."""
        self.next_try = when
        self.tried.set()

    def hasten(self) -> None:
        """Somebody wants to see a try: let the next one begin now."""
        if self.is_waiting:
            self.tried = trio.Event()
            self.hurry.set()

    def go_on(self) -> None:
        """The next try begins."""
        self.next_try = -math.inf
        self.hurry = trio.Event()
        if self.tried.is_set():
            self.tried = trio.Event()

    def progress(self, sent: int) -> None:
        """So many bytes have gone."""
        self.sent = sent
