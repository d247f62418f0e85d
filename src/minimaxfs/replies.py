"""What a drive answers about itself and about what of the store is kept here.

========  ==================  =======================================================================
command   with                the answer holds
========  ==================  =======================================================================
status                        `mount`, `store`, `uploads`, `reads`, `blocks`, `requests`, `errors`
explain   `path`              `failure` (a `vfs.history.FailureStatus`) or null; `state`, `why`
refresh   `path`              `names`: how many the listing shows
evict     `path`              `freed` bytes
pin       `path`              `failed`: paths, each with its error and advice
unpin     `path`              `files`: how many are pinned no longer
prefetch  `paths`             as of pin
========  ==================  =======================================================================

The empty path is the whole drive. `control` says how they are asked and answered.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from minimaxfs.config import Settings
from minimaxfs.control import Command, Conversation, Misunderstood, Reply, path_of
from minimaxfs.disk.blocks import Blocks
from minimaxfs.meter import Meter
from minimaxfs.vfs.drive import Drive
from minimaxfs.vfs.keeping import Failed, Fetching


class Replies:
    """The answers of one drive, mounted at the time `since` (monotonic seconds)."""

    def __init__(
        self,
        settings: Settings,
        drive: Drive,
        blocks: Blocks,
        meter: Meter,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._drive = drive
        self._blocks = blocks
        self._meter = meter
        self._now = now
        self._since = now()

    @property
    def commands(self) -> Mapping[str, Command]:
        """The answers by the names of their commands."""
        return {
            "status": self._status,
            "explain": self._explain,
            "refresh": self._refresh,
            "evict": self._evict,
            "pin": self._pin,
            "unpin": self._unpin,
            "prefetch": self._prefetch,
        }

    async def _status(self, _request: Mapping[str, object], _conversation: Conversation) -> Reply:
        settings, drive = self._settings, self._drive
        pinned = drive.keeping.pinned()
        return {
            "mount": {
                "mountpoint": str(settings.mountpoint),
                "profile": settings.profile,
                "pid": os.getpid(),
                "seconds": self._now() - self._since,
                "read_only": settings.read_only,
                "write_back": settings.rules.write_back,
            },
            "store": {
                "origin": settings.endpoint.origin,
                "offline_for": drive.reach.offline_for,
                "answered_before": drive.reach.answered_before,
                "why": drive.reach.why,
            },
            "uploads": [asdict(upload) for upload in drive.desk.uploads()],
            "reads": [asdict(read) for read in drive.handles.reads()],
            "blocks": {
                "used": self._blocks.used,
                "limit": self._blocks.limit,
                "pinned_files": len(pinned),
                "pinned": sum(file.size or 0 for file in pinned),
            },
            "requests": {
                operation: {"count": count, "price": price}
                for operation, (count, price) in sorted(self._meter.today().items())
            },
            "errors": [asdict(failure) for failure in drive.history.recent()],
        }

    async def _explain(self, request: Mapping[str, object], _conversation: Conversation) -> Reply:
        path = path_of(request)
        failure = self._drive.history.last(path)
        upload = next((one for one in self._drive.desk.uploads() if one.path == path), None)
        return {
            "failure": None if failure is None else asdict(failure),
            "state": self._drive.keeping.state(path),
            "why": "" if upload is None else upload.why,
        }

    async def _refresh(self, request: Mapping[str, object], _conversation: Conversation) -> Reply:
        return {"names": await self._drive.keeping.refresh(path_of(request))}

    async def _evict(self, request: Mapping[str, object], _conversation: Conversation) -> Reply:
        return {"freed": self._drive.keeping.evict(path_of(request))}

    async def _unpin(self, request: Mapping[str, object], _conversation: Conversation) -> Reply:
        return {"files": self._drive.keeping.unpin(path_of(request))}

    async def _pin(self, request: Mapping[str, object], conversation: Conversation) -> Reply:
        fetching = _shown(conversation)
        return _failures(await self._drive.keeping.pin(path_of(request), fetching))

    async def _prefetch(self, request: Mapping[str, object], conversation: Conversation) -> Reply:
        fetching = _shown(conversation)
        return _failures(await self._drive.keeping.prefetch(paths_of(request), fetching))


def paths_of(request: Mapping[str, object]) -> list[str]:
    paths = request.get("paths")
    if not isinstance(paths, list):
        raise Misunderstood("the request names no paths")
    return [path_of({"path": path}) for path in paths]


def _shown(conversation: Conversation) -> Fetching:
    """A prefetch whose progress the client is shown."""
    fetching = Fetching()
    conversation.progress = lambda: {"what": "file", **asdict(fetching)}
    return fetching


def _failures(failed: Sequence[Failed]) -> Reply:
    return {
        "failed": [
            {"path": one.path, "error": str(one.error), "advice": one.error.advice}
            for one in sorted(failed, key=lambda one: one.path)
        ]
    }
