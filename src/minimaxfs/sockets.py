"""Where drives listen for commands: a Unix socket each, in a directory that is its user's alone.

`$XDG_RUNTIME_DIR/minimaxfs/PROFILE.sock`, and PROFILE-2.sock and so on where one profile is mounted from
several servers. Who wants a certain drive asks each socket which one it belongs to. Synchronous, and
free of slow imports, since commands start with it; `control` listens, `ask` asks.
"""

import fcntl
import itertools
import os
import socket
import stat
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from minimaxfs.core.errors import ConfigError

SUFFIX = ".sock"

BACKLOG = 16
"""Connections that wait to be accepted: more than commands that a person starts at once."""

_CONNECT_LIMIT = 1.0
"""Seconds: a connection on one machine is made at once, or the other's backlog is full."""

_CREDENTIALS = struct.Struct("3i")


def directory(environ: Mapping[str, str], root: Path = Path("/")) -> Path:
    """Give the directory in which a drive is to listen; it may not be there yet.

    It is below the runtime directory, also for who came by `su` and has no variable for it. /tmp is
    for who has none: TMPDIR may differ between the drive and a command. A runtime directory of somebody
    else's, which `sudo -E` brings along, is not used.
    """
    return directories(environ, root)[0]


def directories(environ: Mapping[str, str], root: Path = Path("/")) -> list[Path]:
    """Give all directories in which drives of this user may listen, the likeliest first.

    A drive that was mounted before its user logged in is in the last: there was no runtime directory.
    """
    bases = (Path(environ.get("XDG_RUNTIME_DIR", "")), root / "run/user" / str(os.getuid()))
    own = [base / "minimaxfs" for base in dict.fromkeys(bases) if base.is_absolute() and _is_own(base)]
    return [*own, root / "tmp" / f"minimaxfs-{os.getuid()}"]


def _is_own(base: Path) -> bool:
    try:
        status = os.stat(base)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


@contextmanager
def opened(place: Path) -> Iterator[int]:
    """Give a descriptor of the directory `place`.

    Raises FileNotFoundError where there is none, ConfigError for one that others can reach into: what
    listens there may be theirs, and so may be a directory in /tmp that was there first.
    """
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unsafe(place, error.strerror or str(error)) from None
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.getuid():
            raise _unsafe(place, "it belongs to another user")
        if stat.S_IMODE(status.st_mode) != 0o700:
            raise _unsafe(place, f"its mode is {stat.S_IMODE(status.st_mode):04o}, not 0700")
        yield descriptor
    finally:
        os.close(descriptor)


def _unsafe(place: Path, why: str) -> ConfigError:
    advice = "Remove it, or set XDG_RUNTIME_DIR to a directory of your own."
    return ConfigError(f"{place} cannot hold the drive's socket: {why}", advice)


@contextmanager
def claimed(place: Path, profile: str) -> Iterator[socket.socket]:
    """Listen in `place`, which is made if it is missing, under a name that no live drive has.

    The socket's file goes with the context. Raises OSError or ConfigError.
    """
    with suppress(FileExistsError):
        os.mkdir(place, 0o700)
    with opened(place) as descriptor:
        name, listener = _listening(descriptor, profile)
        with listener:
            try:
                yield listener
            finally:
                # Before the listener closes: afterwards another drive may take the name.
                with suppress(OSError):
                    os.unlink(name, dir_fd=descriptor)


def _listening(descriptor: int, profile: str) -> tuple[str, socket.socket]:
    """Take the first name that is free; one at a time, or two would replace each other's."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        name = next(name for name in _names(profile) if not _is_live(descriptor, name))
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=descriptor)
        return name, _bound(address(descriptor, name))
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _names(profile: str) -> Iterator[str]:
    yield profile + SUFFIX
    yield from (f"{profile}-{number}{SUFFIX}" for number in itertools.count(2))


def _bound(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(path)
        os.chmod(path, 0o600)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _is_live(descriptor: int, name: str) -> bool:
    try:
        connected(descriptor, name, _CONNECT_LIMIT).close()
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except OSError:
        return True
    return True


def connected(descriptor: int, name: str, limit: float) -> socket.socket:
    """Connect to the socket `name` of an opened directory, with `limit` seconds for each step from now on."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(limit)
        connection.connect(address(descriptor, name))
    except BaseException:
        connection.close()
        raise
    return connection


def address(descriptor: int, name: str) -> str:
    """Name a socket in an opened directory, however long its path: an address holds 108 bytes."""
    return f"/proc/self/fd/{descriptor}/{name}"


def peer_uid(credentials: bytes) -> int:
    """Read the uid from what SO_PEERCRED gives: pid, uid, gid."""
    return int(_CREDENTIALS.unpack(credentials)[1])


CREDENTIALS_SIZE = _CREDENTIALS.size
