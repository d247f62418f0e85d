"""Copies in: what a program's close says is what the store has."""

import errno
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import run_python
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from mounted_drive import MountedDrive

TEXTS = "t2a_async_input"


def stored(drive: MountedDrive, purpose: str = TEXTS) -> dict[str, bytes]:
    """What the store has of a purpose, by name; two of one name would be a fault."""
    files = drive.emulator.files(purpose)
    assert len({file.filename for file in files}) == len(files)
    return {file.filename: drive.emulator.content(file.file_id) for file in files}


def shell(drive: MountedDrive, command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", command], cwd=drive / TEXTS, capture_output=True, check=False, timeout=60
    )


def state(path: Path) -> str:
    return os.getxattr(path, "user.minimax.state").decode()


def test_cp_is_one_upload_and_is_read_back_for_nothing(drive: MountedDrive, tmp_path: Path) -> None:
    """`cp` into the drive costs one upload; the file is read back from the bytes that were sent."""
    source = tmp_path / "source.txt"
    data = random.Random(3).randbytes(3_000_000)
    source.write_bytes(data)
    subprocess.run(["cp", source, drive / TEXTS / "a.txt"], check=True)
    assert stored(drive) == {"a.txt": data}
    assert drive.emulator.requests == {"list": 1, "upload": 1}
    assert (drive / TEXTS / "a.txt").read_bytes() == data
    assert drive.emulator.requests == {"list": 1, "upload": 1}
    assert state(drive / TEXTS / "a.txt") == "stored"


@pytest.mark.parametrize(
    "name",
    [
        "a b.txt",
        "'quoted' \"twice\".txt",
        "new\nline.txt",
        "春天的故事.txt",
        "-rf.txt",
        "100% sure?*.txt",
        "é.txt",
    ],
)
def test_names_of_every_kind(drive: MountedDrive, name: str) -> None:
    """Whatever a person calls a file, it is shown by that name, also after a remount."""
    (drive / TEXTS / name).write_bytes(b"text")
    assert os.listdir(drive / TEXTS) == [name]
    drive.remount()
    assert os.listdir(drive / TEXTS) == [name]
    assert (drive / TEXTS / name).read_bytes() == b"text"
    assert drive.emulator.requests["upload"] == 1


def test_names_that_are_not_text_are_refused(drive: MountedDrive) -> None:
    """A name that is not UTF-8 cannot be sent: EILSEQ, before a byte is written."""
    drive.expect("create .*EILSEQ")
    with pytest.raises(OSError, match="multibyte") as refusal:
        os.open(os.fsencode(drive / TEXTS) + b"/\xff.txt", os.O_CREAT | os.O_WRONLY)
    assert refusal.value.errno == errno.EILSEQ


@pytest.mark.parametrize(
    ("command", "content"),
    [
        ("echo one > f.txt", b"one\n"),
        ("(echo a; /bin/echo b) > f.txt", b"a\nb\n"),
        ("for i in 1 2 3; do echo $i; done > f.txt", b"1\n2\n3\n"),
        ("{ echo a; (echo b; exec /bin/echo c); } > f.txt", b"a\nb\nc\n"),
        ("echo piped | tee f.txt >/dev/null", b"piped\n"),
        ("dd if=/dev/zero of=f.txt bs=1000 count=3 status=none", b"\0" * 3000),
        ("printf abc > f.txt", b"abc"),
        ("exec 5> f.txt; echo x >&5; /bin/echo y >&5; exec 5>&-", b"x\ny\n"),
    ],
)
def test_every_way_of_writing_is_one_upload(drive: MountedDrive, command: str, content: bytes) -> None:
    """Shells flush early, children flush when they exit: the last close uploads, once, the final bytes."""
    done = shell(drive, command)
    assert (done.returncode, done.stderr) == (0, b"")
    assert stored(drive) == {"f.txt": content}
    assert drive.emulator.requests["upload"] == 1


DUPLICATES = """
import os, sys
first = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
second = os.dup(first)
os.write(first, b"one ")
os.close(first)
if os.fork() == 0:
    os.write(second, b"two ")
    os._exit(0)
os.wait()
os.write(second, b"three")
os.close(second)
"""


def test_copies_of_a_descriptor_are_one_upload(drive: MountedDrive) -> None:
    """A duplicate and a child that hold the descriptor postpone the upload to the last close."""
    done = run_python(DUPLICATES, [drive / TEXTS / "f.txt"], drive.environ)
    assert done.returncode == 0, done.stderr
    assert stored(drive) == {"f.txt": b"one two three"}
    assert drive.emulator.requests["upload"] == 1


