"""How the API is called: with the key, within a limit, and again where that helps.

The key goes out in a header to the endpoint's origin and nowhere else: redirects are not followed, and
a reply that echoes it is scrubbed before anybody reads it.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import TypeVar

import trio

from minimaxfs.api import wire
from minimaxfs.api.answer import Answer
from minimaxfs.api.asks import Ask, Reply
from minimaxfs.api.endpoint import Endpoint, Operation, checked_key
from minimaxfs.api.exchange import SILENCE_LIMIT, Exchange, Outbound, Pieces, Tls
from minimaxfs.api.local_line import LocalLines
from minimaxfs.api.reach import Reach
from minimaxfs.api.standing import Standing
from minimaxfs.core.backoff import pause
from minimaxfs.core.errors import BrokenReply, FsError, ServerFailed, TimedOut

CALL_LIMIT = 30.0
"""Seconds for a whole call, all its tries and waits together: a person waits for each of them."""

_UNSURE = (ServerFailed, TimedOut, BrokenReply)
"""Errors after which nobody knows whether the request was carried out."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What a request carries besides its `Ask`, and how long it may stand still, in seconds."""

    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    pieces: Pieces | None = None
    write_limit: float = SILENCE_LIMIT
    read_limit: float = SILENCE_LIMIT


PLAIN = Dispatch()


class Caller:
    """The API at `endpoint`, as one who holds the key sees it."""

    def __init__(
        self,
        endpoint: Endpoint,
        key: str,
        tls: Tls,
        standing: Standing,
        *,
        on_request: Callable[[Operation], None],
        rng: Random,
    ) -> None:
        self._endpoint = endpoint
        self._key = checked_key(key)
        self._past_keys: list[str] = []
        self._on_request = on_request
        self._rng = rng
        self.reach = Reach()
        self._standing = standing
        lines = LocalLines(lambda: tls.context)
        self._exchange = Exchange(tls, lines, standing, direct=endpoint.local)

    async def prepare(self) -> None:
        """Connect, so that the first call need not: a round trip less for who looks first, three with TLS."""
        await self._exchange.prepare(self._endpoint.origin)

    async def aclose(self) -> None:
        await self._exchange.aclose()

    def use_key(self, key: str) -> None:
        """Send another key from the next request on. Raises ConfigError for one that no header can hold."""
        checked = checked_key(key)
        if checked != self._key:
            self._past_keys.append(self._key)
            self._key = checked
            self._standing.forget_key()

    async def persist(self, ask: Ask, once: Callable[[], Awaitable[_T]]) -> _T:
        """`once`, which may be done twice, until it succeeds or there is no point: within CALL_LIMIT."""
        deadline = trio.current_time() + CALL_LIMIT
        try:
            with trio.fail_at(deadline):
                return await self.retry(once, lambda _: deadline - trio.current_time())
        except trio.TooSlowError as error:
            raise TimedOut(f"{ask}: no answer within {CALL_LIMIT:.0f} s") from error

    async def retry(self, once: Callable[[], Awaitable[_T]], left: Callable[[FsError], float]) -> _T:
        """`once`, again after each error that allows it, `left` being the seconds there are for a wait."""
        failed = 0
        while True:
            try:
                return await once()
            except FsError as error:
                failed += 1
                delay = pause(error, failed, self._rng.random(), left(error))
                if delay is None:
                    raise
                _log.info("%s; trying again in %.1f s", error, delay)
            await trio.sleep(delay)

    async def once(self, ask: Ask, parse: Callable[[Reply], _T], dispatch: Dispatch = PLAIN) -> _T:
        """One request and what its reply says; an error says in `sent` whether it may have worked."""
        begun = False

        def on_sent() -> None:
            nonlocal begun
            begun = True

        try:
            async with self.send(ask, dispatch, on_sent) as answer:
                reply = await self.reply(answer)
            return self._judged(parse, reply)
        except FsError as error:
            error.sent = begun and isinstance(error, _UNSURE)
            raise

    def _judged(self, parse: Callable[[Reply], _T], reply: Reply) -> _T:
        """What the reply says, which shows whether the key was taken."""
        try:
            parsed = parse(reply)
        except FsError as error:
            self._standing.judged(error)
            raise
        self._standing.judged(None)
        return parsed

    @asynccontextmanager
    async def send(
        self, ask: Ask, dispatch: Dispatch = PLAIN, on_sent: Callable[[], None] = lambda: None
    ) -> AsyncIterator[Answer]:
        """One request, its answer open for the length of the block. Raises Offline where it has no way."""
        with self.reach.trying(str(ask)) as attempt:

            def on_head() -> None:
                attempt.connected()
                on_sent()
                self._on_request(ask.operation)

            async with self._exchange.send(self._outbound(ask, dispatch, on_head)) as answer:
                attempt.answered()
                yield answer

    def _outbound(self, ask: Ask, dispatch: Dispatch, on_sent: Callable[[], None]) -> Outbound:
        return Outbound(
            what=str(ask),
            method="GET" if ask.json is None and dispatch.pieces is None else "POST",
            url=self._endpoint.url(ask.operation, ask.query),
            on_sent=on_sent,
            headers={"Authorization": f"Bearer {self._key}", **_json_headers(ask), **dispatch.headers},
            body=dispatch.pieces if ask.json is None else _single(ask.json),
            write_limit=dispatch.write_limit,
            read_limit=dispatch.read_limit,
        )

    async def reply(self, answer: Answer) -> Reply:
        """The whole of `answer`, without the key where the store repeats it."""
        body = await answer.read(wire.REPLY_LIMIT)
        for key in (self._key, *self._past_keys):
            body = body.replace(key.encode(), b"(key)")
        return Reply(answer.status, answer.headers, body)


def _json_headers(ask: Ask) -> Mapping[str, str]:
    if ask.json is None:
        return {}
    return {"Content-Type": "application/json", "Content-Length": str(len(ask.json))}


def _single(body: bytes) -> Pieces:
    async def pieces() -> AsyncGenerator[bytes, None]:
        yield body

    return pieces
