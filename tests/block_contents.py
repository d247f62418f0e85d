"""Bytes that tell where they belong, and block files filled with them."""

import os
from contextlib import suppress
from pathlib import Path

from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BLOCK, BlockFile
from minimaxfs.disk.blocks import Blocks


def pattern(size: int, seed: int = 0) -> bytes:
    """Every eight bytes differ from all others, so that no two blocks can be taken for each other."""
    words = ((seed << 40) + word for word in range(-(-size // 8)))
    return b"".join(word.to_bytes(8, "big") for word in words)[:size]


def fill(blocks: Blocks, file_id: int, data: bytes, size: int | None = None) -> None:
    """Write the bytes as the first ones of a file of `size`, and put the file away with its record."""
    file = blocks.open_file(file_id, len(data) if size is None else size)
    blocks.write(file, 0, data)
    put_away(blocks, file)


def put_away(blocks: Blocks, file: BlockFile) -> None:
    """Close a file, and record what was closed."""
    blocks.close_file(file)
    record(blocks)


def record(blocks: Blocks) -> None:
    """Write the records of all closed files."""
    for unwritten in blocks.to_record():
        unwritten.write()
    blocks.recorded()


def fetch(blocks: Blocks, file: BlockFile, part: Range, data: bytes) -> bool:
    """Put a range of a file, whose bytes are `data`, into it as another process does; what `wrote` says."""
    blocks.reserve(file, part)
    os.pwrite(file.descriptor, data[part.start : part.stop], part.start)
    return file.wrote(part)


def present(file: BlockFile) -> list[int]:
    """The blocks that a file can show."""
    count = -(-file.size // BLOCK)
    spans = [Range(index * BLOCK, min(file.size, (index + 1) * BLOCK)) for index in range(count)]
    return [index for index, span in enumerate(spans) if file.read(span) is not None]


def allocated(directory: Path) -> int:
    """Bytes that the disk has given for what lies in a directory."""
    return sum(path.stat().st_blocks * 512 for path in directory.iterdir())


def open_descriptors(below: Path = Path("/")) -> int:
    """How many descriptors this process has open, of all kinds, or of files below a directory."""
    targets = []
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            targets.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return sum(below == Path("/") or target.startswith(f"{below}/") for target in targets)
