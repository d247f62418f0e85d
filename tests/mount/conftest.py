"""Mount tests use the real kernel: without /dev/fuse they fail, they are not skipped."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from minimaxfs.emulator.background import Emulator, running
from mounted_drive import MountedDrive, mounted


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def drive(tmp_path: Path, emulator: Emulator) -> Iterator[MountedDrive]:
    with mounted(tmp_path, emulator) as drive:
        yield drive


@pytest.fixture
def sparse() -> Callable[[Path, int], None]:
    """Make a large file whose every MiB differs, in little time."""

    def make(path: Path, size: int) -> None:
        with path.open("wb") as file:
            file.truncate(size)
            for offset in range(0, size - 8, 1024 * 1024):
                os.pwrite(file.fileno(), offset.to_bytes(8, "big"), offset + offset % 4096)

    return make


@pytest.fixture
def drive_with(tmp_path: Path, emulator: Emulator) -> Iterator[Callable[..., MountedDrive]]:
    """Mount with options of the command line."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(mounted(tmp_path, emulator, *options))
