"""Commands run as a user runs them: in a process, with a home and an environment of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from commands import Command, Done, run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    """A user's environment that knows nothing of MiniMax and XDG."""
    foreign = ("MINIMAX", "XDG_", "CREDENTIALS_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**inherited, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}


@pytest.fixture
def minimaxfs(environ: dict[str, str]) -> Command:
    """Run `minimaxfs WORD...` to its end; `env` adds to the environment, `before` goes before the words."""

    def minimaxfs(
        *words: str | Path, env: Mapping[str, str] | None = None, before: tuple[str, ...] = ()
    ) -> Done:
        return run([*before, sys.executable, "-m", "minimaxfs", *words], {**environ, **(env or {})})

    return minimaxfs


@pytest.fixture
def mountpoint(tmp_path: Path) -> Iterator[Path]:
    """An empty directory, with nothing mounted on it once the test has ended."""
    place = tmp_path / "drive"
    place.mkdir()
    yield place
    subprocess.run(["fusermount3", "-uzq", "--", place], check=False)
