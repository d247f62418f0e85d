"""Commands and drives, over a real socket."""

import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from minimaxfs import ask, control, sockets
from minimaxfs.complaint import CommandFailed
from minimaxfs.core.errors import Offline
from minimaxfs.ending import Ending
from upload_desk import FAILED, WAITING, UploadDesk, controlled, upload

Reply = dict[str, object]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "minimaxfs"


@pytest.fixture
def runtime(tmp_path: Path) -> dict[str, str]:
    """The environment in which commands find the sockets in `place`."""
    return {"XDG_RUNTIME_DIR": str(tmp_path)}


@pytest.fixture
def desk() -> UploadDesk:
    return UploadDesk([WAITING, FAILED])


@pytest.fixture
async def ending(place: Path, desk: UploadDesk) -> AsyncIterator[Ending]:
    async with controlled(place, desk) as ending:
        yield ending


@pytest.fixture
async def path(place: Path, ending: Ending) -> Path:
    """The drive's socket."""
    assert not ending.has_begun
    return place / "work.sock"


@pytest.fixture
async def drive(path: Path, runtime: dict[str, str]) -> ask.Drive:
    found_drive = await found(runtime)
    assert found_drive.socket_name == path.name
    return found_drive


async def found(runtime: dict[str, str]) -> ask.Drive:
    drive = await trio.to_thread.run_sync(ask.drive_at, "/drive", runtime)
    assert drive is not None
    return drive


async def told(stream: trio.SocketStream) -> Reply:
    """The last line of a conversation."""
    received = b""
    async for piece in stream:
        received += piece
    reply: Reply = json.loads(received.splitlines()[-1])
    return reply


