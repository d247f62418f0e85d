import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from minimaxfs.emulator.background import Emulator, running

CLIENTS = Path(__file__).parents[2] / ".clients"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def clients() -> Path:
    """Where the official clients are. In CI they must be."""
    if not (CLIENTS / "installed").exists():
        if os.environ.get("CI"):
            pytest.fail("the official clients are missing: run tests/clients/install")
        pytest.skip("the official clients are not installed: tests/clients/install does it")
    return CLIENTS
