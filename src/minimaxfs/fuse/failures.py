"""A request of the kernel that failed, as one line of the log."""

import errno
import logging

from minimaxfs.core.errors import FsError

log = logging.getLogger(__name__)

QUIET = {errno.ENOENT, errno.ENODATA, errno.ENOTSUP, errno.EEXIST, errno.EXDEV, errno.EPERM}
"""Answers that programs ask for as a matter of course: no line in the log for them."""


def report(operation: str, path: str, error: FsError, fault: Exception | None = None) -> None:
    """Log what was asked, of which path, and how it failed; a fault of our own with its traceback."""
    level = logging.DEBUG if error.errno in QUIET else logging.ERROR if fault else logging.WARNING
    name = errno.errorcode[error.errno]
    log.log(
        level,
        "%s %s: %s: %s%s. %s",
        operation,
        path,
        name,
        error,
        _origin(error),
        error.advice,
        exc_info=fault,
        extra={
            "fields": {
                "operation": operation,
                "path": path,
                "errno": name,
                "code": error.code,
                "trace_id": error.trace_id,
            }
        },
    )


def _origin(error: FsError) -> str:
    """What the store calls this failure: its support asks for the trace id."""
    named = (("code", error.code), ("trace", error.trace_id))
    said = ", ".join(f"{word} {value}" for word, value in named if value is not None)
    return f" ({said})" if said else ""
