"""Uploads: a sealed draft becomes a file of the store, once.

The journal is written before each step, so that a daemon that dies at any line knows at its
next start what the store may have. An upload whose answer was lost is looked for in a listing
before it is sent again: sending is not idempotent.
"""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field

import trio

from minimaxfs.api.client import Client
from minimaxfs.core.errors import FsError, Offline, ServerFailed
from minimaxfs.core.files import RemoteFile
from minimaxfs.core.inodes import Draft, File, Remembered, Sending
from minimaxfs.core.journal import Event, State, after
from minimaxfs.core.reconcile import made_by, namesakes
from minimaxfs.core.rules import check_room
from minimaxfs.core.tree import Tree
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.journal import Journal
from minimaxfs.disk.spool import Spool
from minimaxfs.vfs.boundary import faults_as_errors
from minimaxfs.vfs.deletes import Deletes
from minimaxfs.vfs.kernel import Kernel
from minimaxfs.vfs.spool_body import SpoolBody

log = logging.getLogger(__name__)

SENDS = 3
"""How often an upload is sent when each time its answer was lost and the store turned out not to have it."""


@dataclass(slots=True, eq=False)
class _Running:
    """An upload under way. Its file takes the place of `over`, under the name `name`, when it ends well."""

    file: File
    draft: Draft
    name: str
    over: File | None
    error: FsError | None
    ended: trio.Event = field(default_factory=trio.Event)

    @property
    def replaced(self) -> RemoteFile | None:
        """The version in the store that goes when the new one is there."""
        return self.file.remote if self.over is None else self.over.remote


