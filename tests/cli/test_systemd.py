"""The words of sd_notify(3), as they arrive at a socket."""

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from minimaxfs.systemd import NOBODY, Supervisor
from notify_socket import NotifySocket, listening


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[NotifySocket]:
    with listening(tmp_path) as ear:
        yield ear


def test_a_message_is_one_datagram_of_lines(ear: NotifySocket) -> None:
    """What is said at once is heard at once: systemd takes READY and STATUS together."""
    Supervisor(ear.address).notify(READY=1, STATUS="mounted at /x; 2 uploads = many")
    assert ear.hear() == [{"READY": "1", "STATUS": "mounted at /x; 2 uploads = many"}]


def test_an_abstract_socket_is_reached(tmp_path: Path) -> None:
    """Managers in containers listen at an address without a file, written with an @."""
    with NotifySocket(f"@{tmp_path}") as ear:
        Supervisor.of({"NOTIFY_SOCKET": ear.address}).notify(READY=1)
        assert ear.hear() == [{"READY": "1"}]


def test_a_reload_is_announced_with_its_time(ear: NotifySocket) -> None:
    """systemd tells the reload that it asked for from an earlier one by the monotonic clock."""
    before = time.monotonic_ns() // 1000
    Supervisor(ear.address).reloading()
    (message,) = ear.hear()
    assert message["RELOADING"] == "1"
    assert before <= int(message["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000


def test_nobody_is_told_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """In a shell there is no socket, and that is no trouble."""
    Supervisor.of({}).notify(READY=1)
    NOBODY.reloading()
    assert caplog.records == []


def test_a_socket_that_is_gone_is_only_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A drive does not end because its manager does."""
    Supervisor(str(tmp_path / "gone")).notify(READY=1, STATUS="x")
    assert [
        (record.levelno, record.getMessage().startswith("systemd is not told READY, STATUS"))
        for record in caplog.records
    ] == [(logging.WARNING, True)]


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "2500000"}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": str(os.getpid())}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_the_own_one(environ: dict[str, str], seconds: float | None) -> None:
    """A limit that was meant for a parent is not taken for one's own."""
    assert Supervisor.of(environ).watchdog == seconds
