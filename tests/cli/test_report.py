"""What systemd hears of a drive, and when."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from minimaxfs.api.standing import Standing
from minimaxfs.core.errors import AccessRefused, BrokenReply, Offline, ServerFailed, TimedOut
from minimaxfs.ending import Ending
from minimaxfs.report import MORE_TIME, Report
from minimaxfs.systemd import Supervisor
from notify_socket import NotifySocket, listening
from upload_desk import FAILED, OPEN, WAITING, UploadDesk, upload

NOON = 1_790_164_800.0


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[NotifySocket]:
    with listening(tmp_path) as ear:
        yield ear


async def passing(clock: MockClock, seconds: float) -> None:
    await trio.sleep_until(clock.current_time() + seconds)


class Drive:
    """What a report is about."""

    def __init__(self, ear: NotifySocket, watchdog: float | None = None) -> None:
        self.desk = UploadDesk()
        self.ending = Ending(self.desk, lambda: False, 30.0)
        self.standing = Standing()
        self.report = Report(Supervisor(ear.address, watchdog), Path("/drive"), self.ending, self.standing)

    @asynccontextmanager
    async def reported(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.report.serve)
            await trio.testing.wait_all_tasks_blocked()
            yield
            nursery.cancel_scope.cancel()


async def test_ready_comes_first_and_once(ear: NotifySocket, autojump_clock: MockClock) -> None:
    """An idle drive says that it is ready, and then nothing: its status has not changed."""
    async with Drive(ear).reported():
        await passing(autojump_clock, 100)
    assert ear.hear() == [{"READY": "1", "STATUS": "mounted at /drive"}]


async def test_the_status_follows_the_uploads(ear: NotifySocket, autojump_clock: MockClock) -> None:
    """What waits and what has failed is counted; a file that is just open is no upload."""
    drive = Drive(ear)
    async with drive.reported():
        drive.desk.listed = [upload(), WAITING, FAILED, OPEN]
        await passing(autojump_clock, 1.1)
        drive.desk.listed = [FAILED]
        await passing(autojump_clock, 1.1)
    assert [message["STATUS"] for message in ear.hear()] == [
        "mounted at /drive",
        "mounted at /drive; 2 uploads waiting (40 %); 1 upload failed",
        "mounted at /drive; 1 upload failed",
    ]


async def test_what_a_busy_manager_did_not_take_is_said_again(
    ear: NotifySocket, autojump_clock: MockClock
) -> None:
    """READY is not lost because the manager was reloading its own units."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other, suppress(BlockingIOError):
        other.setblocking(False)
        while True:
            other.sendto(b"X=1", ear.address)
    async with Drive(ear).reported():
        while ear.hear():
            ear.messages.clear()
        await passing(autojump_clock, 1.1)
    assert ear.hear() == [{"READY": "1", "STATUS": "mounted at /drive"}]


def test_the_status_tells_how_the_store_stands(ear: NotifySocket) -> None:
    """Since when it is out of reach, and whether it refuses the key."""
    drive = Drive(ear)
    drive.standing.silent(Offline("no"), NOON)
    drive.standing.silent(TimedOut("no"), NOON + 3600)
    day, minute = drive.report.sentence().removeprefix("mounted at /drive; offline since ").split()
    assert day == "2026-09-23"
    assert minute.endswith(":00")
    drive.standing.answered()
    drive.standing.judged(AccessRefused("no"))
    assert drive.report.sentence() == "mounted at /drive; the store refuses the key"


def test_what_says_nothing_of_the_store_changes_nothing() -> None:
    """A broken answer is an answer, and a fault of the store is no judgement of the key."""
    standing = Standing()
    standing.silent(BrokenReply("garbage"), NOON)
    assert standing.offline_since is None
    standing.judged(AccessRefused("no"))
    standing.judged(ServerFailed("no"))
    assert standing.refuses_key
    standing.judged(None)
    assert not standing.refuses_key


def test_a_status_is_one_line(ear: NotifySocket) -> None:
    """A path with a line end in it must not say READY in the drive's name."""
    report = Report(Supervisor(ear.address), Path("/a\nREADY=1"), Drive(ear).ending, Standing())
    report.tell()
    assert ear.hear() == [{"READY": "1", "STATUS": "mounted at /a\\nREADY=1"}]


async def test_the_watchdog_is_fed_at_half_its_limit(ear: NotifySocket, autojump_clock: MockClock) -> None:
    """A sign that is late by as much again still comes in time."""
    async with Drive(ear, watchdog=10.0).reported():
        await passing(autojump_clock, 25.5)
    assert sum("WATCHDOG" in message for message in ear.hear()) == 5


async def test_a_short_watchdog_is_fed_too(ear: NotifySocket, autojump_clock: MockClock) -> None:
    """The status is looked at once a second, the watchdog fed as often as it wants."""
    async with Drive(ear, watchdog=0.5).reported():
        await passing(autojump_clock, 2.1)
    assert sum("WATCHDOG" in message for message in ear.hear()) == 8


async def test_a_stopping_drive_asks_for_time(ear: NotifySocket, autojump_clock: MockClock) -> None:
    """The limit is moved on each second anew while uploads run, and the status says how far they are."""
    drive = Drive(ear)
    async with drive.reported():
        drive.desk.listed = [upload()]
        drive.ending.has_begun = True
        await passing(autojump_clock, 3.1)
    assert ear.hear()[1:] == 3 * [
        {
            "STOPPING": "1",
            "EXTEND_TIMEOUT_USEC": str(int(MORE_TIME * 1e6)),
            "STATUS": "stopping /drive; 1 upload waiting (40 %)",
        }
    ]


async def test_without_a_manager_nothing_is_done(autojump_clock: MockClock) -> None:
    """A drive of a shell has no task that wakes it up every second."""
    ending = Ending(UploadDesk(), lambda: False, 30.0)
    before = autojump_clock.current_time()
    await Report(Supervisor(), Path("/drive"), ending, Standing()).serve()
    assert autojump_clock.current_time() == before
