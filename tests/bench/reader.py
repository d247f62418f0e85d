"""What is done with a drive's files, in a process of its own: it can be killed where a drive hangs.

    python -m bench.reader COMMAND WORD...      prints a JSON list of seconds

What is read is compared with the original, in the timed passes at least in size: a read that fails, or gives
other bytes, ends with an error and gives no figure.
"""

import ctypes
import json
import mmap
import os
import random
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PIECE = 1024 * 1024
"""Bytes of one read of a plain reader, as of `cp`."""

FIRST = 4096
"""Bytes that tell that a file has begun to come."""

RANDOM = 64 * 1024

PROBE_PAUSE = 0.002
"""Seconds between two probes: some hundred of them fall into a stream of a second."""

EVICTIONS = 10
"""Times that it is tried: pages that a daemon is about to write stay."""

_LIBC = ctypes.CDLL(None, use_errno=True)


class Wrong(Exception):
    """What was read is not what the store has."""


def stream(path: str, size: str) -> list[float]:
    """Read a file from its beginning to its end."""
    count, buffer = 0, [bytearray(PIECE)]  # the same all the time, as `cp` does it: new ones cost page faults
    start = time.perf_counter()
    with _opened(path) as file:
        while got := os.readv(file, buffer):
            count += got
    seconds = time.perf_counter() - start
    if count != int(size):
        raise Wrong(f"{path}: {count} bytes in place of {size}")
    return [seconds]


def same(path: str, source: str) -> list[float]:
    """Compare a whole file with its original."""
    with _opened(path) as file, _opened(source) as original:
        while piece := os.read(original, PIECE):
            _check(path, _exactly(file, len(piece)), piece)
        _check(path, os.read(file, 1), b"")
    return []


def first(path: str, source: str) -> list[float]:
    """Open a file and read its first page."""
    start = time.perf_counter()
    with _opened(path) as file:
        data = os.pread(file, FIRST, 0)
        seconds = time.perf_counter() - start
    with _opened(source) as original:
        _check(path, data, os.pread(original, FIRST, 0))
    return [seconds]


def scattered(path: str, source: str, count: str) -> list[float]:
    """Read 64 KiB at each of `count` places that no one can foresee, but that are the same each time."""
    pages = os.stat(source).st_size // FIRST - RANDOM // FIRST
    places = [page * FIRST for page in random.Random(int(count)).sample(range(pages), int(count))]
    seconds, pieces = [], []
    with _opened(path) as file:
        for place in places:
            start = time.perf_counter()
            pieces.append(os.pread(file, RANDOM, place))
            seconds.append(time.perf_counter() - start)
    with _opened(source) as original:
        for place, piece in zip(places, pieces, strict=True):
            _check(path, piece, os.pread(original, RANDOM, place))
    return seconds


def probe(path: str, source: str, directory: str) -> list[float]:
    """Until stdin ends: the seconds of a small read past the page cache, of a stat with a listing, and so on.

    The daemon is asked each time: the kernel drops the page before the read, and never keeps a listing.
    """
    seconds = []
    with _opened(path) as file, _opened(source) as original:
        expected = os.pread(original, FIRST, 0)
        while not select.select([sys.stdin], [], [], PROBE_PAUSE)[0]:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            start = time.perf_counter()
            data = os.pread(file, FIRST, 0)
            between = time.perf_counter()
            os.stat(path)
            os.listdir(directory)
            seconds += [between - start, time.perf_counter() - between]
            _check(path, data, expected)
    return seconds


def evict(*paths: str) -> list[float]:
    """Let the page cache drop what it has of files, also of those that a daemon keeps on disk."""
    for _ in range(EVICTIONS):
        os.sync()
        for path in paths:
            with _opened(path) as file:
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        left = sum(_resident(path) for path in paths)
        if left < PIECE:
            return []
    raise Wrong(f"{left} bytes stay in the page cache")


def warm(*paths: str) -> list[float]:
    """Bring files into the page cache."""
    for path in paths:
        with _opened(path) as file:
            while os.read(file, PIECE):
                pass
    return []


COMMANDS: dict[str, Callable[..., list[float]]] = {
    command.__name__: command for command in (stream, same, first, scattered, probe, evict, warm)
}


@contextmanager
def _opened(path: str) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY)
    try:
        yield file
    finally:
        os.close(file)


def _resident(path: str) -> int:
    """How many bytes of a file are in the page cache."""
    with _opened(path) as file:
        size = os.fstat(file).st_size
        if not size:
            return 0
        with mmap.mmap(file, size, access=mmap.ACCESS_COPY) as view:
            pages = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
            start = ctypes.c_ubyte.from_buffer(view)
            try:
                if _LIBC.mincore(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(size), pages):
                    raise OSError(ctypes.get_errno(), "mincore", path)
            finally:
                del start  # else the mapping cannot be closed
    return sum(page & 1 for page in pages) * mmap.PAGESIZE


def _exactly(file: int, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := os.read(file, size - len(data))):
        data += piece
    return data


def _check(path: str, data: bytes, expected: bytes) -> None:
    if data != expected:
        raise Wrong(f"{path}: {len(data)} bytes that are not the {len(expected)} of the store")


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
    except (OSError, Wrong) as error:
        sys.exit(str(error))
