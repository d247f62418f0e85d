"""One daemon to a directory: two of them would spoil each other's ledger, spool and blocks."""

import fcntl
import os
from pathlib import Path

from minimaxfs.core.errors import ConfigError


class DirectoryLock:
    """An exclusive lock on a private directory, which is made (0700) where it is missing.

    The kernel gives it back when the process ends, however it ends.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock. Raises ConfigError where another process has it or nothing can be written."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(
                f"{self._directory} cannot be used: {error.strerror}",
                "Make it writable, or set XDG_STATE_HOME and XDG_CACHE_HOME to directories that are.",
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise ConfigError(
                f"this profile is mounted already: another minimaxfs uses {self._directory}",
                "Unmount it first (minimaxfs unmount), or mount another --profile.",
            ) from None
        self._fd = fd

    def release(self) -> None:
        """Give the lock back."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
