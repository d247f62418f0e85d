"""Sets the site up: files, certificates, nginx and the relay; and leaves nothing behind."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import trustme

from bench import corpus
from bench.corpus import Scale
from bench.nginx import serving
from bench.running import Failed, ended, module
from bench.site import Site


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
