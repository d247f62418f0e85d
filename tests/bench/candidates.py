"""The drives that are compared, each mounted for one measure with nothing of before, and ended after it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.corpus import LARGE
from bench.running import Failed, Words, ended, program, wait_for

KEY = "sk-a-key-that-nobody-asks-for"

MOUNT_LIMIT = 30.0
"""Seconds until a drive must answer."""


Command = Callable[[str, Path, Path], Words]
"""Makes a drive's command of the store's origin, the mountpoint and a directory for its cache."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A drive to compare. An upload's `command` and its directory below the mountpoint are another matter."""

    name: str
    reads: Command
    uploads: Command
    upload_to: str


@dataclass(frozen=True, slots=True)
class Drive:
    """A mounted drive: its files, its daemon and where that keeps what it has fetched."""

    path: Path
    pid: int
    cache: Path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def cached(self) -> list[Path]:
        """What lies in the cache on disk."""
        return [path for path in self.cache.rglob("*") if path.is_file()]


_AS_INSTALLED = "import sys; sys.modules['click'] = None; from minimaxfs.cli import main; sys.exit(main())"
"""The drive as it runs by itself. The linter of imports brings click, and where that is, httpx loads its
command line, with rich and pygments: 6 MB that no drive has elsewhere."""


def _minimaxfs(origin: str, mountpoint: Path, _cache: Path) -> Words:
    """Mount the store: XDG_CACHE_HOME says where the cache is, and 10G is its default."""
    drive: Words = [sys.executable, "-c", _AS_INSTALLED]
    return [*drive, "mount", "--foreground", mountpoint, "--api-host", origin]


def _rclone(origin: str, mountpoint: Path, cache: Path, *, mode: str) -> Words:
    """Mount nginx's index pages."""
    backend: Words = [":http:", mountpoint, "--http-url", f"{origin}/", "--read-only"]
    return [program("rclone"), "mount", *backend, *_rclone_options(cache, mode)]


def _rclone_webdav(origin: str, mountpoint: Path, cache: Path, *, mode: str) -> Words:
    """Mount a WebDAV server: the http backend cannot write. Without a delay, as minimaxfs has none."""
    backend: Words = [":webdav:", mountpoint, "--webdav-url", origin, "--vfs-write-back", "0s"]
    return [program("rclone"), "mount", *backend, *_rclone_options(cache, mode)]


def _rclone_options(cache: Path, mode: str) -> Words:
    own: Words = ["--cache-dir", cache, "--config", cache / "none", "--log-level", "ERROR"]
    return [*own, "--vfs-cache-mode", mode]


def _rclone_candidate(mode: str) -> Candidate:
    return Candidate(f"rclone {mode}", partial(_rclone, mode=mode), partial(_rclone_webdav, mode=mode), "")


MINIMAXFS = Candidate("minimaxfs", _minimaxfs, _minimaxfs, LARGE)
CANDIDATES = (MINIMAXFS, _rclone_candidate("off"), _rclone_candidate("full"))


@contextmanager
def mounted(command: Command, origin: str, place: Path, certificate: Path) -> Iterator[Drive]:
    """Mount a drive in the empty directory `place`, which goes afterwards with all that the drive kept."""
    drive, home, cache = (place / name for name in ("drive", "home", "cache"))
    for path in (drive, home, cache):
        path.mkdir(parents=True)
    with ExitStack() as stack:
        stack.callback(_clear, place, drive)
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                command(origin, drive, cache),
                env=_environ(home, cache, certificate),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C ends the measure; the drives are then ended in their order
            )
        stack.enter_context(ended(process))
        try:
            wait_for(lambda: process.poll() is not None or _answers(drive), MOUNT_LIMIT, "no drive")
        except Failed as failure:
            raise Failed(f"{failure}: {_said(place)}") from None
        if process.poll() is not None:
            raise Failed(f"the drive ended at once: {_said(place)}")
        os.listdir(drive)
        yield Drive(drive, process.pid, cache)
        if process.poll() is not None:
            raise Failed(f"the drive has ended by itself: {_said(place)}")


def _environ(home: Path, cache: Path, certificate: Path) -> Mapping[str, str]:
    """Give nothing of this machine's own configuration."""
    foreign = ("MINIMAX", "XDG_", "RCLONE_", "SSL_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {
        **own,
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "XDG_CACHE_HOME": str(cache),
        "MINIMAX_API_KEY": KEY,
        "SSL_CERT_FILE": str(certificate),
    }


def _answers(drive: Path) -> bool:
    try:
        os.statvfs(drive)
    except OSError:
        return False
    return drive.is_mount()


def _said(place: Path) -> str:
    return (place / "log").read_text(errors="replace").strip()[-500:]


def _clear(place: Path, drive: Path) -> None:
    """Take the mount away, if its daemon did not, and only then the directory that it was in."""
    subprocess.run(["fusermount3", "-u", "-z", "-q", drive], check=False, capture_output=True)
    if not os.path.ismount(drive):
        shutil.rmtree(place)
