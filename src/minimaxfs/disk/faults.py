"""Faults of the local disk, as errors that have an errno and an advice."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from minimaxfs.core.errors import LocalDiskFull, LocalFault

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the disk says where there is no room for more."""


@contextmanager
def local_faults(what: str) -> Iterator[None]:
    """Raise LocalDiskFull or LocalFault, naming `what` was done, where the disk raises OSError."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise LocalDiskFull(f"{what}: the local disk is full") from error
        raise LocalFault(f"{what}: {error.strerror}") from error
