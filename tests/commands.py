"""Programs run to their end, with a limit, as the tests of commands do it."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LIMIT = 30.0
"""Seconds that a command may take before it counts as hanging."""

Done = subprocess.CompletedProcess[str]
Command = Callable[..., Done]


def run(words: Sequence[str | Path], environ: Mapping[str, str]) -> Done:
    return subprocess.run(
        words,
        env=environ,
        capture_output=True,
        check=False,
        text=True,
        timeout=LIMIT,
        stdin=subprocess.DEVNULL,
    )


def run_python(code: str, words: Sequence[str | Path], environ: Mapping[str, str]) -> Done:
    """Run a piece of Python in a process of its own, which may fork as it likes."""
    return run([sys.executable, "-c", code, *words], environ)


def eventually(condition: Callable[[], bool], limit: float = LIMIT) -> bool:
    """Whether the condition comes true within `limit` seconds; asked every 10 ms."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True
