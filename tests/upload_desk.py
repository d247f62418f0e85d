"""A desk whose uploads a test makes up, and a control socket for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from minimaxfs import sockets
from minimaxfs.control import Control
from minimaxfs.core.errors import FsError, NoSuchFile
from minimaxfs.ending import Ending
from minimaxfs.vfs.desk import UploadStatus


def upload(
    path: str = "t2a_async_input/a.txt", state: str = "sending", next_try_in: float | None = 0
) -> UploadStatus:
    return UploadStatus(path, state, size=1000, sent=400, tries=0, next_try_in=next_try_in, why="")


WAITING = upload("t2a_async_input/w.txt", "sealed", 60.0)
FAILED = upload("t2a_async_input/f.txt", "failed", None)
OPEN = upload("t2a_async_input/.o.txt", "open", None)


@dataclass
class UploadDesk:
    """`error` is what a retry ends with, once `answered` is set."""

    listed: list[UploadStatus] = field(default_factory=list)
    error: FsError | None = None
    answered: trio.Event = field(default_factory=trio.Event)
    retried: list[str] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    hurried: int = 0

    def uploads(self) -> list[UploadStatus]:
        return list(self.listed)

    async def retry(self, path: str) -> None:
        self.retried.append(path)
        await self.answered.wait()
        if self.error is not None:
            raise self.error

    async def discard(self, path: str) -> None:
        await trio.lowlevel.checkpoint()
        if path not in {one.path for one in self.listed}:
            raise NoSuchFile(f"{path} has nothing that waits to be stored")
        self.discarded.append(path)

    async def settled(self) -> None:
        await trio.lowlevel.checkpoint()
        self.hurried += 1


@asynccontextmanager
async def controlled(place: Path, desk: UploadDesk, mountpoint: str = "/drive") -> AsyncIterator[Ending]:
    """A drive that answers commands, and has nothing else."""
    ending = Ending(desk, lambda: False, 30.0)
    with sockets.claimed(place, "work") as listener:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Control(mountpoint, "work", desk, ending).serve, listener)
            yield ending
            nursery.cancel_scope.cancel()
