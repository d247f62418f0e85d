"""The tree as programs see it through the kernel."""

import os
import stat
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from commands import eventually
from minimaxfs.disk.database import Database
from minimaxfs.disk.ledger import AT_ONCE, Ledger
from minimaxfs.emulator.settings import Unlisted
from mounted_drive import MountedDrive


def names(path: Path) -> list[str]:
    return sorted(os.listdir(path))


def test_purposes_are_directories_and_mounting_asks_nothing(drive: MountedDrive) -> None:
    """The top holds the documented purposes, and showing it costs no request."""
    assert names(drive.path) == [
        "prompt_audio",
        "t2a_async",
        "t2a_async_input",
        "video_generation",
        "video_generation_input",
        "video_understanding",
        "voice_clone",
    ]
    assert not drive.emulator.requests


def test_ls_and_stat_cost_one_request(drive: MountedDrive) -> None:
    """`ls -l` of 10,000 files and a stat of each of them are one listing."""
    for number in range(10_000):
        drive.emulator.add_file(
            "voice_clone", f"{number:05}.wav", b"x" * (number + 1), created_at=1_700_000_000
        )
    listing = subprocess.run(["ls", "-l", drive / "voice_clone"], capture_output=True, check=True, text=True)
    assert len(listing.stdout.splitlines()) == 10_001
    sizes = [entry.stat().st_size for entry in os.scandir(drive / "voice_clone")]
    assert sorted(sizes) == list(range(1, 10_001))
    assert drive.emulator.requests == {"list": 1}


def test_a_directory_that_changes_while_it_is_read(drive: MountedDrive) -> None:
    """What was deleted meanwhile is not shown any more; the rest is, each name once."""
    for number in range(2000):
        drive.emulator.add_file("voice_clone", f"{number:04}.wav", b"x")
    with os.scandir(drive / "voice_clone") as entries:
        seen = [next(entries).name]
        (drive / "voice_clone/1999.wav").unlink()
        seen += [entry.name for entry in entries]
    assert sorted(seen) == [f"{number:04}.wav" for number in range(1999)]
    assert not (drive / "voice_clone/1999.wav").exists()


def test_a_long_listing_outlives_kill_nine(drive: MountedDrive) -> None:
    """A second after thousands of names were shown they are kept, whatever becomes of the daemon."""
    for number in range(AT_ONCE + 1):
        drive.emulator.add_file("voice_clone", f"{number}.wav", b"x")
    shown = names(drive / "voice_clone")
    assert eventually(lambda: _is_kept(drive))
    drive.kill()
    drive.mount()
    drive.expect("showing what is known")
    with drive.emulator.offline():
        assert names(drive / "voice_clone") == shown


def _is_kept(drive: MountedDrive) -> bool:
    """Whether the ledger on the disk has the whole listing."""
    (path,) = drive.home.rglob("ledger.sqlite")
    database = Database(path)
    database.open()
    try:
        return Ledger(database).fresh_until("voice_clone") is not None
    finally:
        database.close()


def test_attributes_are_what_the_store_says(drive: MountedDrive) -> None:
    """Size and times come from the store, mode and owner from who mounted."""
    drive.emulator.add_file("voice_clone", "a.wav", b"12345", created_at=1_700_000_000)
    shown = (drive / "voice_clone/a.wav").stat()
    assert (shown.st_size, shown.st_mtime) == (5, 1_700_000_000)
    assert stat.S_ISREG(shown.st_mode)
    assert (shown.st_uid, shown.st_gid) == (os.getuid(), os.getgid())


def test_duplicate_names_are_told_apart_and_stay_so(drive: MountedDrive) -> None:
    """The first stored keeps the bare name, over remounts and whatever comes later."""
    second = drive.emulator.add_file("voice_clone", "a.wav", b"second", created_at=2_000)
    drive.emulator.add_file("voice_clone", "a.wav", b"first", created_at=1_000)
    assert names(drive / "voice_clone") == ["a.wav", f"a~{second}.wav"]
    assert (drive / "voice_clone/a.wav").read_bytes() == b"first"
    oldest = drive.emulator.add_file("voice_clone", "a.wav", b"older still", created_at=10)
    drive.remount()
    assert names(drive / "voice_clone") == sorted(["a.wav", f"a~{second}.wav", f"a~{oldest}.wav"])
    assert (drive / "voice_clone/a.wav").read_bytes() == b"first"


