"""Who is outside of a drive: waits for it, supervises it, and has new settings for it."""

from collections.abc import Callable
from dataclasses import dataclass

from minimaxfs.config import Settings
from minimaxfs.systemd import NOBODY, Supervisor


@dataclass(frozen=True, slots=True)
class Outside:
    """`on_ready` is called once the drive answers.

    `reread` gives new settings when SIGHUP asks for them; it is None where that signal is to end the drive.
    """

    on_ready: Callable[[], None]
    reread: Callable[[], Settings] | None = None
    supervisor: Supervisor = NOBODY


Serve = Callable[[Settings, Outside], None]
"""What mounts a drive and serves it to its end (`app.serve`)."""
