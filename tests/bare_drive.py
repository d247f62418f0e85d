"""A mount that never answers: the kernel's half of a drive, to test what is done about mounts.

As a module, `mounted` gives the mount's descriptor: closing it leaves a stale mount (ENOTCONN). As a
program, `bare_drive.py MOUNTPOINT [SECONDS]`, it stands for a daemon: it holds the directory below as
minimaxfs does, says "mounted", and once unmounted ends after SECONDS, as if it were uploading.
"""

import array
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from minimaxfs import mounts


def mount(mountpoint: Path, source: str = "minimax:test", subtype: str = "minimaxfs") -> int:
    """Mount by fusermount3, as root or not; the descriptor of /dev/fuse that it sends back."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run(
            ["fusermount3", "-o", f"fsname={source},subtype={subtype}", "--", mountpoint],
            check=True,
            pass_fds=[theirs.fileno()],
            env={**os.environ, "_FUSE_COMMFD": str(theirs.fileno())},
        )
        _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
    return array.array("i", ancillary[0][2])[0]


@contextmanager
def mounted(mountpoint: Path, source: str = "minimax:test", subtype: str = "minimaxfs") -> Iterator[int]:
    """Mount, and at the end take away whatever is left of it."""
    descriptor = mount(mountpoint, source, subtype)
    try:
        yield descriptor
    finally:
        subprocess.run(["fusermount3", "-uzq", "--", mountpoint], check=False)
        with suppress(OSError):
            os.close(descriptor)


def main(mountpoint: Path, lingering: float) -> None:
    with mounts.claimed(mountpoint):
        connection = mount(mountpoint)
        sys.stdout.write("mounted\n")
        sys.stdout.flush()
        while True:
            select.select([connection], [], [])
            try:
                os.read(connection, 1 << 20)
            except OSError:
                break
        select.select([], [], [], lingering)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
