"""The doctor's last look: a drive of the emulator in a private directory, and a file that goes in and out.

The drive is `minimaxfs demo` in a process of its own, and what touches the mount are processes too: one that
hangs is killed after a while, and this one goes on.
"""

import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from minimaxfs.findings import Finding, fix

MOUNT_LIMIT = 30.0
"""Seconds until the drive must answer: a second is usual."""

COPY_LIMIT = 20.0
"""Seconds for a copy of a few bytes."""

END_LIMIT = 10.0
"""Seconds for the drive to end."""

SUBJECT = "self-test"
ADVICE = "What failed is said above or in the line itself; mend it, and run the doctor again."
WORDS = "Hello from the doctor of minimaxfs.\n"


def run(environ: Mapping[str, str]) -> Finding:
    """Mount, copy in, copy out, compare, unmount."""
    with tempfile.TemporaryDirectory(prefix="minimaxfs-doctor-") as private:
        try:
            return _tried(Path(private), environ)
        finally:
            command = ["fusermount3", "-uzq", "--", os.path.join(private, "drive")]
            with suppress(OSError):
                subprocess.run(command, check=False, stdin=subprocess.DEVNULL)


def _tried(private: Path, environ: Mapping[str, str]) -> Finding:
    drive = private / "drive"
    own = {**environ, "XDG_RUNTIME_DIR": os.fspath(private), "PYTHONUNBUFFERED": "1"}
    with (
        (private / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "minimaxfs", "demo", drive],
            env=own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as daemon,
    ):
        try:
            assert daemon.stdout is not None
            if not _has_spoken(daemon.stdout):
                return fix(SUBJECT, f"the drive is not mounted: {_last_line(private / 'log')}", ADVICE)
            return _copied(private, drive)
        finally:
            daemon.terminate()
            try:
                daemon.wait(END_LIMIT)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _has_spoken(output: IO[bytes]) -> bool:
    """Whether the drive says in time that it is mounted."""
    return bool(select.select([output], [], [], MOUNT_LIMIT)[0]) and bool(output.readline())


def _copied(private: Path, drive: Path) -> Finding:
    before, after = private / "before.txt", private / "after.txt"
    inside = drive / "t2a_async_input/doctor.txt"
    before.write_text(WORDS, encoding="utf-8")
    steps: Sequence[tuple[str, Sequence[str | Path]]] = (
        ("copying in", ("cp", before, inside)),
        ("copying out", ("cp", inside, after)),
        ("comparing", ("cmp", before, after)),
        ("deleting", ("rm", inside)),
    )
    for what, words in steps:
        error = _done(words)
        if error:
            return fix(SUBJECT, f"{what} failed: {error}", ADVICE)
    return Finding(SUBJECT, "a file went into a drive and came out of it")


def _done(words: Sequence[str | Path]) -> str:
    """Run a program; what it complained about, nothing where all went well."""
    try:
        done = subprocess.run(
            words, check=False, capture_output=True, timeout=COPY_LIMIT, stdin=subprocess.DEVNULL, text=True
        )
    except subprocess.TimeoutExpired:
        return f"no end within {COPY_LIMIT:.0f} s"
    except OSError as error:
        return f"{words[0]}: {error.strerror}"
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit status {done.returncode}"


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    told = [line for line in lines if line.startswith("minimaxfs: ")]
    return (told or lines or ["it said nothing"])[-1].removeprefix("minimaxfs: ")
