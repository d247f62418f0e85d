"""A database and a directory of blocks for each test, closed at its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.database import Database

MIB = 1024 * 1024


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "ledger.sqlite")
    database.open()
    yield database
    database.close()


@pytest.fixture
def blocks(tmp_path: Path) -> Blocks:
    blocks = Blocks(tmp_path / "blocks", 64 * MIB)
    blocks.open()
    return blocks