def test_appending_and_patching_keep_the_rest(drive: MountedDrive) -> None:
    """`>>` and a write in the middle make a new version of the whole file, and the old one goes."""
    path = drive / TEXTS / "f.txt"
    path.write_bytes(b"first line\n")
    shell(drive, "echo second line >> f.txt")
    assert stored(drive) == {"f.txt": b"first line\nsecond line\n"}
    with path.open("r+b") as file:
        file.seek(6)
        file.write(b"LINE")
    assert stored(drive) == {"f.txt": b"first LINE\nsecond line\n"}
    assert path.read_bytes() == b"first LINE\nsecond line\n"
    assert drive.emulator.requests["upload"] == 3
    assert drive.emulator.requests["delete"] == 2


def test_appending_to_what_only_the_store_has(drive: MountedDrive) -> None:
    """The bytes that a new version keeps are fetched, once."""
    old = drive.emulator.add_file(TEXTS, "f.txt", b"from elsewhere\n")
    shell(drive, "echo and here >> f.txt")
    assert stored(drive) == {"f.txt": b"from elsewhere\nand here\n"}
    assert old not in {file.file_id for file in drive.emulator.files(TEXTS)}


@pytest.mark.parametrize("size", [0, 3, 20])
def test_truncate(drive: MountedDrive, size: int) -> None:
    """`truncate -s` cuts or extends by zeros; an empty file is kept here until bytes arrive."""
    (drive / TEXTS / "f.txt").write_bytes(b"0123456789")
    os.truncate(drive / TEXTS / "f.txt", size)
    wanted = b"0123456789"[:size].ljust(size, b"\0")
    assert (drive / TEXTS / "f.txt").read_bytes() == wanted
    assert stored(drive) == {"f.txt": wanted or b"0123456789"}


def test_empty_files_stay_here_until_bytes_arrive(drive: MountedDrive) -> None:
    """`touch` shows an empty file and sends nothing; it is still there after a remount."""
    path = drive / TEXTS / "f.txt"
    path.touch()
    assert path.stat().st_size == 0
    assert drive.emulator.requests["upload"] == 0
    drive.remount()
    assert path.stat().st_size == 0
    path.write_bytes(b"now")
    assert stored(drive) == {"f.txt": b"now"}
    assert drive.emulator.requests["upload"] == 1


def test_overwriting_sends_the_new_before_the_old_goes(drive: MountedDrive) -> None:
    """Overwriting is an upload and then a delete, in that order."""
    path = drive / TEXTS / "f.txt"
    path.write_bytes(b"old")
    path.write_bytes(b"new")
    assert stored(drive) == {"f.txt": b"new"}
    assert [seen.operation for seen in drive.emulator.log] == ["list", "upload", "upload", "delete"]


