"""Processes that are started and surely ended, and conditions that are waited for."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 10.0
"""Seconds that a process gets to end by itself."""

LIMIT = 900.0
"""Seconds that a program gets: rclone takes 70 for 10,000 files or 200 reads behind the relay."""


Words = list[str | Path]
"""A command."""


class Failed(Exception):
    """A measure could not be taken, or what was read is wrong: no figure may come of it."""


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the process afterwards, whatever happens."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(condition: Callable[[], bool], limit: float, otherwise: str) -> None:
    """Return when the condition holds; raises Failed with the words `otherwise` after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"{otherwise} ({limit:.0f} s)")
        time.sleep(0.005)


def timed(words: Sequence[str | Path], output: Path = Path(os.devnull)) -> float:
    """Run a program to its end, and tell the seconds that it took."""
    with output.open("wb") as file:
        start = time.perf_counter()
        done = subprocess.run(
            words, stdout=file, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False, timeout=LIMIT
        )
        seconds = time.perf_counter() - start
    if done.returncode:
        raise Failed(f"{words[0]} failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return seconds


def program(name: str) -> str:
    """Find a program, also where Debian has nginx and a user's PATH does not look."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        raise Failed(f"{name} is missing")
    return found


def module(name: str, *words: str | Path) -> Words:
    """Make the command that runs a module of this package in a process of its own."""
    return [sys.executable, "-m", f"bench.{name}", *words]
