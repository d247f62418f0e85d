"""Signed URLs: one a file, asked for once in its life, since each asking may cost money."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TLRUCache

from minimaxfs.api.client import Client
from minimaxfs.core.signed_url import SignedUrl
from minimaxfs.vfs.flights import Flights

NO_URL_LIFE = 60.0
"""Seconds for which a retrieve that gave no URL is believed, while the bytes come by file_id."""

STILLBORN = 2.0
"""Seconds after its making within which a URL that is refused counts as one that never worked."""

MOST_URLS = 10_000
"""URLs kept in memory, about 500 bytes each."""


@dataclass(slots=True, eq=False)
class Address:
    """Where a file's bytes are: at a signed URL, or (None) only behind its file_id.

    `size` is in bytes, as the retrieve said; 0 is not to be believed. `has_worked` says that the
    storage took the URL once.
    """

    signed: SignedUrl | None
    size: int
    renew_at: float
    has_worked: bool = False


def _renew_at(_key: int, address: Address, _now: float) -> float:
    return address.renew_at


class SignedUrls:
    """Addresses by file_id, renewed at 80 % of their life or when one turns out to have ended."""

    def __init__(self, client: Client, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._now = now
        self._known: TLRUCache[int, Address] = TLRUCache(MOST_URLS, _renew_at, timer=now)
        self._flights: Flights[Address] = Flights()

    async def address(self, file_id: int) -> Address:
        """Where the bytes are. Costs a retrieve where no URL that works is known; raises as that does."""
        known = self._known.get(file_id)
        if known is not None:
            return known
        return await self._flights.run(file_id, lambda: self._retrieve(file_id))

    async def _retrieve(self, file_id: int) -> Address:
        answer = await self._client.retrieve(file_id)
        now = self._now()
        signed = SignedUrl.obtained(answer.download_url, now) if answer.download_url else None
        address = Address(signed, answer.file.size, signed.renew_at if signed else now + NO_URL_LIFE)
        self._known[file_id] = address
        return address

    def ended(self, file_id: int, address: Address) -> None:
        """Forget an address that does not work any more; a newer one is left alone.

        One that never worked is not asked for again: for a while the bytes come by file_id.
        """
        if self._known.get(file_id) is not address or address.signed is None:
            return
        now = self._now()
        if address.has_worked or now - address.signed.obtained_at > STILLBORN:
            del self._known[file_id]
        else:
            self._known[file_id] = Address(None, address.size, now + NO_URL_LIFE)
