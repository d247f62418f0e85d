"""The meter: every request is counted, because some cost money."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from minimaxfs.api.endpoint import Operation
from minimaxfs.disk.ledger import Ledger


class Meter:
    """Counts requests in memory, and writes them to the ledger now and then."""

    def __init__(self, ledger: Ledger, prices: Callable[[Operation], float]) -> None:
        self._ledger = ledger
        self._prices = prices
        self._counts: Counter[str] = Counter()

    def count(self, operation: Operation) -> None:
        """One more request."""
        self._counts[operation.value] += 1

    def save(self) -> None:
        """Write what was counted to the ledger, under today's date (UTC)."""
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()
        prices = {operation.value: self._prices(operation) for operation in Operation}
        self._ledger.count_requests(datetime.now(UTC).date().isoformat(), counts, prices)
