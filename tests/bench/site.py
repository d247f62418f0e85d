"""What all measures share: the files, nginx, the ways to it, and a place on disk."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from bench import corpus
from bench.candidates import Candidate, Drive, mounted
from bench.corpus import Scale
from bench.nginx import Nginx, serving
from bench.running import LIMIT, Failed, ended, module


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


@contextmanager
def opened(parent: Path, scale: Scale) -> Iterator[Site]:
    """Lay the files below `parent`, start the servers, and leave nothing behind."""
    free = shutil.disk_usage(parent).free
    if free < scale.room:
        raise Failed(
            f"{parent} has {free / 1e9:.1f} GB free, and a run needs {scale.room / 1e9:.1f}: see --dir"
        )
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="minimaxfs-bench-", dir=parent)))
        corpus.write(place / "store", scale)
        certificate = place / "ca.pem"
        _certify(certificate, place / "server.pem")
        nginx = stack.enter_context(serving(place, place / "store", as_root=os.geteuid() == 0))
        relay = stack.enter_context(_relaying(nginx.ports.http))
        origins = {
            "http": f"http://127.0.0.1:{nginx.ports.http}",
            "https": f"https://127.0.0.1:{nginx.ports.https}",
            "relay": f"http://127.0.0.1:{relay}",
        }
        yield Site(place, scale, nginx, origins, certificate)


def _certify(authority: Path, server: Path) -> None:
    """Make an authority for one run, and what nginx shows to those who trust it."""
    own = trustme.CA()
    own.cert_pem.write_to_path(authority)
    own.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(server)


@contextmanager
def _relaying(port: int) -> Iterator[int]:
    """Give the port of a relay to `port`."""
    process = subprocess.Popen(
        module("relay", str(port)), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True
    )
    with ended(process):
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise Failed("the relay does not start")
        yield int(line)


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
