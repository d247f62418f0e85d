"""A store that answers otherwise than it should, and a machine that is tidied under the drive."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from commands import eventually
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.emulator.settings import Unlisted
from mounted_drive import MountedDrive

TEXTS = "t2a_async_input"
NO_LISTS = Fault(Operation.LIST, Kind.STATUS, value=500, times=None)


def doubtful(drive: MountedDrive) -> Path:
    """A file that the store took without saying so, while it could not be asked."""
    path = drive / TEXTS / "f.txt"
    os.listdir(drive / TEXTS)
    drive.expect("not stored|close .*EIO|unlink .*EIO|showing what is known")
    drive.emulator.inject(NO_LISTS, Fault(Operation.UPLOAD, Kind.LOSE_REPLY))
    with pytest.raises(OSError, match="Input/output error"):
        path.write_bytes(b"text")
    assert os.getxattr(path, "user.minimax.state") == b"doubtful"
    assert len(drive.emulator.files(TEXTS)) == 1
    return path


def test_a_doubt_is_settled_by_the_next_listing(drive: MountedDrive) -> None:
    """Once the store can be asked the file turns out to be stored: one name, nothing sent again."""
    path = doubtful(drive)
    drive.emulator.clear_faults()
    assert eventually(lambda: bool(os.listdir(drive / TEXTS)) and state(path) == "stored", limit=70)
    assert os.listdir(drive / TEXTS) == ["f.txt"]
    assert drive.emulator.requests["upload"] == 1


def test_rm_of_a_doubtful_file_is_a_delete(drive: MountedDrive) -> None:
    """What the store may have is looked for and deleted; while it cannot be asked `rm` fails."""
    path = doubtful(drive)
    with pytest.raises(OSError, match="Input/output error"):
        path.unlink()
    drive.emulator.clear_faults()
    path.unlink()
    assert drive.emulator.files(TEXTS) == []
    assert os.listdir(drive / TEXTS) == []


def state(path: Path) -> str:
    return os.getxattr(path, "user.minimax.state").decode()


def test_a_purpose_that_is_not_listed_takes_copies(drive: MountedDrive) -> None:
    """Where the store will not list a purpose, what is copied in is shown, stored and read all the same."""
    drive.expect("does not list")
    drive.emulator.inject(Fault(Operation.LIST, Kind.CODE, value=2013, text="invalid params", times=None))
    path = drive / "video_generation_input/a.png"
    path.write_bytes(b"picture")
    assert os.listdir(path.parent) == ["a.png"]
    assert path.read_bytes() == b"picture"
    assert drive.emulator.requests == {"list": 1, "upload": 1}
    drive.remount()
    assert os.listdir(path.parent) == ["a.png"]


def test_a_generated_file_that_is_gone_can_be_removed(drive: MountedDrive) -> None:
    """The store deletes nothing that it does not have; a retrieve tells, and `rm` is done."""
    drive.emulator.change(replace(drive.emulator.settings, unlisted=Unlisted.LISTED))
    gone = drive.emulator.add_file("video_generation", "output.mp4", b"film")
    path = drive / "video_generation/output.mp4"
    assert path.stat().st_size == 4
    drive.emulator.remove_file(gone)
    path.unlink()
    assert os.listdir(path.parent) == []


def test_a_generated_file_that_is_gone_vanishes_when_it_is_read(drive: MountedDrive) -> None:
    """Reading says ESTALE or ENOENT, and the name goes at once."""
    drive.expect("(read|open) .*E")
    drive.emulator.change(replace(drive.emulator.settings, unlisted=Unlisted.LISTED))
    gone = drive.emulator.add_file("video_generation", "output.mp4", b"film")
    path = drive / "video_generation/output.mp4"
    assert os.listdir(path.parent) == ["output.mp4"]
    drive.emulator.remove_file(gone)
    with pytest.raises(OSError, match=r"Stale|No such file"):
        path.read_bytes()
    assert os.listdir(path.parent) == []


def test_a_cleaned_cache_directory_is_made_again(drive: MountedDrive) -> None:
    """Who deletes ~/.cache under a mounted drive loses nothing and breaks nothing."""
    drive.expect("is gone; what it held is fetched again")
    drive.emulator.add_file("voice_clone", "a.wav", b"a" * 100_000)
    (drive / TEXTS / "f.txt").write_bytes(b"text")
    shutil.rmtree(drive.home / ".cache")
    assert (drive / "voice_clone/a.wav").read_bytes() == b"a" * 100_000
    assert (drive / TEXTS / "f.txt").read_bytes() == b"text"
    (drive / TEXTS / "g.txt").write_bytes(b"more")
    assert (drive / TEXTS / "g.txt").read_bytes() == b"more"


def test_tar_never_archives_an_unknown_size_as_nothing(drive: MountedDrive, tmp_path: Path) -> None:
    """Offline, tar of a generated file whose size was never asked for fails, and says so."""
    drive.expect("open .*ENETUNREACH")
    drive.emulator.change(replace(drive.emulator.settings, unlisted=Unlisted.LISTED))
    drive.emulator.add_file("video_generation", "output.mp4", b"film")
    assert os.listdir(drive / "video_generation") == ["output.mp4"]
    with drive.emulator.offline():
        words: list[str | Path] = ["tar", "-C", drive / "video_generation", "-cf", tmp_path / "out.tar", "."]
        done = subprocess.run(words, capture_output=True, check=False, text=True)
    assert done.returncode != 0
    assert "output.mp4" in done.stderr


def test_urls_that_never_work_cost_one_retrieve(drive: MountedDrive) -> None:
    """A store that refuses its own links is not paid for more of them: the bytes come by file_id."""
    drive.emulator.add_file("voice_clone", "a.wav", b"a" * 3_000_000)
    drive.emulator.inject(Fault(Operation.DOWNLOAD, Kind.STATUS, value=403, text="<Error/>", times=None))
    assert (drive / "voice_clone/a.wav").read_bytes() == b"a" * 3_000_000
    assert drive.emulator.requests["retrieve"] == 1
