"""Sending a draft so that the store has it once.

The journal is written before each step, so that a daemon that dies at any line knows at its
next start what the store may have. An upload whose answer was lost is looked for in a listing
before it is sent again: sending is not idempotent.
"""

import logging
import random
import time
from collections.abc import Callable
from functools import partial

import trio

from minimaxfs.api.client import Client
from minimaxfs.core.backoff import USUAL
from minimaxfs.core.errors import FsError, ServerFailed, Unanswered
from minimaxfs.core.files import RemoteFile
from minimaxfs.core.inodes import Draft, File, Sending, usage
from minimaxfs.core.journal import Event, State, after
from minimaxfs.core.reconcile import made_by, namesakes
from minimaxfs.core.rules import check_room
from minimaxfs.core.tree import Tree
from minimaxfs.disk.journal import Journal
from minimaxfs.disk.spool import Spool
from minimaxfs.vfs.spool_body import SpoolBody

log = logging.getLogger(__name__)

COMMIT = 6.0
"""Seconds that a store may take to show a body that it got whole, before it counts as lost on the way: twice
what a slow one was seen to take, and still short for the program that waits in close."""

SENDS = 3
"""How often a draft is sent when each time its answer was lost and the store turned out not to have it."""


class Sender:
    """Takes a draft from whatever state it is in to the store's answer."""

    def __init__(self, client: Client, tree: Tree, journal: Journal, spool: Spool) -> None:
        self._client = client
        self._tree = tree
        self._journal = journal
        self._spool = spool

    def move(self, draft: Draft, event: Event) -> None:
        """Paper before memory."""
        state = after(draft.state, event)
        self._journal.move(draft, state)
        draft.state = state

    async def seal(self, draft: Draft) -> None:
        """Make the draft durable. Raises LocalDiskFull or LocalFault."""
        if draft.state is State.FAILED:
            self.move(draft, Event.RETRY)
        if draft.state is not State.OPEN:
            return
        spool_file = self._spool.file(draft.key)
        version = -1
        while version != draft.version:  # what was written while the disk worked is not sealed yet
            version = draft.version
            await trio.to_thread.run_sync(spool_file.seal)
        draft.size = spool_file.size
        draft.error = ""
        self.move(draft, Event.SEAL)

    async def send(
        self, file: File, draft: Draft, name: str, replaced: list[RemoteFile], on_sent: Callable[[int], None]
    ) -> RemoteFile:
        """Send until the store has the draft by this name, and never while it may have it already.

        `on_sent` is told how many bytes have gone. Raises the FsError that it cannot be sent for.
        """
        await self.seal(draft)
        check_room(usage(self._tree.files())[0], draft.size)
        # Since an earlier mount or try sent it, time has passed in which the store could show it.
        patience = COMMIT if draft.sending is None else COMMIT - (time.time() - draft.sending.at)
        for sends in range(SENDS):
            if draft.state is State.DOUBTFUL:
                found = await self.find_out(file, draft, patience)
                if found is not None:
                    return found
                self.move(draft, Event.ABSENT)
            draft.sending = self._sending(name, replaced)
            self.move(draft, Event.SEND)
            went = [0]
            body = SpoolBody(self._spool.file(draft.key), draft.size, partial(_tell, went, on_sent))
            try:
                return await self._client.upload(file.purpose.name, name, body)
            except FsError as error:
                self.move(draft, Event.LOST if error.sent else Event.UNSENT)
                if not error.sent:
                    raise
                # An answer, or a body that was cut, says that nothing is on its way there any more.
                is_over = error.code is not None or went[0] < draft.size
                patience = USUAL.delay(sends + 1, random.random()) if is_over else COMMIT
                log.info("%s: no answer to the upload, so it is looked for: %s", file.label, error)
        raise ServerFailed(f"{file.label}: {SENDS} uploads had no answer, and the store has none of them")

    async def find_out(self, file: File, draft: Draft, patience: float = COMMIT) -> RemoteFile | None:
        """Look until the file is found, or until the store has had time enough to show it."""
        deadline, looks = trio.current_time() + patience, 0
        while True:
            found = await self.look_for(file, draft)
            left = deadline - trio.current_time()
            if found is not None or left <= 0:
                return found
            looks += 1
            await trio.sleep(min(left, USUAL.delay(looks, random.random())))

    def _sending(self, name: str, replaced: list[RemoteFile]) -> Sending:
        """What to know an upload by, should its answer be lost."""
        there = [file.remote for file in self._tree.files() if file.remote is not None]
        replaces = replaced[0].file_id if replaced else None
        return Sending(name, time.time(), namesakes(name, there), replaces)

    async def look_for(self, file: File, draft: Draft) -> RemoteFile | None:
        """The file that an upload without an answer made, if it made one.

        Raises Unanswered where the store cannot be asked, and what a listing raises.
        """
        if not file.purpose.lists:
            raise Unanswered(
                f"{file.label}: the store did not answer the upload and may or may not have the file;"
                f" {file.purpose.name} cannot be listed"
            )
        assert draft.sending is not None
        return made_by(draft.sending, draft.size, await self._client.list_files(file.purpose.name))


def _tell(went: list[int], on_sent: Callable[[int], None], sent: int) -> None:
    went[0] = sent
    on_sent(sent)
