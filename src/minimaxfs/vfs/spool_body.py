"""A sealed spool file as the body of an upload: read in pieces, in a thread, never whole."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import trio

from minimaxfs.core.errors import LocalFault
from minimaxfs.core.files import MIB
from minimaxfs.disk.spool import SpoolFile

PIECE = MIB
"""Bytes read from the spool at once, in a thread: the best of 64 KiB to 1 MiB under TLS."""


@dataclass(frozen=True, slots=True)
class SpoolBody:
    """`size` bytes of a spool file, which do not change meanwhile; `on_sent` is told how many went."""

    file: SpoolFile
    size: int
    on_sent: Callable[[int], None]

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes, from the first one on."""
        offset = 0
        while offset < self.size:
            piece = await trio.to_thread.run_sync(self.file.read, offset, min(PIECE, self.size - offset))
            if not piece:
                raise LocalFault("the spool file is shorter than it was when it was sealed")
            yield piece
            offset += len(piece)
            self.on_sent(offset)