@pytest.mark.parametrize(
    ("fault", "number"),
    [
        (Fault(Operation.UPLOAD, Kind.CODE, value=2013, text="invalid file", times=None), errno.EINVAL),
        (Fault(Operation.UPLOAD, Kind.CODE, value=1026, times=None), errno.EINVAL),
        (Fault(Operation.UPLOAD, Kind.CODE, value=1008, times=None), errno.EDQUOT),
        (Fault(Operation.UPLOAD, Kind.CODE, value=1004, times=None), errno.EACCES),
        (Fault(Operation.UPLOAD, Kind.STATUS, value=413, text="too large", times=None), errno.EFBIG),
    ],
    ids=lambda value: value.kind.name.lower() + str(int(value.value)) if isinstance(value, Fault) else "",
)
def test_cp_never_lies(drive: MountedDrive, fault: Fault, number: int, tmp_path: Path) -> None:
    """What the store refuses fails in `cp`, with the errno; the bytes stay, and what was there before too."""
    drive.expect("not stored|close .*E")
    path = drive / TEXTS / "f.txt"
    path.write_bytes(b"old")
    source = tmp_path / "new.txt"
    source.write_bytes(b"new")
    drive.emulator.inject(fault)
    done = subprocess.run(["cp", source, path], capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert os.strerror(number) in done.stderr
    assert stored(drive) == {"f.txt": b"old"}
    assert path.read_bytes() == b"new"
    assert state(path) == "failed"
    assert os.getxattr(path, "user.minimax.error")
    drive.emulator.clear_faults()
    path.write_bytes(b"newer")
    assert stored(drive) == {"f.txt": b"newer"}
    assert state(path) == "stored"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Operation.UPLOAD, Kind.LOSE_REPLY),
        Fault(Operation.UPLOAD, Kind.GARBAGE, executed=True),
        Fault(Operation.UPLOAD, Kind.STATUS, value=502, text="<html>", executed=True),
        Fault(Operation.UPLOAD, Kind.CODE, value=1000, executed=True),
        Fault(Operation.UPLOAD, Kind.RESET),
        Fault(Operation.UPLOAD, Kind.STATUS, value=503),
        Fault(Operation.UPLOAD, Kind.CODE, value=1001),
    ],
    ids=lambda fault: f"{fault.kind.name.lower()}-{'done' if fault.executed else 'not-done'}",
)
def test_one_close_is_one_file(drive: MountedDrive, fault: Fault) -> None:
    """An upload without an answer is looked for before it is sent again: the store has the file once."""
    drive.emulator.add_file(TEXTS, "f.txt", b"another of that name")
    os.listdir(drive / TEXTS)
    drive.emulator.inject(fault)
    (drive / TEXTS / "g.txt").write_bytes(b"mine")
    assert stored(drive) == {"f.txt": b"another of that name", "g.txt": b"mine"}
    assert sorted(os.listdir(drive / TEXTS)) == ["f.txt", "g.txt"]


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("voice_clone/a.txt", errno.EINVAL),
        ("t2a_async_input/a.wav", errno.EINVAL),
        ("video_generation/a.mp4", errno.EPERM),
        ("t2a_async/a.tar", errno.EPERM),
    ],
)
def test_refusals_come_before_the_bytes(drive: MountedDrive, place: str, number: int) -> None:
    """A type or a purpose that the store does not take is refused when the file is made."""
    drive.expect("create .*EINVAL")
    with pytest.raises(OSError, match=os.strerror(number)):
        (drive / place).write_bytes(b"bytes")
    assert drive.emulator.requests["upload"] == 0
    assert os.listdir((drive / place).parent) == []


def test_too_much_is_refused_when_it_is_too_much(drive: MountedDrive) -> None:
    """The write that crosses the purpose's limit gets EFBIG, and nothing is sent."""
    drive.expect("write .*EFBIG")
    with (drive / "voice_clone/a.wav").open("wb", buffering=0) as file:
        file.seek(20 * 1024 * 1024 - 10)
        file.write(b"0123456789")
        with pytest.raises(OSError, match="File too large"):
            file.write(b"x")
        os.ftruncate(file.fileno(), 0)
    assert drive.emulator.requests["upload"] == 0


def test_fsync_tells_the_truth(drive: MountedDrive) -> None:
    """After fsync the store has the bytes, and the close that follows sends nothing."""
    with (drive / TEXTS / "f.txt").open("wb") as file:
        file.write(b"text")
        file.flush()
        os.fsync(file.fileno())
        assert stored(drive) == {"f.txt": b"text"}
    assert drive.emulator.requests["upload"] == 1


def test_times_and_modes_are_kept(drive: MountedDrive, tmp_path: Path) -> None:
    """`cp -p` succeeds, and its times and mode are there after a remount."""
    source = tmp_path / "a.txt"
    source.write_bytes(b"text")
    source.chmod(0o640)
    os.utime(source, (1_500_000_000, 1_500_000_000))
    subprocess.run(["cp", "-p", source, drive / TEXTS / "a.txt"], check=True)
    for _ in range(2):
        shown = (drive / TEXTS / "a.txt").stat()
        assert (shown.st_mtime, shown.st_mode & 0o7777) == (1_500_000_000, 0o640)
        drive.remount()
    assert drive.emulator.requests["upload"] == 1


def test_half_a_gigabyte(drive: MountedDrive, tmp_path: Path, sparse: Callable[[Path, int], None]) -> None:
    """A file of 512 MB is copied in with a daemon below 150 MB, and arrives whole."""
    big = tmp_path / "big.mp4"
    sparse(big, 512_000_000)
    shutil.copyfile(big, drive / "video_understanding/big.mp4")
    (file,) = drive.emulator.files("video_understanding")
    assert drive.emulator.content(file.file_id) == big.read_bytes()
    assert drive.peak_kib() < 150_000


def test_a_read_only_drive(drive_with: Callable[..., MountedDrive]) -> None:
    """With --read-only nothing can be written or deleted."""
    drive = drive_with("--read-only")
    drive.emulator.add_file(TEXTS, "a.txt", b"text")
    assert (drive / TEXTS / "a.txt").read_bytes() == b"text"
    for refused in ((drive / TEXTS / "b.txt").touch, (drive / TEXTS / "a.txt").unlink):
        with pytest.raises(OSError, match="Read-only"):
            refused()
