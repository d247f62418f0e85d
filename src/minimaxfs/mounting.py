"""`minimaxfs mount`: from settings to a drive, in the background or right here."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from minimaxfs import background, config, mounts, preflight
from minimaxfs.outside import Outside, Serve
from minimaxfs.systemd import Supervisor

LOG_NAME = "minimaxfs.log"

_TERMINAL = "/dev/tty"


def mount(flags: Mapping[str, object], environ: Mapping[str, str], serve: Serve) -> None:
    """Mount what the flags, the environment and the file say, and return when the drive answers.

    In the foreground it returns when the drive has ended.
    """
    settings = config.load(flags, environ)
    if flags.get("mountpoint") is None:
        preflight.make_directory(settings.mountpoint, "Choose another with `mountpoint` in the profile.")
    preflight.check(settings)
    os.umask(0o077)
    reread = partial(config.load, _pinned(flags, settings.mountpoint), dict(environ))
    with mounts.claimed(settings.mountpoint):
        if flags.get("foreground"):
            here = Outside(lambda: None, None if has_terminal() else reread, Supervisor.of(environ))
            serve(settings, here)
        else:
            background.start(
                lambda on_ready: serve(settings, Outside(on_ready, reread)), settings.state_dir / LOG_NAME
            )


def _pinned(flags: Mapping[str, object], mountpoint: Path) -> Mapping[str, object]:
    """The same flags for a process that has left its directory: a relative path would lead elsewhere."""
    return {**flags, "mountpoint": mountpoint} if flags.get("mountpoint") else flags


def has_terminal() -> bool:
    """Whether this process belongs to a terminal, which sends it SIGHUP when it goes."""
    try:
        os.close(os.open(_TERMINAL, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
