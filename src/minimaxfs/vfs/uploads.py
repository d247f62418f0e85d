"""Uploads: which drafts are on their way to the store, and what becomes of them.

Each runs in a task of its own, four at once, and outlives the program that waits for it. A
program that closed a file gets the errno of the first try. With write-back, and after a
restart, nobody waits: then a draft is tried again until the store has it or refuses it.
"""

import logging
import random
from contextlib import suppress

import trio

from minimaxfs.core.backoff import PATIENT
from minimaxfs.core.errors import FsError, Unanswered
from minimaxfs.core.files import Purpose, RemoteFile
from minimaxfs.core.inodes import Draft, File
from minimaxfs.core.journal import Event, State, after
from minimaxfs.core.reconcile import made_by
from minimaxfs.core.tree import Tree
from minimaxfs.disk.journal import Journal
from minimaxfs.disk.spool import Spool
from minimaxfs.vfs.arrivals import Arrivals
from minimaxfs.vfs.boundary import faults_as_errors
from minimaxfs.vfs.history import History
from minimaxfs.vfs.sender import Sender
from minimaxfs.vfs.upload import Upload

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Uploads that send at the same time: one fills most uplinks, and the store limits connections."""


class Uploads:
    """Uploads under way, by inode number. They run in the nursery that `start` is given."""

    def __init__(
        self, sender: Sender, arrivals: Arrivals, tree: Tree, journal: Journal, spool: Spool, history: History
    ) -> None:
        self._history = history
        self._sender = sender
        self._arrivals = arrivals
        self._tree = tree
        self._journal = journal
        self._spool = spool
        self._running: dict[int, Upload] = {}
        self._places = trio.CapacityLimiter(AT_ONCE)
        self._nursery: trio.Nursery | None = None

    def start(self, nursery: trio.Nursery) -> None:
        """Upload in this nursery from now on."""
        self._nursery = nursery

    def running(self) -> list[Upload]:
        """The uploads under way, oldest first."""
        return list(self._running.values())

    def of(self, file: File) -> Upload | None:
        """The upload of the file's draft, which is using its spool file."""
        return self._running.get(file.number)

    async def store(self, file: File, *, name: str | None = None, over: File | None = None) -> None:
        """Return when the store has the file's draft, under its name or a new one, in place of `over`.

        Raises the FsError that the try failed with; the draft stays, and so does what it was to
        replace. A caller that is cancelled does not end the upload.
        """
        upload = self._begin(file, name, over, persists=False)
        if upload is None:
            return
        upload.hasten()
        await upload.tried.wait()
        if upload.error is not None:
            raise upload.error

    async def store_later(self, file: File) -> None:
        """Return when the draft is sealed; it is sent in the background for as long as that takes."""
        if file.draft is not None:
            await self._sender.seal(file.draft)
        self._begin(file, None, None, persists=True)

    def _begin(self, file: File, name: str | None, over: File | None, *, persists: bool) -> Upload | None:
        upload = self._running.get(file.number)
        if upload is None and file.draft is not None:
            assert self._nursery is not None
            upload = Upload(file, file.draft, name, over, persists)
            self._running[file.number] = upload
            self._nursery.start_soon(self._run, upload)
        return upload

    async def settle_doubt(self, file: File) -> None:
        """Ask the store about a doubtful draft that is to be deleted: what it made of it must go too."""
        draft = file.draft
        if draft is None or draft.state is not State.DOUBTFUL or file.number in self._running:
            return
        try:
            found = await self._sender.look_for(file, draft)
        except Unanswered:
            return
        if found is not None and file.draft is draft:
            await self._found(file, draft, found)

    async def resolve(self, purpose: Purpose, listing: list[RemoteFile]) -> None:
        """A listing came: what it has of doubtful drafts is stored, and what waits for the store goes on."""
        for upload in self.running():
            upload.hasten()
        for file in self._tree.drafts():
            draft = file.draft
            if draft is None or draft.sending is None or draft.state is not State.DOUBTFUL:
                continue
            found = made_by(draft.sending, draft.size, listing)
            if file.purpose is purpose and found is not None and file.number not in self._running:
                with suppress(FsError):  # a full disk: the next listing finds it again
                    await self._found(file, draft, found)

    async def _found(self, file: File, draft: Draft, remote: RemoteFile) -> None:
        """The store has a doubtful draft, as `remote`."""
        log.info("%s: the store has it as %d", file.label, remote.file_id)
        upload = self._running[file.number] = Upload(file, draft, None, None, persists=False)
        try:
            await self._arrive(upload, remote)
        finally:
            del self._running[file.number]
            upload.tried.set()
            upload.ended.set()

    async def settled(self, file: File) -> None:
        """Return when no upload of the file is under way; one that only waits for its next try ends now."""
        while (upload := self._running.get(file.number)) is not None:
            if upload.is_waiting:
                upload.scope.cancel()
                await upload.ended.wait()
            else:
                await upload.tried.wait()

    async def _run(self, upload: Upload) -> None:
        try:
            with upload.scope:
                await self._try_until_done(upload)
        finally:
            del self._running[upload.file.number]
            self._let_go(upload.file, upload.draft)
            upload.tried.set()
            upload.ended.set()

    def _let_go(self, file: File, draft: Draft) -> None:
        """The spool file is not in use by the upload any more, nor by anybody if the file was deleted."""
        if file.name is None:
            self.abandon(file)
        elif file.handles == 0:
            self._spool.release(draft.key)

    def abandon(self, file: File) -> None:
        """The file's name is gone: its draft goes too, with its last user, or at the next start."""
        draft, upload = file.draft, self._running.get(file.number)
        if draft is None:
            return
        if upload is not None and upload.is_waiting:
            upload.scope.cancel()
        if file.handles > 0 or upload is not None:
            with suppress(FsError):
                self._journal.describe(file)
            return
        file.draft = None
        self.forget(draft)

    def bury(self, file: File) -> None:
        """A file was deleted while it was sent, and the daemon died: what the store has of it is to go."""
        assert self._nursery is not None
        self._nursery.start_soon(self._bury, file)

    async def _bury(self, file: File) -> None:
        assert file.draft is not None
        try:
            with faults_as_errors(f"delete of {file.label}"):
                found = await self._sender.find_out(file, file.draft)
                if found is not None:
                    await self._arrivals.unwanted(file.purpose, found)
        except FsError as error:
            log.info("%s: whether the store has it is asked at the next mount: %s", file.label, error)
            return
        self.forget(file.draft)

    async def keep_here(self, file: File) -> None:
        """The file has a name now that the store may not see: what waits to be sent does so no more."""
        await self.settled(file)
        draft = file.draft
        if draft is not None and draft.state in {State.SEALED, State.FAILED}:
            self._sender.move(draft, Event.WRITE)

    def forget(self, draft: Draft) -> None:
        """Give up bytes. They go first: on a full disk the journal has no room to say so before."""
        self._spool.remove(draft.key)
        with suppress(FsError):  # a row without bytes means nothing, and goes at the next start
            self._journal.discard(draft.key)

    async def _try_until_done(self, upload: Upload) -> None:
        while True:
            try:
                with faults_as_errors(f"upload of {upload.file.label}"):
                    await self._try(upload)
            except FsError as error:
                upload.error = error
                self._history.note(upload.path, "upload", error)
                if not (upload.persists and error.retry and upload.file.name is not None):
                    self._give_up(upload, error)
                    return
                await self._wait(upload, error)
            else:
                upload.error = None
                return

    async def _try(self, upload: Upload) -> None:
        upload.sent = 0
        name = upload.name or upload.file.name or "deleted"
        async with self._places:
            remote = await self._sender.send(
                upload.file, upload.draft, name, upload.replaced, upload.progress
            )
        await self._arrive(upload, remote)

    async def _wait(self, upload: Upload, error: FsError) -> None:
        """Wait for the next try, or until somebody is in a hurry."""
        upload.tries += 1
        delay = PATIENT.delay(upload.tries, random.random())
        upload.draft.error = str(error)
        log.info("%s: trying again in %.0f s: %s", upload.file.label, delay, error)
        upload.wait_until(trio.current_time() + delay)
        with trio.move_on_at(upload.next_try):
            await upload.hurry.wait()
        upload.go_on()

    async def _arrive(self, upload: Upload, remote: RemoteFile) -> None:
        await self._arrivals.arrived(upload, remote)
        if upload.over is not None:
            self.abandon(upload.over)

    def _give_up(self, upload: Upload, error: FsError) -> None:
        """Keep the bytes, and say why they are not in the store."""
        draft = upload.draft
        draft.error = f"{error}. {error.advice}"
        log.error("%s: not stored: %s", upload.file.label, draft.error)
        if draft.state is State.SEALED:
            draft.state = after(draft.state, Event.REFUSED)
        with suppress(FsError):  # a full disk may be why: the row then keeps an earlier state, which is safe
            self._journal.move(draft, draft.state)