def test_every_file_answers_to_its_id(drive: MountedDrive) -> None:
    """`stem~<file_id>.ext` leads to a file that is shown by its bare name."""
    file_id = drive.emulator.add_file("voice_clone", "a.wav", b"bytes")
    assert (drive / f"voice_clone/a~{file_id}.wav").read_bytes() == b"bytes"


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("..", "%2E%2E"),
        ("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd"),
        ("a\nb\x1b[31m.wav", "a%0Ab%1B[31m.wav"),
        ("nul\0.wav", "nul%00.wav"),
        ("春天 'quoted' \"twice\".wav", "春天 'quoted' \"twice\".wav"),
    ],
)
def test_hostile_names_are_escaped(drive: MountedDrive, filename: str, shown: str) -> None:
    """A name of the store never leaves its directory or steers a terminal, and is told whole by its xattr."""
    drive.emulator.add_file("voice_clone", filename, b"bytes")
    assert names(drive / "voice_clone") == [shown]
    assert (drive / "voice_clone" / shown).read_bytes() == b"bytes"
    assert os.fsdecode(os.getxattr(drive / "voice_clone" / shown, "user.minimax.filename")) == filename


def test_names_that_are_empty_or_too_long_are_shown(drive: MountedDrive) -> None:
    """Every file of the store can be reached by some name of at most 255 bytes."""
    nameless = drive.emulator.add_file("voice_clone", "", b"nameless")
    long = drive.emulator.add_file("voice_clone", "長" * 200 + ".wav", b"long")
    shown = names(drive / "voice_clone")
    assert f"file~{nameless}" in shown
    assert any(name.endswith(f"~{long}.wav") and len(name.encode()) <= 255 for name in shown)


def test_the_top_takes_no_files_and_purposes_stay(drive: MountedDrive) -> None:
    """What the store has no operation for is refused with EPERM, and changes nothing."""
    before = names(drive.path)
    for refused in (
        (drive / "file.wav").touch,
        (drive / "purpose").mkdir,
        (drive / "voice_clone/folder").mkdir,
        (drive / "voice_clone").rmdir,
        partial((drive / "voice_clone/link").symlink_to, "a"),
    ):
        with pytest.raises(PermissionError):
            refused()
    assert names(drive.path) == before


def test_extended_attributes_name_the_file(drive: MountedDrive) -> None:
    """From a path a person gets the file_id, and the form that other requests take."""
    file_id = drive.emulator.add_file("voice_clone", "a.wav", b"bytes", created_at=1_700_000_000)
    path = drive / "voice_clone/a.wav"
    shown = {name: os.getxattr(path, name).decode() for name in os.listxattr(path)}
    assert shown == {
        "user.minimax.created_at": "1700000000",
        "user.minimax.file_id": str(file_id),
        "user.minimax.filename": "a.wav",
        "user.minimax.purpose": "voice_clone",
        "user.minimax.state": "stored",
        "user.minimax.uri": f"mm_file://{file_id}",
    }
    assert drive.emulator.requests == {"list": 1}
    assert os.getxattr(path, "user.minimax.download_url").startswith(b"http")
    assert drive.emulator.requests["retrieve"] == 1


def test_unlistable_purposes_are_empty_directories(drive: MountedDrive) -> None:
    """A purpose that the store refuses to list is asked for once, and shows nothing."""
    for _ in range(3):
        assert names(drive / "video_generation") == []
    assert drive.emulator.requests == {"list": 1}


def test_generated_files_show_their_true_size(drive: MountedDrive) -> None:
    """The store says 0 bytes; the size is learnt from one byte, once, also over remounts."""
    drive.emulator.change(replace(drive.emulator.settings, unlisted=Unlisted.LISTED))
    drive.emulator.add_file("video_generation", "output_aigc.mp4", b"v" * 4321)
    path = drive / "video_generation/output_aigc.mp4"
    assert names(drive / "video_generation") == ["output_aigc.mp4"]
    assert drive.emulator.requests == {"list": 1}
    assert path.stat().st_size == 4321
    assert path.stat().st_size == 4321
    assert drive.emulator.requests == {"list": 1, "retrieve": 1, "download": 1}
    assert drive.emulator.bytes_sent == 1
    drive.remount()
    assert path.stat().st_size == 4321
    assert drive.emulator.requests["retrieve"] == 1


def test_df_waits_for_nobody(drive: MountedDrive) -> None:
    """`df` shows 100 GB less what is known to be stored, without a request."""
    shown = os.statvfs(drive.path)
    assert shown.f_blocks * shown.f_frsize == 100_000_000_000 // 4096 * 4096
    assert not drive.emulator.requests
    drive.emulator.add_file("voice_clone", "a.wav", b"x" * 1_000_000)
    names(drive / "voice_clone")
    assert (shown.f_bfree - os.statvfs(drive.path).f_bfree) * shown.f_frsize == pytest.approx(
        1_000_000, abs=4096
    )


def test_a_refused_key_is_said(drive: MountedDrive) -> None:
    """A key that the store refuses is EACCES, and the log says what to do about it."""
    drive.expect("opendir .*EACCES")
    drive.emulator.rotate_key("another")
    with pytest.raises(PermissionError):
        names(drive / "voice_clone")
    assert "key" in drive.log.read_text()
