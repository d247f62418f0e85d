"""An emulator, and the reading side of a drive on it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from minimaxfs.disk.database import Database
from minimaxfs.emulator.background import Emulator, running
from reading_side import ReadingSide, reading_side


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
async def side(emulator: Emulator, tmp_path: Path) -> AsyncIterator[ReadingSide]:
    async with reading_side(emulator, tmp_path / "blocks") as side:
        yield side


@pytest.fixture
def clock() -> MockClock:
    """Time as it passes, until a test jumps, or changes the rate: the network is as fast as ever."""
    return MockClock(rate=1.0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "ledger.sqlite")
    database.open()
    yield database
    database.close()
