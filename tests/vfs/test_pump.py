"""The pump's process: its death, its sleep and its end, as those who read see them."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from block_contents import pattern
from commands import eventually
from line_calls import asking_over
from minimaxfs.api.pump import PATIENCE, Process
from minimaxfs.api.pump_protocol import Say
from minimaxfs.core.errors import BrokenReply
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from reading_side import KEY, MIB, ReadingSide, reading_side, stored, until
from talking_server import Visit, ok, saying, talking

DATA = pattern(24 * MIB + 11)


def pumps() -> list[int]:
    """The pump processes that this one has started, and that still live."""
    tasks = Path("/proc/self/task").glob("*/children")
    children = [int(number) for task in tasks for number in task.read_text().split()]
    return [number for number in children if b"pump_process" in Path(f"/proc/{number}/cmdline").read_bytes()]


def shown(process: int, name: str) -> bytes:
    """What /proc says of a process."""
    return Path(f"/proc/{process}/{name}").read_bytes()


def state(process: int) -> str:
    """One letter, as /proc says it: T is stopped."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


async def test_a_read_goes_on_when_the_pump_is_killed(
    side: ReadingSide, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A new one takes its place; the bytes that were there are not asked for again in vain."""
    emulator.inject(Fault(Operation.DOWNLOAD, Kind.STALL, MIB))
    got = b""

    async def read() -> None:
        nonlocal got
        async with side.reader(remote) as reader:
            got = await reader.read(0, len(DATA))

    remote = stored(emulator, DATA)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await until(lambda: emulator.bytes_sent >= MIB)
        (first,) = pumps()
        os.kill(first, signal.SIGKILL)
    assert got == DATA
    (second,) = pumps()
    assert second != first
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert ["ended: starting it anew" in record.message for record in warned] == [True]


async def test_a_pump_that_sleeps_is_ended_before_a_file_is_let_go(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A stopped process may wake up at any time: the file is let go of when it cannot."""

    async def stall(visit: Visit) -> None:
        await visit.head()
        await visit.say(ok(len(DATA)) + DATA[:MIB])
        await visit.head()

    async with talking(stall) as server, asking_over("pump", tmp_path / "poured") as asking:
        with trio.fail_after(2 * PATIENCE), trio.CancelScope() as scope:
            async with asking.get(server.url()) as answer, trio.open_nursery() as nursery:
                nursery.start_soon(asking.pour, answer, len(DATA))
                await until(lambda: bool(asking.moved) and asking.moved[-1] == MIB)
                (stopped,) = pumps()
                os.kill(stopped, signal.SIGSTOP)
                await until(lambda: state(stopped) == "T")
                scope.cancel()
        assert pumps() == []
        assert ["hangs" in record.message for record in caplog.records if record.levelno >= 30] == [True]
        async with talking(saying(ok(2) + b"ok")) as other:
            assert await asking.read(other.url()) == b"ok"


async def test_the_pump_ends_with_a_drive_that_is_cancelled(tmp_path: Path) -> None:
    """Who has no time to wait for anything still waits for its end."""
    with trio.CancelScope() as scope:
        async with talking(saying(ok(2) + b"ok")) as server, asking_over("pump", tmp_path / "x") as asking:
            assert await asking.read(server.url()) == b"ok"
            assert len(pumps()) == 1
            scope.cancel()
    assert pumps() == []


async def test_the_pump_ends_with_the_drive(emulator: Emulator, tmp_path: Path) -> None:
    """No process is left, not even a dead one."""
    async with reading_side(emulator, tmp_path / "blocks") as side:
        async with side.reader(stored(emulator, DATA)) as reader:
            assert await reader.read(0, MIB) == DATA[:MIB]
        assert len(pumps()) == 1
    assert pumps() == []


def test_the_pump_ends_when_the_drive_is_killed() -> None:
    """Who cannot be ordered any more has nothing to do."""
    code = (
        "import time; from minimaxfs.api.pump import Process; process = Process.start();"
        " print(process._process.pid, flush=True); time.sleep(60)"
    )
    drive = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert drive.stdout is not None
    number = int(drive.stdout.readline())
    drive.kill()
    drive.wait()
    drive.stdout.close()
    assert eventually(lambda: not Path(f"/proc/{number}").exists() or state(number) == "Z")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_signals_for_the_drive_do_not_end_the_pump(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C reaches the whole group, and the drive may still need its bodies."""
    async with talking(saying(ok(2) + b"ok")) as server, asking_over("pump", tmp_path / "poured") as asking:
        assert await asking.read(server.url()) == b"ok"
        (pump,) = pumps()
        os.kill(pump, number)
        assert await asking.read(server.url()) == b"ok"
        assert server.visits == 1
        assert pumps() == [pump]


async def test_the_pump_is_told_no_secret(
    side: ReadingSide, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its command and its environment hold neither the key, nor a signature."""
    monkeypatch.setenv("MINIMAX_API_KEY", KEY)
    remote = stored(emulator, DATA)
    async with side.reader(remote) as reader:
        await reader.read(0, MIB)
    (pump,) = pumps()
    for seen in (shown(pump, "cmdline"), shown(pump, "environ")):
        assert KEY.encode() not in seen
        assert b"Signature" not in seen


async def test_an_order_to_a_pump_that_died_at_once_is_no_fault() -> None:
    """It says that it has ended by its state; nobody waits for an answer to the first order."""
    process = Process.start()
    await until(lambda: len(pumps()) == 1)
    (pump,) = pumps()
    os.kill(pump, signal.SIGKILL)
    await until(lambda: state(pump) == "Z")
    await process.post(Say.TRUST, 0, payload=b"\0")
    assert process.is_over
    await process.aclose()
    assert pumps() == []


async def test_a_killed_pump_ends_its_pours(tmp_path: Path) -> None:
    """Who waits for its bytes is told."""

    async def stall(visit: Visit) -> None:
        await visit.head()
        await visit.say(ok(len(DATA)) + DATA[:MIB])
        await visit.head()

    async with talking(stall) as server, asking_over("pump", tmp_path / "poured") as asking:

        async def pour() -> None:
            with pytest.raises(BrokenReply, match="has ended"):
                await asking.poured(server.url(), len(DATA))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(pour)
            await until(lambda: bool(asking.moved))
            os.kill(pumps()[0], signal.SIGKILL)
