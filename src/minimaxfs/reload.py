"""Settings that change while a drive is mounted: read again on SIGHUP, and taken over as far as that can be.

What is wrong with them leaves everything as it was. What the kernel or the ledger was told when the drive
was mounted stays, and the log says which of it would take a remount.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace

import trio

from minimaxfs import logs
from minimaxfs.api.client import Client
from minimaxfs.config import Settings
from minimaxfs.core.errors import ConfigError, FsError
from minimaxfs.disk.blocks import Blocks
from minimaxfs.ending import Ending
from minimaxfs.report import Report
from minimaxfs.vfs.boundary import faults_as_errors

log = logging.getLogger(__name__)


class Reload:
    """Takes over new settings; `reread` gives them, and may wait for a disk."""

    def __init__(
        self,
        settings: Settings,
        reread: Callable[[], Settings],
        client: Client,
        blocks: Blocks,
        ending: Ending,
        report: Report,
    ) -> None:
        self._settings = settings
        self._reread = reread
        self._client = client
        self._blocks = blocks
        self._ending = ending
        self._report = report

    async def run(self) -> None:
        """Read the settings and take them over."""
        self._report.reloading()
        try:
            with faults_as_errors("reload"):
                trouble = await self._renewed()
        except FsError as error:
            trouble = str(error)
        self._report.reloaded(trouble)

    async def _renewed(self) -> str:
        """Take over what is there now, or say what is wrong with it."""
        try:
            new = await trio.to_thread.run_sync(self._reread, abandon_on_cancel=True)
        except ConfigError as error:
            return _refused(error)
        self._take_over(new)
        return ""

    def _take_over(self, new: Settings) -> None:
        changed, fixed = living(self._settings, new), fixed_by_mount(self._settings, new)
        self._client.use_key(new.key)
        self._blocks.limit = new.cache_size
        self._ending.seconds = new.drain
        self._settings.rules.become(new.rules)
        if {"log_level", "log_format"} & set(changed):
            logs.start(new.log_level, new.log_format, os.environ)
        self._settings = replace(
            self._settings,
            key=new.key,
            cache_size=new.cache_size,
            drain=new.drain,
            log_level=new.log_level,
            log_format=new.log_format,
        )
        log.info("reloaded; new: %s", ", ".join(changed) or "nothing")
        if fixed:
            log.warning("a change of %s needs a remount", ", ".join(fixed))


def _refused(error: ConfigError) -> str:
    log.error("not reloaded, all stays as it was: %s. %s", error, error.advice)
    return f"not reloaded: {error}"


def living(old: Settings, new: Settings) -> list[str]:
    """Name what differs and can be taken over."""
    return _true(
        {
            "the key": old.key != new.key,
            "cache_size": old.cache_size != new.cache_size,
            "drain": old.drain != new.drain,
            "log_level": old.log_level != new.log_level,
            "log_format": old.log_format != new.log_format,
            "local_only": old.rules.local_only != new.rules.local_only,
            "check_types": old.rules.check_types != new.rules.check_types,
            "write_back": old.rules.write_back != new.rules.write_back,
            "rename": old.rules.rename_uploads != new.rules.rename_uploads,
        }
    )


def fixed_by_mount(old: Settings, new: Settings) -> list[str]:
    """Name what differs and stays."""
    return _true(
        {
            "mountpoint": old.mountpoint != new.mountpoint,
            "the server": old.endpoint != new.endpoint,
            "read_only": old.read_only != new.read_only,
            "allow_other": old.allow_other != new.allow_other,
            "purposes": old.purposes != new.purposes,
            "fetch_ahead": old.rules.fetches_runs != new.rules.fetches_runs,
        }
    )


def _true(differs: Mapping[str, bool]) -> list[str]:
    return [name for name, is_true in differs.items() if is_true]
