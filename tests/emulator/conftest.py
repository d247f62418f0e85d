from collections.abc import Iterator

import pytest

from minimaxfs.emulator.background import Emulator, running


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator
