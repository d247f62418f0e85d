"""What systemd is told of a service, by sd_notify(3): a datagram of NAME=VALUE lines to $NOTIFY_SOCKET.

In a shell there is no such socket, and nothing is sent.
"""

import logging
import os
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Whoever started this process, and wants to hear of it at the socket `address`.

    It expects a sign of life every `watchdog` seconds; None where it does not.
    """

    address: str = ""
    watchdog: float | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """Find the one that the environment names."""
        return cls(environ.get("NOTIFY_SOCKET", ""), _watchdog(environ))

    def notify(self, **said: str | int) -> bool:
        """Send a message, without waiting; whether it could be sent, or there is nobody to send it to.

        A manager that is busy takes none for a while, and a drive does not end because nobody listens.
        """
        if not self.address:
            return True
        message = "\n".join(f"{name}={value}" for name, value in said.items()).encode(errors="replace")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.setblocking(False)
                # @ stands for the zero byte that an address in the abstract namespace begins with.
                out.sendto(message, re.sub("^@", "\0", self.address))
        except OSError as error:
            log.warning("systemd is not told %s: %s", ", ".join(said), error)
            return False
        return True

    def reloading(self) -> None:
        """Say that a reload begins; `ready` ends it."""
        self.notify(RELOADING=1, MONOTONIC_USEC=time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)


NOBODY = Supervisor()
"""Of a process that was started from a shell."""


def _watchdog(environ: Mapping[str, str]) -> float | None:
    """Read the limit in seconds, where it is meant for this process and was not just inherited."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    meant = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(microseconds) / 1e6 if meant and microseconds.isdecimal() and int(microseconds) else None
