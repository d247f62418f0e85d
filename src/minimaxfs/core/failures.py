"""The last failures, by path, for a person who asks why: what each meant is told in words. Pure."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from minimaxfs.core import errors
from minimaxfs.core.errors import FsError

MOST = 1000
"""Paths that are remembered: more than a person asks about, in less than a megabyte."""

MEANINGS: Mapping[type[FsError], str] = MappingProxyType(
    {
        errors.FsError: "something went wrong that has no name",
        errors.NoSuchFile: "the store has no such file",
        errors.Stale: "the file that was open is no longer in the store",
        errors.AccessRefused: "the store does not accept the key",
        errors.NotPermitted: "the store does not allow this for files of this purpose",
        errors.ContentRefused: "the store does not take this content, or this type of file, for this purpose",
        errors.NameRefused: "the name cannot be sent",
        errors.TooLarge: "the file is larger than the purpose allows",
        errors.StoreFull: "the account's storage is full",
        errors.LocalDiskFull: "the disk of this machine, or the limit on what is kept on it, is full",
        errors.QuotaSpent: "the account's balance or quota is used up",
        errors.AlreadyThere: "the name is taken",
        errors.CrossPurpose: "the store has no way to change the purpose of a file",
        errors.NotADirectory: "a file stands where a directory was expected",
        errors.IsADirectory: "a directory stands where a file was expected",
        errors.NotEmpty: "the directory is not empty",
        errors.NoAttribute: "the file has no such attribute",
        errors.NotSupported: "the store, or the drive, has no such operation",
        errors.ReadOnly: "the drive takes no changes",
        errors.Busy: "somebody else is at it just now",
        errors.RateLimited: "the account sends more requests than the store allows, over all its programs",
        errors.TimedOut: "the store did not answer in time",
        errors.Offline: "the store cannot be reached from this machine",
        errors.Unanswered: "the store may or may not have the file, and does not say",
        errors.ServerFailed: "the store itself has a fault",
        errors.BrokenReply: "what answered does not speak as the store does",
        errors.LocalFault: "this machine's disk, or minimaxfs itself, has a fault",
    }
)
"""What an error means, by its class; one that is not here means what the class above it does."""


def meaning(error: FsError) -> str:
    """What the error means, in words that go on from "it means that"."""
    return next(MEANINGS[kind] for kind in type(error).__mro__ if kind in MEANINGS)


@dataclass(frozen=True, slots=True)
class Failure:
    """What failed last on a path: `operation` is what was asked of the drive, `at` when, in Unix seconds."""

    path: str
    operation: str
    error: FsError
    at: float


class Failures:
    """The last failure of each path. The path that failed longest ago is forgotten first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._by_path: OrderedDict[str, Failure] = OrderedDict()

    def note(self, failure: Failure) -> None:
        """It is the last one of its path now."""
        self._by_path.pop(failure.path, None)
        self._by_path[failure.path] = failure
        if len(self._by_path) > self._most:
            self._by_path.popitem(last=False)

    def last(self, path: str) -> Failure | None:
        """What failed last on the path."""
        return self._by_path.get(path)

    def recent(self, number: int) -> list[Failure]:
        """The last ones of all, the newest first."""
        return [failure for _, failure in zip(range(number), reversed(self._by_path.values()), strict=False)]
