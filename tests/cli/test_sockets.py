import os
import socket
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from minimaxfs import sockets
from minimaxfs.core.errors import ConfigError


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "minimaxfs"


def names(place: Path) -> list[str]:
    return sorted(os.listdir(place))


def test_the_socket_is_its_users_alone(place: Path) -> None:
    """The directory is 0700 and the socket 0600; the file goes at the end."""
    with sockets.claimed(place, "work"):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert stat.S_IMODE((place / "work.sock").stat().st_mode) == 0o600
    assert names(place) == []


def test_a_dead_drives_socket_is_replaced(place: Path) -> None:
    """A file that nobody listens at, as kill -9 leaves it, does not take a name away."""
    place.mkdir(0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place / "work.sock"))
    with sockets.claimed(place, "work"):
        assert names(place) == ["work.sock"]


def test_a_live_drives_socket_is_left_alone(place: Path) -> None:
    """The same profile, mounted from other servers, gets numbered names; each goes with its own drive."""
    with sockets.claimed(place, "work"):
        with sockets.claimed(place, "work"), sockets.claimed(place, "work"):
            assert names(place) == ["work-2.sock", "work-3.sock", "work.sock"]
        assert names(place) == ["work.sock"]


def test_a_drive_that_is_too_busy_to_accept_is_alive(place: Path) -> None:
    """A full backlog is no dead socket."""
    with sockets.claimed(place, "work"), sockets.opened(place) as descriptor, ExitStack() as waiting:
        for _ in range(sockets.BACKLOG + 1):
            waiting.enter_context(sockets.connected(descriptor, "work.sock", 1.0))
        with sockets.claimed(place, "work"):
            assert names(place) == ["work-2.sock", "work.sock"]


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """A socket's address holds 108 bytes, a runtime directory may be longer."""
    place = tmp_path / ("long" * 50) / "minimaxfs"
    place.parent.mkdir()
    with sockets.claimed(place, "p" * 64), sockets.opened(place) as descriptor:
        sockets.connected(descriptor, "p" * 64 + ".sock", 1.0).close()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_directory_that_others_can_enter_is_refused(place: Path, mode: int) -> None:
    """What listens in there may be somebody else's."""
    place.mkdir()
    place.chmod(mode)
    with pytest.raises(ConfigError, match=f"its mode is {mode:04o}"), sockets.claimed(place, "work"):
        pass


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make another user's directory")
def test_another_users_directory_is_refused(place: Path) -> None:
    """In /tmp anybody may have made it first."""
    place.mkdir(0o700)
    os.chown(place, 12345, 12345)
    with pytest.raises(ConfigError, match="belongs to another user"), sockets.claimed(place, "work"):
        pass


def test_a_link_or_a_file_is_no_directory(place: Path, tmp_path: Path) -> None:
    """A link leads where somebody else wants."""
    (tmp_path / "real").mkdir(0o700)
    place.symlink_to("real")
    with pytest.raises(ConfigError, match="cannot hold"), sockets.claimed(place, "work"):
        pass


def test_the_directory_follows_xdg_and_falls_back(tmp_path: Path) -> None:
    """XDG_RUNTIME_DIR if it is ours, else /run/user/UID, else /tmp: drive and command find the same one."""
    uid = os.getuid()
    given = tmp_path / "given"
    assert sockets.directory({}, tmp_path) == tmp_path / f"tmp/minimaxfs-{uid}"
    (tmp_path / f"run/user/{uid}").mkdir(parents=True)
    usual = tmp_path / f"run/user/{uid}/minimaxfs"
    assert sockets.directory({}, tmp_path) == usual
    assert sockets.directory({"XDG_RUNTIME_DIR": str(given)}, tmp_path) == usual
    assert sockets.directory({"XDG_RUNTIME_DIR": "relative"}, tmp_path) == usual
    given.mkdir()
    assert sockets.directory({"XDG_RUNTIME_DIR": str(given)}, tmp_path) == given / "minimaxfs"


def test_a_drive_from_before_the_login_is_found(tmp_path: Path) -> None:
    """The machine mounted it when its user had no runtime directory yet: commands look in /tmp, too."""
    early = f"tmp/minimaxfs-{os.getuid()}"
    (tmp_path / "given").mkdir()
    given = {"XDG_RUNTIME_DIR": str(tmp_path / "given")}
    assert sockets.directories({}, tmp_path) == [tmp_path / early]
    assert sockets.directories(given, tmp_path) == [tmp_path / "given/minimaxfs", tmp_path / early]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_another_users_runtime_directory_is_not_used(tmp_path: Path) -> None:
    """`sudo -E` brings the user's along; root's files in it would lock the user out."""
    given = tmp_path / "given"
    given.mkdir()
    os.chown(given, 12345, 12345)
    expected = tmp_path / f"tmp/minimaxfs-{os.getuid()}"
    assert sockets.directory({"XDG_RUNTIME_DIR": str(given)}, tmp_path) == expected
