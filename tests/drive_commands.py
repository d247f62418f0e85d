"""Commands and copies around a mounted drive."""

import json
import os
import subprocess
import sys
from pathlib import Path

from commands import Done, eventually, run
from mounted_drive import MountedDrive

TEXTS = "t2a_async_input"


def command(drive: MountedDrive, *words: str | Path) -> Done:
    return run([sys.executable, "-m", "minimaxfs", *words], drive.environ)


def listed(drive: MountedDrive) -> dict[str, dict[str, object]]:
    """What `minimaxfs uploads` says, by path below the mountpoint."""
    done = command(drive, "uploads", drive.path, "--json")
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return {str(row["path"]).removeprefix(f"{drive.path}/"): row for row in rows}


def stored(drive: MountedDrive, purpose: str = TEXTS) -> dict[str, bytes]:
    return {file.filename: drive.emulator.content(file.file_id) for file in drive.emulator.files(purpose)}


def state(path: Path) -> str:
    return os.getxattr(path, "user.minimax.state").decode()


class Copy:
    """`cp` into the drive, in the background: its upload may take a while."""

    def __init__(self, drive: MountedDrive, name: str, data: bytes) -> None:
        source = drive.path.with_name(f"source of {name}")
        source.write_bytes(data)
        before = drive.emulator.requests["upload"]
        self._process = subprocess.Popen(["cp", source, drive / TEXTS / name], stderr=subprocess.DEVNULL)
        assert eventually(lambda: drive.emulator.requests["upload"] > before)

    def status(self) -> int:
        """The exit status, which is to come soon."""
        return self._process.wait(10)
