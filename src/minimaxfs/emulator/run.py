"""The emulator as a program of its own: listens until it is told to stop."""

import signal
import sys
import time
from pathlib import Path

from minimaxfs.emulator.background import running
from minimaxfs.emulator.samples import SAMPLE_SETTINGS, fill
from minimaxfs.emulator.server import Ports
from minimaxfs.emulator.settings import DEFAULTS

_STOPS = {signal.SIGINT, signal.SIGTERM}


def run(port: int, storage_port: int, root: Path | None, *, samples: bool = False) -> None:
    """Listen on loopback (port 0: any) until SIGINT or SIGTERM; prints one line with both origins.

    Contents lie in `root`, or in a private directory that goes at the end. With `samples` the store holds
    the demo's files and lists the generated ones. OSError: a port is taken, or `root` cannot be used.
    """
    # Threads inherit the mask, so only `sigwait` below gets to see these signals.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    try:
        settings = SAMPLE_SETTINGS if samples else DEFAULTS
        with running(settings, root=root, ports=Ports(port, storage_port)) as emulator:
            if samples:
                fill(emulator.add_file, time.time())
            sys.stdout.write(
                f"MiniMax emulator: API {emulator.api_origin} storage {emulator.storage_origin}\n"
            )
            sys.stdout.flush()
            signal.sigwait(_STOPS)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