class Uploads:
    """Uploads under way, by inode number. They run in the nursery that `start` is given."""

    def __init__(
        self,
        client: Client,
        tree: Tree,
        journal: Journal,
        spool: Spool,
        blocks: Blocks,
        deletes: Deletes,
        kernel: Kernel,
    ) -> None:
        self._client = client
        self._tree = tree
        self._journal = journal
        self._spool = spool
        self._blocks = blocks
        self._deletes = deletes
        self._kernel = kernel
        self._running: dict[int, _Running] = {}
        self._nursery: trio.Nursery | None = None

    def start(self, nursery: trio.Nursery) -> None:
        """Upload in this nursery from now on."""
        self._nursery = nursery

    @property
    def count(self) -> int:
        """Uploads under way."""
        return len(self._running)

    def is_running(self, file: File) -> bool:
        """Whether the file's draft is being sent: its spool file is in use."""
        return file.number in self._running

    async def settled(self, file: File) -> None:
        """Return when no upload of the file is under way: its draft may be written again."""
        while (running := self._running.get(file.number)) is not None:
            await running.ended.wait()

    async def store(self, file: File, *, name: str | None = None, over: File | None = None) -> None:
        """Return when the store has the file's draft, under its name or a new one, in place of `over`.

        Raises the FsError that the upload failed with; the draft stays, and so does what it was
        to replace. A caller that is cancelled does not end the upload.
        """
        running = self._running.get(file.number)
        if running is None:
            draft = file.draft
            if draft is None:
                return
            assert self._nursery is not None
            running = _Running(file, draft, name or file.name or "", over, _interrupted(file))
            self._running[file.number] = running
            self._nursery.start_soon(self._run, running)
        await running.ended.wait()
        if running.error is not None:
            raise running.error

    async def _run(self, running: _Running) -> None:
        try:
            with faults_as_errors(f"upload of {running.file.label}"):
                await self._upload(running)
            running.error = None
        except FsError as error:
            running.error = error
            self._failed(running, error)
        finally:
            del self._running[running.file.number]
            if running.file.handles == 0:
                self._spool.release(running.draft.key)
            running.ended.set()

    async def _upload(self, running: _Running) -> None:
        if running.draft.state is not State.DOUBTFUL:
            await self._seal(running.draft)
            check_room(self._tree.usage()[0], running.draft.size)
        await self._stored(running, await self._send_once(running))

    def _move(self, draft: Draft, event: Event) -> None:
        """Paper before memory."""
        state = after(draft.state, event)
        self._journal.move(draft, state)
        draft.state = state

    async def _seal(self, draft: Draft) -> None:
        """Make the draft durable, from whatever state but a doubtful one it is in."""
        if draft.state is State.FAILED:
            self._move(draft, Event.RETRY)
        spool_file = self._spool.file(draft.key)
        await trio.to_thread.run_sync(spool_file.seal)
        draft.size = spool_file.size
        draft.error = ""
        self._move(draft, Event.SEAL)

    async def _send_once(self, running: _Running) -> RemoteFile:
        """Send until the store has it, and never while it may have it already."""
        draft, file = running.draft, running.file
        for _ in range(SENDS):
            if draft.state is State.DOUBTFUL:
                found = await self._look_for(file, draft)
                if found is not None:
                    return found
                self._move(draft, Event.ABSENT)
            draft.sending = self._sending(running)
            self._move(draft, Event.SEND)
            body = SpoolBody(self._spool.file(draft.key), draft.size)
            try:
                return await self._client.upload(file.purpose.name, running.name, body)
            except FsError as error:
                if not error.sent:
                    raise
                self._move(draft, Event.LOST)
                log.info("%s: no answer to the upload, so it is looked for: %s", file.label, error)
        raise ServerFailed(f"{file.label}: {SENDS} uploads had no answer, and the store has none of them")

    def _sending(self, running: _Running) -> Sending:
        """What to know an upload by, should its answer be lost."""
        there = [file.remote for file in self._tree.files() if file.remote is not None]
        replaced = running.replaced
        return Sending(
            running.name,
            time.time(),
            namesakes(running.name, there),
            None if replaced is None else replaced.file_id,
        )

    async def _look_for(self, file: File, draft: Draft) -> RemoteFile | None:
        """The file that an upload without an answer made, if it made one."""
        if not file.purpose.lists:
            raise ServerFailed(
                f"{file.label}: the store did not answer the upload and may or may not have the file;"
                f" {file.purpose.name} cannot be listed"
            )
        assert draft.sending is not None
        return made_by(draft.sending, draft.size, await self._client.list_files(file.purpose.name))

    async def _stored(self, running: _Running, remote: RemoteFile) -> None:
        file, draft = running.file, running.draft
        replaced = running.replaced
        is_wanted = file.name is not None
        kept = Remembered(running.name, draft.size, file.mtime_ns, file.mode)
        try:
            self._journal.stored(draft.key, remote, kept, replaced)
        except FsError:
            draft.state = after(draft.state, Event.LOST)  # the store has it: only a listing may say so now
            raise
        draft.state = after(draft.state, Event.ANSWERED)
        self._place(running, remote)
        await self._adopt(draft, remote)
        has_readers = running.over is not None and running.over.handles > 0
        if replaced is not None and not has_readers:
            await self._deletes.settle(file.purpose, replaced)
        if not is_wanted:
            self._journal.doom(remote)
            await self._deletes.settle(file.purpose, remote)

    def _place(self, running: _Running, remote: RemoteFile) -> None:
        """The tree shows the file that the store has now."""
        file, now = running.file, trio.current_time()
        directory = self._tree.directory(file.purpose)
        file.draft = None
        for old in (running.over.remote if running.over else None, file.remote):
            if old is not None:
                self._tree.mark_deleted(old.file_id, now)
        if running.over is not None:
            self._tree.detach(running.over)
        gone = self._tree.bind(file, remote, now)
        if file.name is not None and file.name != running.name:
            self._tree.rename(file, running.name)
        if gone is not None:
            name, duplicate = gone
            self._kernel.name_gone(directory.number, name, duplicate.number)

    async def _adopt(self, draft: Draft, remote: RemoteFile) -> None:
        """The bytes that were sent are the blocks of the file: nobody needs to fetch them."""
        self._spool.release(draft.key)
        blocks = self._blocks.adopt(remote.file_id, draft.size, self._spool.path(draft.key))
        if blocks is None:
            self._spool.remove(draft.key)
            return
        try:
            await trio.to_thread.run_sync(blocks.record().write)
        except FsError as error:
            log.warning("blocks of %s are not kept: %s", remote.filename, error)
        finally:
            self._blocks.close_file(blocks)

    def _failed(self, running: _Running, error: FsError) -> None:
        """Keep the bytes, and say why they are not in the store."""
        draft = running.draft
        draft.error = f"{error}. {error.advice}"
        log.error("%s: not stored: %s", running.file.label, draft.error)
        state = draft.state
        if state in {State.SENDING, State.SEALED}:
            state = after(state, Event.REFUSED)
        draft.state = state
        with suppress(FsError):  # a full disk may be why: the row then keeps an earlier state, which is safe
            self._journal.move(draft, state)


def _interrupted(file: File) -> FsError:
    """What an upload ends with that is not allowed to end."""
    return Offline(f"{file.label}: the drive ended before the upload; it goes on at the next mount")
