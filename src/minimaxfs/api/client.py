"""The operations of the files API, each as one call.

A call sends one request, and more only where the error says that this may help, with back-off and
jitter. All but an upload have a limit on their whole time. An upload is sent again only where nothing
can have been stored; else its error says `sent`.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from random import Random
from typing import Protocol, Self

from minimaxfs.api import asks, wire
from minimaxfs.api.answer import Answer
from minimaxfs.api.asks import Ask
from minimaxfs.api.caller import CALL_LIMIT, Caller, Dispatch
from minimaxfs.api.endpoint import Endpoint, Operation
from minimaxfs.api.exchange import Tls
from minimaxfs.api.multipart import Form, form
from minimaxfs.api.reach import Reach
from minimaxfs.api.standing import Standing
from minimaxfs.core.errors import FsError, LocalFault, NoSuchFile, NotPermitted
from minimaxfs.core.files import RemoteFile, Retrieved

STALL_LIMIT = 60.0
"""Seconds in which an upload must bring `_WRITE` bytes on their way: 4 KiB/s, below any usable link."""

STORING_LIMIT = 120.0
"""Seconds from an upload's last byte to its answer: the store may copy and check 512 MB first."""

_WRITE = 256 * 1024
"""Bytes of one write: fastest of 64 KiB to 1 MiB by measurement, and the grain of the stall limit."""

_log = logging.getLogger(__name__)


class Body(Protocol):
    """An upload's bytes. `size` is exact; each call of `pieces` starts anew, in pieces of up to 1 MiB."""

    @property
    def size(self) -> int: ...

    def pieces(self) -> AsyncIterator[bytes]: ...


class Client:
    """The API at `endpoint`. Raises ConfigError for a key that no header can hold.

    `on_request` is called for each request once its head has been sent: what a meter would count.
    `rng` gives the jitter of waits and the boundaries of forms.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        key: str,
        *,
        on_request: Callable[[Operation], None],
        rng: Random,
    ) -> None:
        self.endpoint = endpoint
        self.tls = Tls()
        self._rng = rng
        self.standing = Standing()
        self._caller = Caller(endpoint, key, self.tls, self.standing, on_request=on_request, rng=rng)

    @property
    def reach(self) -> Reach:
        """Whether the API can be reached, as the last requests found it."""
        return self._caller.reach

    def __repr__(self) -> str:
        return f"Client({self.endpoint.origin!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def prepare(self) -> None:
        """Do what the first call would have to wait for. It costs no request, and fails in silence."""
        await self._caller.prepare()

    async def aclose(self) -> None:
        await self._caller.aclose()

    def use_key(self, key: str) -> None:
        """As `Caller.use_key`: what is under way ends with the old one."""
        self._caller.use_key(key)

    async def list_files(self, purpose: str) -> list[RemoteFile]:
        """All files of `purpose`, in no order; of all purposes where it is "" and the store allows that."""
        ask = asks.ask_list(purpose)
        listing = await self._caller.persist(
            ask, lambda: self._caller.once(ask, lambda reply: wire.parse_listing(ask, reply, purpose))
        )
        if listing.dropped:
            _log.warning("%s: %d entries without a valid file_id were left out", ask, listing.dropped)
        return listing.files

    async def retrieve(self, file_id: int) -> Retrieved:
        """The file and, where the store gives one, a fresh signed URL. Raises NoSuchFile."""
        ask = asks.ask_retrieve(file_id)
        return await self._caller.persist(
            ask, lambda: self._caller.once(ask, lambda reply: wire.parse_retrieved(ask, reply, file_id))
        )

    async def delete(self, file_id: int, purpose: str) -> None:
        """Delete the file. NotPermitted may mean "must stay" and "is gone": a listing tells.

        After a try whose answer was lost, either means that that try did it.
        """
        ask = asks.ask_delete(file_id, purpose)
        doubtful = False

        async def once() -> None:
            nonlocal doubtful
            try:
                await self._caller.once(ask, lambda reply: wire.parse_deleted(ask, reply, file_id))
            except (NotPermitted, NoSuchFile):
                if not doubtful:
                    raise
            except FsError as error:
                doubtful = doubtful or error.sent
                raise

        await self._caller.persist(ask, once)

    async def upload(self, purpose: str, filename: str, body: Body) -> RemoteFile:
        """Store `body` and return the file as the store names it.

        Memory does not grow with the size. An error whose `sent` is true leaves open whether the
        store has the file. Raises LocalFault where `body` is not of its size, NameRefused for a
        `filename` that is not UTF-8.
        """
        ask = asks.ask_upload(purpose, filename)
        envelope = form(purpose, filename, body.size, f"minimaxfs-{self._rng.getrandbits(128):032x}")
        dispatch = Dispatch(
            headers=envelope.headers,
            pieces=partial(_enclosed, ask, envelope, body),
            write_limit=STALL_LIMIT,
            read_limit=STORING_LIMIT,
        )
        return await self._caller.retry(
            lambda: self._caller.once(
                ask, lambda reply: wire.parse_upload(ask, reply, purpose, filename), dispatch
            ),
            lambda error: 0 if error.sent else CALL_LIMIT,
        )

    def content(self, file_id: int, headers: Mapping[str, str]) -> AbstractAsyncContextManager[Answer]:
        """One `retrieve_content`, its answer as it comes: for `api.content`, which checks it."""
        return self._caller.send(asks.ask_content(file_id), Dispatch(headers=headers))

    async def refusal(self, file_id: int, answer: Answer) -> FsError:
        """The error that an answer to `content` is which holds no bytes of the file."""
        return wire.failure(asks.ask_content(file_id), await self._caller.reply(answer))


async def _enclosed(ask: Ask, envelope: Form, body: Body) -> AsyncGenerator[bytes, None]:
    """The form with the file in it. Its length was promised in a header, so it is held to it."""
    yield envelope.head
    left = envelope.size
    pieces = body.pieces()
    try:
        async for piece in pieces:
            left -= len(piece)
            if left < 0:
                break
            for start in range(0, len(piece), _WRITE):
                yield piece[start : start + _WRITE]
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
    if left:
        raise LocalFault(f"{ask}: the file changed while it was being sent")
    yield envelope.tail
