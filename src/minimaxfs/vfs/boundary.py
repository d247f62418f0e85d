"""The boundary of background tasks: a bug in one fails what it was doing, and never the mount."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from minimaxfs.core.errors import FsError, LocalFault

log = logging.getLogger(__name__)


@contextmanager
def faults_as_errors(what: str) -> Iterator[None]:
    """Let an FsError through; turn any other exception into LocalFault, with its traceback in the log."""
    try:
        yield
    except FsError:
        raise
    except Exception as error:
        log.exception("%s: a fault of minimaxfs", what)
        raise LocalFault(f"{what}: a fault of minimaxfs ({type(error).__name__})") from error
