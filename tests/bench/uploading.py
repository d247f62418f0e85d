"""An upload of a large file: `cp` into each drive, until its server has the whole file.

The emulator of this project takes minimaxfs's; rclone's http backend cannot write, so it gets a WebDAV
server, its own. The servers differ: the ratio says little.
"""

import filecmp
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.candidates import MINIMAXFS, Candidate, mounted
from bench.corpus import LARGE, STREAM
from bench.nginx import accepts, free_ports
from bench.running import Failed, Words, ended, program, timed, wait_for
from bench.site import Site
from bench.takes import MB, Values

UPLOAD_LIMIT = 60.0
"""Seconds from the end of `cp` until the server must have the file: rclone full sends it after."""


def upload(site: Site, candidate: Candidate) -> Values:
    """Copy a large file in; what arrives is compared with the original."""
    source, root = site.source(LARGE, STREAM), site.scratch()
    place = site.scratch() / "m"
    with (
        _serving(candidate, root) as origin,
        mounted(candidate.uploads, origin, place, site.certificate) as drive,
    ):
        start = time.perf_counter()
        timed(["cp", source, drive / candidate.upload_to / "upload.zip"])
        wait_for(
            lambda: _arrived(root, site.scale.stream) is not None, UPLOAD_LIMIT, "the upload does not arrive"
        )
        seconds = time.perf_counter() - start
    arrived = _arrived(root, site.scale.stream)
    if arrived is None or not filecmp.cmp(arrived, source, shallow=False):
        raise Failed("the server has other bytes than were copied in")
    shutil.rmtree(root)
    return {"speed": site.scale.stream / seconds / MB}


@contextmanager
def _serving(candidate: Candidate, root: Path) -> Iterator[str]:
    """Give the origin of a server that keeps what it gets below `root`."""
    port = free_ports(1)[0]
    process = subprocess.Popen(
        _server(candidate, root, port),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with ended(process):
        wait_for(lambda: accepts(port), 10.0, "the server for uploads does not start")
        yield f"http://127.0.0.1:{port}"


def _server(candidate: Candidate, root: Path, port: int) -> Words:
    if candidate is MINIMAXFS:
        return [sys.executable, "-m", "minimaxfs", "emulator", "--port", str(port), "--root", root]
    return [
        program("rclone"),
        "serve",
        "webdav",
        root,
        "--addr",
        f"127.0.0.1:{port}",
        "--config",
        root / "none",
    ]


def _arrived(root: Path, size: int) -> Path | None:
    """Find the file by its size, whatever the server calls it. One that is being renamed has not arrived."""
    for path in root.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_size == size:
                return path
    return None