async def test_a_drive_is_found_by_its_mountpoint(
    place: Path, runtime: dict[str, str], drive: ask.Drive
) -> None:
    """Of several drives, dead ones too, the one that says it is mounted there."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place / "dead.sock"))
    async with controlled(place, UploadDesk(), "/other \udcff"):
        drives = await trio.to_thread.run_sync(ask.drives, runtime)
        assert drives[0] == drive
        assert [(one.mountpoint, one.socket_name) for one in drives] == [
            ("/drive", "work.sock"),
            ("/other \udcff", "work-2.sock"),
        ]
        assert await trio.to_thread.run_sync(ask.drive_at, "/elsewhere", runtime) is None


async def test_a_drive_that_hangs_is_passed_over(place: Path, runtime: dict[str, str]) -> None:
    """It listens and never answers: a second later the command goes on without it."""
    before = time.monotonic()
    with sockets.claimed(place, "hung"):
        assert await trio.to_thread.run_sync(ask.drives, runtime) == []
    assert time.monotonic() - before < 3


async def test_uploads_are_told(drive: ask.Drive) -> None:
    """All that the desk knows of them."""
    reply = await trio.to_thread.run_sync(ask.asked, drive, {"command": "uploads"})
    listed = reply["uploads"]
    assert isinstance(listed, list)
    assert [(one["path"], one["state"], one["next_try_in"]) for one in listed] == [
        (WAITING.path, "sealed", 60.0),
        (FAILED.path, "failed", None),
    ]


async def test_a_retry_answers_when_the_store_has_the_file(desk: UploadDesk, drive: ask.Drive) -> None:
    """Until then there is progress, as a sign of life and for the eye."""
    seen: list[ask.Progress] = []
    request = {"command": "retry", "path": FAILED.path}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, ask.asked, drive, request, seen.append)
        with trio.fail_after(10):
            while not seen:
                await trio.sleep(0.01)
        desk.answered.set()
    assert seen[0] == ask.Progress("upload", 1, WAITING.sent, WAITING.size)
    assert desk.retried == [FAILED.path]


async def test_what_the_drive_refuses_is_said_with_its_advice(desk: UploadDesk, drive: ask.Drive) -> None:
    """The error of the upload is the error of the command."""
    desk.error = Offline("no way to the store")
    desk.answered.set()
    with pytest.raises(CommandFailed, match="no way to the store") as failed:
        await trio.to_thread.run_sync(ask.asked, drive, {"command": "retry", "path": FAILED.path})
    assert failed.value.complaint.advice == Offline.advice
    with pytest.raises(CommandFailed, match="nothing that waits"):
        await trio.to_thread.run_sync(ask.asked, drive, {"command": "discard", "path": "x/y"})


async def test_a_client_that_goes_away_harms_nobody(
    path: Path, runtime: dict[str, str], desk: UploadDesk
) -> None:
    """Ctrl-C in the middle of a retry, and the next command is answered."""
    client = await trio.open_unix_socket(path)
    await client.send_all(b'{"command": "retry", "path": "a/b"}\n')
    with trio.fail_after(5):
        while not desk.retried:
            await trio.sleep(0.01)
    await client.aclose()
    await trio.sleep(control.TICK * 2)
    assert (await found(runtime)).profile == "work"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"hello\n", "not JSON"),
        (b"[1]\n", "not an object"),
        (b"{}\n", "no command None"),
        (b'{"command": "format"}\n', "no command 'format'"),
        (b'{"command": "retry"}\n', "names no path"),
        (b'{"command": "drain", "seconds": "soon"}\n', "no number of seconds"),
        (b'{"command": "drain", "seconds": NaN}\n', "no number of seconds"),
        (b"[" * 60000 + b"\n", "not JSON"),
        (b"x" * 70000, "no line within"),
    ],
)
async def test_nonsense_is_answered_and_forgotten(path: Path, line: bytes, words: str) -> None:
    """Whatever a client sends, it gets a sentence, and the connection ends."""
    async with await trio.open_unix_socket(path) as client:
        await client.send_all(line)
        reply = await told(client)
    assert words in str(reply["error"])
    assert reply["errno"] == 22


async def test_a_silent_client_loses_its_connection(path: Path, autojump_clock: MockClock) -> None:
    """Who connects and says nothing is not waited for."""
    before = autojump_clock.current_time()
    async with await trio.open_unix_socket(path) as client:
        assert "no line within 5 s" in str((await told(client))["error"])
    assert autojump_clock.current_time() - before <= control.REQUEST_LIMIT + 1


async def test_there_are_only_so_many_clients(path: Path, runtime: dict[str, str]) -> None:
    """More are told so; when the others have gone, commands are answered again."""
    idle = [await trio.open_unix_socket(path) for _ in range(control.MOST_CLIENTS)]
    async with await trio.open_unix_socket(path) as client:
        assert "commands already" in str((await told(client))["error"])
    for connection in idle:
        await connection.aclose()
    assert (await found(runtime)).profile == "work"


async def test_while_the_drain_is_held_the_end_waits_for_nothing(
    desk: UploadDesk, drive: ask.Drive, ending: Ending
) -> None:
    """Who asked for the drain unmounts now; one that fails to, or goes away, leaves the drive as it was."""
    desk.listed = [upload()]
    request = {"command": "drain", "seconds": 0.2}
    with ask.conversation(drive, request) as replies:
        reply = await trio.to_thread.run_sync(ask.answer, replies)
        assert isinstance(reply["left"], list)
        assert [one["path"] for one in reply["left"]] == [upload().path]
        with trio.fail_after(1):
            await ending.finish()
    await trio.sleep(0.1)
    with trio.move_on_after(0.5) as scope:
        await ending.finish()
    assert scope.cancelled_caught


STRANGER = """
import os, socket
os.setgroups([]), os.setgid(12345), os.setuid(12345)
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect("work.sock")
    print(connection.recv(1000))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_another_user_is_refused(path: Path) -> None:
    """Even where the permissions of the files would let them in."""
    await trio.Path(path.parent).chmod(0o711)
    await trio.Path(path).chmod(0o666)
    done = await trio.run_process([sys.executable, "-c", STRANGER], cwd=path.parent, capture_stdout=True)
    assert b"belongs to another user" in done.stdout
