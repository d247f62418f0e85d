"""What happens to copies in when the disk, the network or the store fails half way."""

import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from commands import eventually
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from mounted_drive import MountedDrive, mounted
from small_disk import fill_up, small_disk

TEXTS = "t2a_async_input"
MIB = 1024 * 1024


@pytest.fixture
def cramped(tmp_path: Path, emulator: Emulator) -> Iterator[MountedDrive]:
    """A drive whose spool and blocks have 8 MiB of disk."""
    with small_disk(tmp_path / "home", 8 * MIB), mounted(tmp_path, emulator) as drive:
        yield drive


def state(path: Path) -> str:
    return os.getxattr(path, "user.minimax.state").decode()


def names(drive: MountedDrive) -> list[str]:
    return [file.filename for file in drive.emulator.files(TEXTS)]


def test_a_full_spool_disk_is_said_and_half_a_file_is_never_sent(
    cramped: MountedDrive, tmp_path: Path
) -> None:
    """`cp` gets ENOSPC, the store gets nothing; the drive goes on, and a smaller file fits."""
    cramped.expect("ENOSPC")
    source = tmp_path / "large.txt"
    source.write_bytes(os.urandom(12 * MIB))
    done = subprocess.run(["cp", source, cramped / TEXTS], capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert os.strerror(errno.ENOSPC) in done.stderr
    assert names(cramped) == []
    assert state(cramped / TEXTS / "large.txt") == "failed"
    assert b"disk is full" in os.getxattr(cramped / TEXTS / "large.txt", "user.minimax.error")
    (cramped / TEXTS / "large.txt").unlink()
    (cramped / TEXTS / "small.txt").write_bytes(b"small")
    assert names(cramped) == ["small.txt"]


def test_a_full_disk_is_said_at_the_start_and_loses_nothing(cramped: MountedDrive) -> None:
    """Without room for the ledger the drive does not start, and says so; with room all is there again."""
    cramped.expect("not stored|EDQUOT")
    cramped.emulator.inject(Fault(Operation.UPLOAD, Kind.CODE, value=1008))
    with pytest.raises(OSError, match=os.strerror(errno.EDQUOT)):
        (cramped / TEXTS / "waits.txt").write_bytes(b"waits")
    cramped.unmount()
    fill_up(cramped.home / "filler")
    with pytest.raises(AssertionError, match="is full"):
        cramped.mount()
    assert cramped.wait(5) == 78
    (cramped.home / "filler").unlink()
    cramped.mount()
    assert (cramped / TEXTS / "waits.txt").read_bytes() == b"waits"
    assert state(cramped / TEXTS / "waits.txt") == "failed"
    (cramped / TEXTS / "waits.txt").unlink()
    (cramped / TEXTS / "next.txt").write_bytes(b"next")
    assert names(cramped) == ["next.txt"]


def test_a_full_cache_disk_does_not_stop_reading(cramped: MountedDrive) -> None:
    """A file that is larger than what the disk can keep is read whole all the same."""
    data = os.urandom(20 * MIB)
    cramped.expect("disk is full|not kept")
    cramped.emulator.add_file("voice_clone", "a.wav", data)
    assert (cramped / "voice_clone/a.wav").read_bytes() == data
    assert (cramped / "voice_clone/a.wav").read_bytes() == data


@pytest.mark.parametrize("chance", range(8))
def test_kill_nine_at_any_moment_of_ten_copies(drive: MountedDrive, chance: int) -> None:
    """Whatever was accepted is in the store once, whatever was not said is not there twice."""
    accepted: dict[str, bytes] = {}
    contents = {f"{number}.txt": os.urandom(200_000) for number in range(10)}

    def copy_all() -> None:
        for name, data in contents.items():
            with suppress(OSError):
                (drive / TEXTS / name).write_bytes(data)
                accepted[name] = data

    copier = threading.Thread(target=copy_all)
    copier.start()
    assert eventually(lambda: drive.emulator.requests["upload"] > chance)
    drive.kill()
    copier.join(30)
    drive.mount()
    os.listdir(drive / TEXTS)
    under_way = {"sealed", "sending", "doubtful"}
    assert eventually(lambda: not under_way & {state(path) for path in (drive / TEXTS).iterdir()})
    held = {file.filename: drive.emulator.content(file.file_id) for file in drive.emulator.files(TEXTS)}
    assert len(held) == len(drive.emulator.files(TEXTS))
    assert accepted.items() <= held.items()
    for name, data in held.items():
        assert (drive / TEXTS / name).read_bytes() == data == contents[name]


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.LOSE_REPLY, Kind.GARBAGE])
def test_a_store_that_never_answers_rightly(drive: MountedDrive, kind: Kind) -> None:
    """Close fails in the end, nothing is stored twice, and the bytes are still here."""
    drive.expect("not stored|close .*E")
    drive.emulator.inject(Fault(Operation.UPLOAD, kind, times=None))
    drive.emulator.inject(Fault(Operation.LIST, Kind.STATUS, value=500, times=None, after=1))
    path = drive / TEXTS / "f.txt"
    with pytest.raises(OSError, match="Input/output error"):
        path.write_bytes(b"text")
    assert len(names(drive)) <= 1
    assert state(path) == "doubtful"
    assert path.read_bytes() == b"text"
    drive.emulator.clear_faults()
    drive.remount()
    assert eventually(lambda: state(path) == "stored")
    assert names(drive) == ["f.txt"]
