"""The store that the contract tests run against: the emulator, or with --live the real service.

A test that asks for `emulator` needs its faults, settings or counts, and is left out of a live run.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from api_bodies import count
from line_calls import Asking, asking_over
from minimaxfs.api.client import Client
from minimaxfs.api.content import Content
from minimaxfs.api.endpoint import PRESETS, Endpoint, Operation
from minimaxfs.emulator.background import Emulator, running
from minimaxfs.emulator.settings import Settings

KEY = "sk-contract-4a9c1e"


@dataclass(frozen=True, slots=True)
class Store:
    """Where the tests send their requests, and with which key."""

    endpoint: Endpoint
    key: str


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--live"):
        return
    here = [item for item in items if "tests/contract" in item.path.as_posix()]
    left_out = [item for item in here if "emulator" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running(Settings(keys=frozenset({KEY}))) as emulator:
        yield emulator


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Store:
    if request.config.getoption("--live"):
        endpoint = PRESETS[os.environ.get("MINIMAX_REGION", "global")]
        host = os.environ.get("MINIMAX_API_HOST")
        return Store(endpoint.at(host) if host else endpoint, os.environ["MINIMAX_API_KEY"])
    emulator = request.getfixturevalue("emulator")
    assert isinstance(emulator, Emulator)
    return Store(PRESETS["global"].at(emulator.api_origin), KEY)


@pytest.fixture
def sent() -> Counter[Operation]:
    """The requests as the client's meter counts them."""
    return Counter()


@pytest.fixture
async def client(store: Store, sent: Counter[Operation]) -> AsyncIterator[Client]:
    async with Client(store.endpoint, store.key, on_request=count(sent), rng=Random()) as client:
        yield client


@pytest.fixture
async def content(client: Client, sent: Counter[Operation]) -> AsyncIterator[Content]:
    content = Content(client, on_request=count(sent))
    yield content
    await content.aclose()


@pytest.fixture(params=["local", "pump"])
async def asking(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Asking]:
    """An exchange over lines of this process, and one over the pump's."""
    async with asking_over(str(request.param), tmp_path / "poured") as asking:
        yield asking
