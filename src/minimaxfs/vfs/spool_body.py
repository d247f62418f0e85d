"""A sealed spool file as the body of an upload: read in pieces, in a thread, never whole."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import trio

from minimaxfs.core.errors import LocalFault
from minimaxfs.core.files import MIB
from minimaxfs.disk.spool import SpoolFile

PIECE = MIB
"""Bytes read from the spool at once, in a thread: the best of 64 KiB to 1 MiB under TLS."""


@dataclass(frozen=True, slots=True)
class SpoolBody:
    """`size` bytes of a spool file, which do not change while they are sent."""

    file: SpoolFile
    size: int

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes, from the first one on."""
        offset = 0
        while offset < self.size:
            piece = await trio.to_thread.run_sync(self.file.read, offset, min(PIECE, self.size - offset))
            if not piece:
                raise LocalFault("the spool file is shorter than it was when it was sealed")
            offset += len(piece)
            yield piece
