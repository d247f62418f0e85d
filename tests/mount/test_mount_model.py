"""Random programs of operations on a real mount, compared with a dict after each step."""

import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from commands import eventually
from mounted_drive import MountedDrive

PLACE = "t2a_async_input"
NAMES = ["a.txt", "b.txt", "c d.txt", "é.txt", "x.tmp", ".hidden"]
LOCAL_ONLY = {"x.tmp", ".hidden"}


class Program:
    """One random program: what it does to the drive, it does to `model` too."""

    def __init__(self, drive: MountedDrive, seed: int) -> None:
        self.drive = drive
        self.root = drive / PLACE
        self.chance = random.Random(seed)
        self.model: dict[str, bytes] = {}
        self.done: list[str] = []

    def step(self) -> None:
        operations: list[Callable[[str], None]] = [
            self.write,
            self.write,
            self.append,
            self.patch,
            self.truncate,
            self.read_part,
            self.rename,
            self.unlink,
            self.unlink_while_open,
            self.write_twice_open,
            self.sync,
        ]
        operation, name = self.chance.choice(operations), self.chance.choice(NAMES)
        self.done.append(f"{operation.__name__} {name}")
        operation(name)

    def check(self) -> None:
        """The drive shows what the model has."""
        assert sorted(os.listdir(self.root)) == sorted(self.model), self.done
        for name, data in self.model.items():
            assert (self.root / name).stat().st_size == len(data), (name, self.done)
            assert (self.root / name).read_bytes() == data, (name, self.done)

    def some(self) -> bytes:
        return self.chance.randbytes(self.chance.choice([1, 10, 5000, 70_000, 200_000]))

    def write(self, name: str) -> None:
        self.model[name] = self.some()
        (self.root / name).write_bytes(self.model[name])

    def append(self, name: str) -> None:
        more = self.some()
        with (self.root / name).open("ab") as file:
            file.write(more)
        self.model[name] = self.model.get(name, b"") + more

    def patch(self, name: str) -> None:
        if name not in self.model:
            return
        data, more = self.model[name], self.some()
        offset = self.chance.randrange(len(data) + 1000)
        with (self.root / name).open("r+b") as file:
            file.seek(offset)
            file.write(more)
        padded = data.ljust(offset, b"\0")
        self.model[name] = padded[:offset] + more + padded[offset + len(more) :]

    def truncate(self, name: str) -> None:
        if name not in self.model:
            return
        size = self.chance.choice([0, 1, 4096, len(self.model[name]) + 10])
        os.truncate(self.root / name, size)
        self.model[name] = self.model[name][:size].ljust(size, b"\0")

    def read_part(self, name: str) -> None:
        if name not in self.model:
            return
        offset, size = self.chance.randrange(100_000), self.chance.randrange(100_000)
        with (self.root / name).open("rb", buffering=0) as file:
            assert os.pread(file.fileno(), size, offset) == self.model[name][offset : offset + size]

    def rename(self, name: str) -> None:
        target = self.chance.choice(NAMES)
        if name not in self.model:
            with pytest.raises(FileNotFoundError):
                (self.root / name).replace(self.root / target)
            return
        (self.root / name).replace(self.root / target)
        self.model[target] = self.model.pop(name)

    def unlink(self, name: str) -> None:
        if name not in self.model:
            with pytest.raises(FileNotFoundError):
                (self.root / name).unlink()
            return
        (self.root / name).unlink()
        del self.model[name]

    def unlink_while_open(self, name: str) -> None:
        if name not in self.model:
            return
        data = self.model.pop(name)
        with (self.root / name).open("rb", buffering=0) as file:
            (self.root / name).unlink()
            assert file.read(len(data) + 1)[:100] == data[:100]

    def write_twice_open(self, name: str) -> None:
        first, second = self.some(), self.some()
        with (self.root / name).open("wb", buffering=0) as one:
            one.write(first)
            with (self.root / name).open("r+b", buffering=0) as other:
                other.write(second)
        self.model[name] = second + first[len(second) :]

    def sync(self, name: str) -> None:
        data = self.some()
        with (self.root / name).open("wb", buffering=0) as file:
            file.write(data)
            os.fsync(file.fileno())
            file.write(data)
        self.model[name] = data + data

    def check_store(self) -> None:
        """The store has exactly the model's files: those with bytes, and a name that it may see."""
        wanted = sorted(data for name, data in self.model.items() if data and name not in LOCAL_ONLY)
        assert eventually(lambda: sorted(self.stored()) == wanted), self.done

    def stored(self) -> list[bytes]:
        """What the store has, less old versions of files whose newest is on this machine only."""
        held = []
        for file in self.drive.emulator.files(PLACE):
            with suppress(KeyError):
                held.append((file.file_id, self.drive.emulator.content(file.file_id)))
        shown = {self.file_id(path) for path in self.root.iterdir() if path.name in LOCAL_ONLY}
        emptied = {self.file_id(path) for path in self.root.iterdir() if path.stat().st_size == 0}
        return [data for file_id, data in held if file_id not in shown | emptied]

    def file_id(self, path: Path) -> int:
        try:
            return int(os.getxattr(path, "user.minimax.file_id"))
        except OSError:
            return 0


@pytest.mark.parametrize("seed", range(6))
def test_random_programs(drive: MountedDrive, seed: int) -> None:
    """60 random operations, a remount and a kill -9 among them, leave drive and store as the model says."""
    program = Program(drive, seed)
    for number in range(60):
        program.step()
        program.check()
        if number == 20:
            drive.remount()
            program.check()
        if number == 40:
            drive.kill()
            drive.mount()
            program.check()
    program.check_store()
