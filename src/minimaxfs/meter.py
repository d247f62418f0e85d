"""The meter: every request is counted, because some cost money."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from minimaxfs.api.endpoint import Operation
from minimaxfs.core.errors import FsError
from minimaxfs.disk.ledger import Ledger

log = logging.getLogger(__name__)


class Meter:
    """Counts requests in memory, and writes them to the ledger now and then."""

    def __init__(self, ledger: Ledger, prices: Callable[[Operation], float]) -> None:
        self._ledger = ledger
        self._prices = prices
        self._counts: Counter[str] = Counter()

    def count(self, operation: Operation) -> None:
        """One more request."""
        self._counts[operation.value] += 1

    def today(self) -> dict[str, tuple[int, float]]:
        """The count and the whole price (dollars) of today's requests (UTC), by operation."""
        known = self._ledger.requests(_today())
        for operation in map(Operation, self._counts):
            count, price = known.get(operation.value, (0, 0.0))
            more = self._counts[operation.value]
            known[operation.value] = (count + more, price + more * self._prices(operation))
        return known

    def save(self) -> None:
        """Write what was counted to the ledger, under today's date (UTC)."""
        if not self._counts:
            return
        prices = {operation.value: self._prices(operation) for operation in Operation}
        try:
            self._ledger.count_requests(_today(), self._counts, prices)
        except FsError as error:
            log.warning("requests are counted in memory only: %s", error)
        else:
            self._counts.clear()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
