"""Real programs on the drive: each ends in as few requests as it can, and leaves nothing behind."""

import os
import random
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from mounted_drive import MountedDrive

TEXTS = "t2a_async_input"


def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        words, capture_output=True, check=False, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done


def stored(drive: MountedDrive) -> dict[str, bytes]:
    files = drive.emulator.files(TEXTS)
    assert len({file.filename for file in files}) == len(files)
    return {file.filename: drive.emulator.content(file.file_id) for file in files}


@pytest.mark.parametrize("options", [[], ["--inplace"], ["-a"], ["-a", "--inplace"], ["--partial"]])
def test_rsync_into_the_drive(drive: MountedDrive, tmp_path: Path, options: list[str]) -> None:
    """rsync in is one upload a file; a second one without changes is none; a changed one replaces."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("a.txt", "b c.txt"):
        (source / name).write_bytes(name.encode() * 1000)
    words: list[str | Path] = ["rsync", "-t", "-r", *options, f"{source}/", f"{drive / TEXTS}/"]
    call(*words)
    assert stored(drive) == {name: name.encode() * 1000 for name in ("a.txt", "b c.txt")}
    assert drive.emulator.requests == {"list": 1, "upload": 2}
    call(*words)
    assert drive.emulator.requests == {"list": 1, "upload": 2}
    (source / "a.txt").write_bytes(b"changed")
    call(*words)
    assert stored(drive)["a.txt"] == b"changed"
    assert (drive.emulator.requests["upload"], drive.emulator.requests["delete"]) == (3, 1)
    assert sorted(os.listdir(drive / TEXTS)) == ["a.txt", "b c.txt"]


def test_rsync_out_of_the_drive(drive: MountedDrive, tmp_path: Path) -> None:
    """rsync out with extended attributes copies bytes and times for one retrieve a file."""
    drive.emulator.add_file(TEXTS, "a.txt", b"text", created_at=1_700_000_000)
    call("rsync", "-aX", f"{drive / TEXTS}/", tmp_path / "copy")
    copy = tmp_path / "copy/a.txt"
    assert (copy.read_bytes(), copy.stat().st_mtime) == (b"text", 1_700_000_000)
    assert drive.emulator.requests == {"list": 1, "retrieve": 1, "download": 1}


def test_vim_saves_once(drive: MountedDrive) -> None:
    """An editor's save is one upload and one delete; its swap and backup files never leave this machine."""
    (drive / TEXTS / "f.txt").write_bytes(b"one\n")
    call("vim", "-u", "NONE", "-n", "-es", "-c", "normal otwo", "-c", "wq", drive / TEXTS / "f.txt")
    assert stored(drive) == {"f.txt": b"one\ntwo\n"}
    assert os.listdir(drive / TEXTS) == ["f.txt"]
    assert (drive.emulator.requests["upload"], drive.emulator.requests["delete"]) == (2, 1)


def test_vim_with_swap_and_backup(drive: MountedDrive) -> None:
    """So it is with vim's own defaults, and with a backup that stays beside the file."""
    (drive / TEXTS / "f.txt").write_bytes(b"one\n")
    vim = [
        "vim",
        "-u",
        "NONE",
        "-es",
        "--cmd",
        "set nocompatible swapfile backup writebackup backupdir=. directory=.",
    ]
    call(*vim, "-c", "normal otwo", "-c", "wq", drive / TEXTS / "f.txt")
    assert stored(drive)["f.txt"] == b"one\ntwo\n"
    assert "f.txt.swp" not in " ".join(os.listdir(drive / TEXTS))


def test_sed_in_place(drive: MountedDrive) -> None:
    """`sed -i` is one upload and one delete."""
    (drive / TEXTS / "f.txt").write_bytes(b"one\n")
    call("sed", "-i", "s/one/two/", drive / TEXTS / "f.txt")
    assert stored(drive) == {"f.txt": b"two\n"}
    assert os.listdir(drive / TEXTS) == ["f.txt"]
    assert (drive.emulator.requests["upload"], drive.emulator.requests["delete"]) == (2, 1)


def test_tar_both_ways(drive: MountedDrive, tmp_path: Path) -> None:
    """tar extracts into the drive, with times, and packs what is in it."""
    (tmp_path / "a.txt").write_bytes(b"text")
    os.utime(tmp_path / "a.txt", (1_500_000_000, 1_500_000_000))
    call("tar", "-C", tmp_path, "-cf", tmp_path / "in.tar", "a.txt")
    call("tar", "-C", drive / TEXTS, "-xf", tmp_path / "in.tar")
    assert stored(drive) == {"a.txt": b"text"}
    call("tar", "--xattrs", "-C", drive / TEXTS, "-cf", tmp_path / "out.tar", ".")
    with tarfile.open(tmp_path / "out.tar") as packed:
        member = packed.getmember("./a.txt")
    assert (member.size, member.mtime) == (4, 1_500_000_000)


def test_a_directory_is_copied_out(drive: MountedDrive, tmp_path: Path) -> None:
    """`cp -a` out of the drive costs one retrieve and one GET a file."""
    for number in range(20):
        drive.emulator.add_file(TEXTS, f"{number}.txt", random.Random(number).randbytes(10_000))
    call("cp", "-a", drive / TEXTS, tmp_path / "copy")
    assert sorted(os.listdir(tmp_path / "copy")) == sorted(f"{number}.txt" for number in range(20))
    assert drive.emulator.requests == {"list": 1, "retrieve": 20, "download": 20}


def test_python_copies(drive: MountedDrive, tmp_path: Path) -> None:
    """shutil's copy2 and move work in both directions."""
    (tmp_path / "a.txt").write_bytes(b"text")
    shutil.copy2(tmp_path / "a.txt", drive / TEXTS)
    shutil.move(tmp_path / "a.txt", drive / TEXTS / "b.txt")
    assert stored(drive) == {"a.txt": b"text", "b.txt": b"text"}
    shutil.move(drive / TEXTS / "b.txt", tmp_path / "b.txt")
    assert stored(drive) == {"a.txt": b"text"}


def test_tools_that_look(drive: MountedDrive) -> None:
    """find, du, stat, file sizes and getfattr cost the listing and nothing more."""
    drive.emulator.add_file(TEXTS, "a.txt", b"x" * 5000)
    assert call("find", drive / TEXTS, "-size", "+4k").stdout.endswith("a.txt\n")
    assert call("du", "-b", "-s", drive / TEXTS / "a.txt").stdout.startswith("5000")
    assert call("stat", "-c", "%s", drive / TEXTS / "a.txt").stdout == "5000\n"
    assert "user.minimax.uri" in call("getfattr", "-d", drive / TEXTS / "a.txt").stdout
    assert drive.emulator.requests == {"list": 1}
