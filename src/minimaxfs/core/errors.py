"""Every way in which a request can fail, as the caller of the kernel will see it.

::

    FsError                      errno         again?
      NoSuchFile                 ENOENT
        Stale                    ESTALE
      AccessRefused              EACCES
      NotPermitted               EPERM
      ContentRefused             EINVAL
      NameRefused                EILSEQ
      TooLarge                   EFBIG
      StoreFull                  ENOSPC
      LocalDiskFull              ENOSPC
      QuotaSpent                 EDQUOT
      AlreadyThere               EEXIST
      CrossPurpose               EXDEV
      NotADirectory              ENOTDIR
      IsADirectory               EISDIR
      NotEmpty                   ENOTEMPTY
      NoAttribute                ENODATA
      NotSupported               ENOTSUP
      ReadOnly                   EROFS
      Busy                       EBUSY
      RateLimited                EAGAIN        yes, slowly
      TimedOut                   ETIMEDOUT     yes
      Offline                    ENETUNREACH   yes
      Unanswered                 EIO
      ServerFailed               EIO           yes
      BrokenReply                EIO           yes
      LocalFault                 EIO

An error says what happened and to what (`str(error)`); its `advice` says what to do.
Neither ever holds a key or the query of a signed URL.
"""

import errno
from typing import ClassVar


class ConfigError(Exception):
    """The drive cannot start as it was asked to (exit status 78). `advice` says what to do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


class FsError(Exception):
    """A failure that has an errno.

    `code` is the store's own status (`base_resp.status_code`, or the HTTP status where
    that is all there is), `trace_id` the store's name for the request, `retry_after` the
    seconds that the store asked for. `sent` says that an upload's body may have reached the
    store, so that sending it again could store it twice.
    """

    errno: ClassVar[int] = errno.EIO
    retry: ClassVar[bool] = False
    advice: ClassVar[str] = "Look in the log for the request that failed."

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        trace_id: str | None = None,
        retry_after: float | None = None,
        sent: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.trace_id = trace_id
        self.retry_after = retry_after
        self.sent = sent


class NoSuchFile(FsError):
    errno = errno.ENOENT
    advice = "List the directory again: the file is gone from the store, or never was there."


class Stale(NoSuchFile):
    errno = errno.ESTALE
    advice = "The file was deleted in the store while it was open. Open it again, by its name."


class AccessRefused(FsError):
    errno = errno.EACCES
    advice = (
        "Check the API key, and that it belongs to this host: keys of one region are refused by the other."
    )


class NotPermitted(FsError):
    errno = errno.EPERM
    advice = "The store has no such operation for this purpose."


class ContentRefused(FsError):
    errno = errno.EINVAL
    advice = "The store does not take this content or type for this purpose; the README lists what it takes."


class NameRefused(FsError):
    errno = errno.EILSEQ
    advice = "Use a name that is valid UTF-8."


class TooLarge(FsError):
    errno = errno.EFBIG
    advice = "The purpose has a size limit; the README lists them."


class StoreFull(FsError):
    errno = errno.ENOSPC
    advice = "Delete files that are no longer needed: the account's 100 GB are used up."


class LocalDiskFull(FsError):
    errno = errno.ENOSPC
    advice = "Free space on the disk that holds the state and cache directories."


class QuotaSpent(FsError):
    errno = errno.EDQUOT
    advice = "The account's balance or quota is used up: top it up, or wait for the next period."


class AlreadyThere(FsError):
    errno = errno.EEXIST
    advice = "A file of this name exists."


class CrossPurpose(FsError):
    errno = errno.EXDEV
    advice = "A file cannot change its purpose: copy it, then delete the original (mv does that by itself)."


class NotADirectory(FsError):
    errno = errno.ENOTDIR
    advice = "The path leads through a file."


class IsADirectory(FsError):
    errno = errno.EISDIR
    advice = "The path is a directory."


class NotEmpty(FsError):
    errno = errno.ENOTEMPTY
    advice = "Purposes are fixed directories."


class NoAttribute(FsError):
    errno = errno.ENODATA
    advice = "getfattr -d lists the attributes that there are."


class NotSupported(FsError):
    errno = errno.ENOTSUP
    advice = "The drive cannot do this."


class ReadOnly(FsError):
    errno = errno.EROFS
    advice = "The drive was mounted with --read-only."


class Busy(FsError):
    errno = errno.EBUSY
    advice = "Wait until the upload has ended."


class RateLimited(FsError):
    errno = errno.EAGAIN
    retry = True
    advice = "The store limits the rate of requests: try again in a minute."


class TimedOut(FsError):
    errno = errno.ETIMEDOUT
    retry = True
    advice = "The store did not answer in time: try again; if it stays so, check the network."


class Offline(FsError):
    errno = errno.ENETUNREACH
    retry = True
    advice = "The store cannot be reached: check the network and the API host."


class Unanswered(FsError):
    errno = errno.EIO
    advice = "Look whether the store has it: then discard it here (minimaxfs discard), else copy it in anew."


class ServerFailed(FsError):
    errno = errno.EIO
    retry = True
    advice = "The store had a fault of its own: try again later."


class BrokenReply(FsError):
    errno = errno.EIO
    retry = True
    advice = "The answer was not what the API promises: is the API host right? A proxy may be in the way."


class LocalFault(FsError):
    errno = errno.EIO
    advice = "Check the disk that holds the state and cache directories."
