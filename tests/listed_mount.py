"""The listings of one mount without the rest of it."""

from dataclasses import dataclass

from minimaxfs.core.files import PURPOSES, Purpose, RemoteFile
from minimaxfs.core.inodes import Directory
from minimaxfs.core.tree import Tree
from minimaxfs.disk.database import Database
from minimaxfs.disk.ledger import Ledger
from minimaxfs.vfs.listings import Listings
from reading_side import ReadingSide
from recording_kernel import RecordingKernel

VOICES, VIDEOS = "voice_clone", "video_generation"


@dataclass
class Mount:
    """The listings of one mount, and the tree that they fill."""

    tree: Tree
    listings: Listings
    ledger: Ledger
    kernel: RecordingKernel

    @classmethod
    def of(cls, side: ReadingSide, database: Database, purposes: tuple[Purpose, ...] = PURPOSES) -> "Mount":
        tree, ledger, kernel = Tree(purposes), Ledger(database), RecordingKernel()
        mount = cls(
            tree, Listings(side.client, tree, ledger, side.blocks, kernel, _no_doubts), ledger, kernel
        )
        mount.listings.load()
        return mount

    def directory(self, purpose: str) -> Directory:
        directory = self.tree.root.names[purpose]
        assert isinstance(directory, Directory)
        return directory

    async def names(self, purpose: str) -> list[str]:
        """What `ls` shows."""
        await self.listings.refresh(self.directory(purpose))
        return sorted(self.directory(purpose).names)


async def _no_doubts(_purpose: Purpose, _listing: list[RemoteFile]) -> None:
    """No draft of this mount is doubtful."""
