"""What all measures share: the files, nginx, the ways to it, a place on disk, and a reader."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.candidates import Candidate, Drive, mounted
from bench.corpus import Scale
from bench.nginx import Nginx
from bench.running import LIMIT, Failed, module


@dataclass(frozen=True, slots=True)
class Site:
    """The store and the ways to it: `origins` by route, `http`, `https` and `relay`."""

    place: Path
    scale: Scale
    nginx: Nginx
    origins: Mapping[str, str]
    certificate: Path

    def source(self, purpose: str, name: str = "") -> Path:
        """The original of a file or a directory of the store."""
        return self.place / "store" / "content" / purpose / name

    @contextmanager
    def mounted(self, candidate: Candidate, route: str) -> Iterator[Drive]:
        """A drive that has seen nothing yet; what was written to disk before is on it."""
        os.sync()
        with mounted(candidate.reads, self.origins[route], self.scratch() / "m", self.certificate) as drive:
            yield drive

    def scratch(self) -> Path:
        """A new empty directory."""
        return Path(tempfile.mkdtemp(dir=self.place))


def read(command: str, *words: str | Path) -> list[float]:
    """Let `reader` do something in a process of its own."""
    done = subprocess.run(
        module("reader", command, *words),
        capture_output=True,
        check=False,
        text=True,
        timeout=LIMIT,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise Failed(done.stderr.strip()[-300:])
    seconds: list[float] = json.loads(done.stdout)
    return seconds
