"""GETs of links without the key: by the connection that fits, by https where that works, through redirects.

Redirects are followed here by hand: to http and https only, and never from the outside world to this
machine's own network. Nothing is tried twice.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from minimaxfs.api.answer import Answer
from minimaxfs.api.exchange import Exchange, Outbound, Tls
from minimaxfs.api.links import REDIRECTS, host_of, redirection, refuse_inward, secured
from minimaxfs.api.local_line import PIECE, LocalLines
from minimaxfs.api.pump import Pump
from minimaxfs.api.standing import Standing
from minimaxfs.core.errors import BrokenReply, Offline, TimedOut
from minimaxfs.core.signed_url import redacted

STALL_LIMIT = 10.0
"""Seconds without progress after which a connection is dropped, and the rest asked for by another."""


class Gets:
    """The connections to storage. `on_sent` is told of each GET that goes out. Close it with `aclose`.

    Long bodies come by the pump; short ones by this process, unless long ones are on their way: then the
    event loop has better things to do than to copy, or to wait for a disk that is being filled.
    """

    def __init__(self, tls: Tls, standing: Standing, *, local: bool, on_sent: Callable[[], None]) -> None:
        self._local = local
        self._on_sent = on_sent
        self._long = Exchange(tls, Pump(tls.authorities), standing, direct=local)
        self._short = Exchange(tls, LocalLines(lambda: tls.context), standing, direct=local)
        self._under_way = 0  # long ones
        self._insecure: set[str] = set()  # hosts that turned out to speak http only

    async def prepare(self) -> None:
        """Start what the first GET would have to wait for: it costs no request."""
        await self._long.prepare()

    async def aclose(self) -> None:
        await self._long.aclose()
        await self._short.aclose()

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str], size: int | None) -> AsyncIterator[Answer]:
        """The answer, for the length of the block; `size` bytes of a body are expected (None: any number)."""
        is_long = self._under_way > 0 or size is None or size > PIECE
        exchange = self._long if is_long else self._short
        self._under_way += is_long
        try:
            is_link = False
            for _ in range(REDIRECTS + 1):
                async with AsyncExitStack() as stack:
                    answer = await self._ask(stack, exchange, url, headers, is_link and not self._local)
                    link = redirection(answer.status, answer.headers, url)
                    if link is None:
                        yield answer
                        return
                if not self._local:
                    await refuse_inward(link)
                url, is_link = link, True
            raise BrokenReply(f"download of {redacted(url)}: more than {REDIRECTS} redirects")
        finally:
            self._under_way -= is_long

    async def _ask(
        self,
        stack: AsyncExitStack,
        exchange: Exchange,
        url: str,
        headers: Mapping[str, str],
        public_only: bool,
    ) -> Answer:
        """One GET, by https where the host speaks it, though the link is http."""
        secure = secured(url)
        if secure is not None and host_of(url) not in self._insecure:
            try:
                outbound = self._outbound(secure, headers, public_only)
                return await stack.enter_async_context(exchange.send(outbound))
            except (Offline, TimedOut):
                answer = await stack.enter_async_context(
                    exchange.send(self._outbound(url, headers, public_only))
                )
                # Only now is it known to speak http alone: an outage says nothing of either.
                self._insecure.add(host_of(url))
                return answer
        return await stack.enter_async_context(exchange.send(self._outbound(url, headers, public_only)))

    def _outbound(self, url: str, headers: Mapping[str, str], public_only: bool) -> Outbound:
        return Outbound(
            what=f"download of {redacted(url)}",
            method="GET",
            url=url,
            on_sent=self._on_sent,
            headers=headers,
            read_limit=STALL_LIMIT,
            public_only=public_only,
        )
