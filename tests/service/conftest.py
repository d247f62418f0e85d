"""Services of a real systemd. It is started once; each test has profiles, and so services, of its own."""

import itertools
from collections.abc import Iterator

import pytest

from managers import SystemManager, UserManager, system_manager, user_manager
from minimaxfs.emulator.background import Emulator, running
from service_drive import ServiceDrive

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UserManager]:
    log = tmp_path_factory.mktemp("manager") / "log"
    with user_manager(log) as manager:
        yield manager


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemManager]:
    log = tmp_path_factory.mktemp("machine") / "log"
    with system_manager(log) as machine:
        yield machine


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def service(manager: UserManager, emulator: Emulator) -> Iterator[ServiceDrive]:
    """A drive that is configured, with a key and a store, and not yet a service."""
    drive = ServiceDrive(manager, f"test-{next(_numbers)}", emulator)
    drive.configure()
    yield drive
    drive.remove()


@pytest.fixture
def other(manager: UserManager, emulator: Emulator) -> Iterator[ServiceDrive]:
    """A second drive of the same store, not configured yet."""
    drive = ServiceDrive(manager, f"test-{next(_numbers)}", emulator)
    yield drive
    drive.remove()
