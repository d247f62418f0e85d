"""`minimaxfs demo`: a store of samples and a drive of it in one process, with nothing left behind.

The emulator has a thread of its own; the drive has the main thread, because that is where signals come.
"""

import os
import shlex
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from minimaxfs import mounts, preflight
from minimaxfs.api.endpoint import Endpoint
from minimaxfs.config import Settings, chosen_purposes
from minimaxfs.core.files import PURPOSES
from minimaxfs.emulator.background import running
from minimaxfs.emulator.samples import SAMPLE_SETTINGS, fill
from minimaxfs.outside import Outside, Serve

PURPOSE_NAMES = (*(purpose.name for purpose in PURPOSES), "retrieval")
"""All are listed, so that the samples show, and one more, which takes documents."""

KEY = "demo"
"""The emulator takes any key."""


def run(place: Path, serve: Serve) -> None:
    """Mount the samples at `place`, made if it is missing, until Ctrl-C or `minimaxfs unmount`."""
    mountpoint = mounts.located(place, mounts.current())
    preflight.make_directory(mountpoint, "Name another directory: `minimaxfs demo MOUNTPOINT`.")
    with (
        tempfile.TemporaryDirectory(prefix="minimaxfs-demo-") as private,
        running(SAMPLE_SETTINGS) as emulator,
    ):
        settings = settings_for(mountpoint, emulator.api_origin, Path(private))
        preflight.check(settings)
        fill(emulator.add_file, time.time())
        with mounts.claimed(mountpoint):
            serve(settings, Outside(partial(announce, mountpoint)))
        sys.stdout.write("The demo has ended; nothing of it is left.\n")


def settings_for(mountpoint: Path, origin: str, private: Path) -> Settings:
    return Settings(
        profile="demo",
        mountpoint=mountpoint,
        endpoint=Endpoint(origin),
        key=KEY,
        state_dir=private / "state",
        cache_dir=private / "cache",
        log_level="warning",
        purposes=chosen_purposes(PURPOSE_NAMES),
    )


def announce(mountpoint: Path) -> None:
    sys.stdout.write(invitation(mountpoint))
    sys.stdout.flush()


def invitation(mountpoint: Path) -> str:
    """What to try, as lines that can be pasted into another shell."""
    place = shlex.quote(os.fspath(mountpoint))
    return f"""\
The drive is mounted at {mountpoint}: samples from a store on this machine, no account, no network.
In another shell:

    ls -lR {place}
    ffprobe -hide_banner {place}/voice_clone/*.wav
    tar -tf {place}/t2a_async/*.tar
    echo 'Good morning.' > /tmp/hello.txt && cp /tmp/hello.txt {place}/t2a_async_input/
    getfattr -d {place}/t2a_async_input/hello.txt
    rm {place}/t2a_async_input/hello.txt

Ctrl-C unmounts it.
"""
