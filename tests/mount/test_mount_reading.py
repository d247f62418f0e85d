"""Reading through the kernel: the right bytes, few requests, bounded memory."""

import hashlib
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from commands import eventually, run_python
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.emulator.settings import Urls
from mounted_drive import MountedDrive

MIB = 1024 * 1024


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_file_of_any_size_costs_one_retrieve(drive: MountedDrive) -> None:
    """20 MiB are read for one retrieve, and a second time for no request at all."""
    data = noise(20 * MIB)
    drive.emulator.add_file("video_understanding", "a.mp4", b"")
    drive.emulator.add_file("voice_clone", "a.wav", data)
    path = drive / "voice_clone/a.wav"
    assert path.read_bytes() == data
    assert drive.emulator.requests["retrieve"] == 1
    spent = drive.emulator.requests
    assert drive.emulator.bytes_sent == len(data)
    assert path.read_bytes() == data
    assert drive.emulator.requests == spent


def test_cached_files_need_no_store(drive: MountedDrive) -> None:
    """What was read once is read again after a remount without a byte from the store."""
    data = noise(3 * MIB)
    drive.emulator.add_file("voice_clone", "a.wav", data)
    assert (drive / "voice_clone/a.wav").read_bytes() == data
    sent = drive.emulator.bytes_sent
    drive.remount()
    assert (drive / "voice_clone/a.wav").read_bytes() == data
    assert drive.emulator.bytes_sent == sent
    assert drive.emulator.requests["retrieve"] == 1


def test_any_offset_and_any_size(drive: MountedDrive) -> None:
    """Reads at random offsets, past the end too, answer what the file has there."""
    data = noise(2 * MIB + 777)
    drive.emulator.add_file("voice_clone", "a.wav", data)
    chance = random.Random(7)
    with (drive / "voice_clone/a.wav").open("rb", buffering=0) as file:
        for _ in range(200):
            offset = chance.randrange(len(data) + 10_000)
            size = chance.choice([1, 100, 4096, 65_536, 300_000])
            assert os.pread(file.fileno(), size, offset) == data[offset : offset + size]


def test_a_random_read_fetches_little(drive: MountedDrive) -> None:
    """64 KiB from the middle of a large file fetch a few hundred KiB, the kernel's readahead with it."""
    data = noise(32 * MIB)
    drive.emulator.add_file("voice_clone", "a.wav", data)
    with (drive / "voice_clone/a.wav").open("rb", buffering=0) as file:
        assert os.pread(file.fileno(), 65_536, 17 * MIB + 5) == data[17 * MIB + 5 :][:65_536]
    assert drive.emulator.bytes_sent <= 512 * 1024


def test_eight_readers_of_one_file_fetch_it_once(drive: MountedDrive) -> None:
    """Eight programs that read the same file at once get the same bytes, each of which is sent once."""
    data = noise(12 * MIB)
    drive.emulator.add_file("voice_clone", "a.wav", data)
    path = drive / "voice_clone/a.wav"
    with ThreadPoolExecutor(8) as readers:
        sums = set(readers.map(sha256, [path] * 8))
    assert sums == {hashlib.sha256(data).hexdigest()}
    assert drive.emulator.bytes_sent == len(data)
    assert drive.emulator.requests["retrieve"] == 1


SUM_OF_MAP = """
import hashlib, mmap, sys
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
    print(hashlib.sha256(view).hexdigest())
"""


def test_memory_maps_work(drive: MountedDrive) -> None:
    """A program that maps the file sees its bytes."""
    data = noise(MIB + 5)
    drive.emulator.add_file("voice_clone", "a.wav", data)
    # In a process of its own: a page fault holds the interpreter's lock, which the emulator's thread needs.
    done = run_python(SUM_OF_MAP, [drive / "voice_clone/a.wav"], drive.environ)
    assert done.stdout.strip() == hashlib.sha256(data).hexdigest()


def test_urls_that_end_are_renewed(drive: MountedDrive) -> None:
    """A signed URL that ends between two reads is renewed, and the reader does not notice."""
    data = noise(16 * MIB)
    drive.emulator.add_file("voice_clone", "a.wav", data)
    with (drive / "voice_clone/a.wav").open("rb", buffering=0) as file:
        assert os.pread(file.fileno(), 1000, 0) == data[:1000]
        drive.emulator.expire_urls()
        assert os.pread(file.fileno(), 1000, 12 * MIB) == data[12 * MIB :][:1000]
    assert drive.emulator.requests["retrieve"] == 2


@pytest.mark.parametrize("urls", [Urls.ABSENT, Urls.EMPTY])
def test_files_without_a_url_are_read_by_id(drive: MountedDrive, urls: Urls) -> None:
    """Where a retrieve gives no URL the bytes come from retrieve_content."""
    drive.emulator.change(replace(drive.emulator.settings, uploaded_urls=urls))
    data = noise(5 * MIB)
    drive.emulator.add_file("voice_clone", "a.wav", data)
    assert (drive / "voice_clone/a.wav").read_bytes() == data
    assert drive.emulator.requests["download"] == 0


def test_servers_that_ignore_ranges_are_read_once(drive: MountedDrive) -> None:
    """Where ranges are answered with the whole file, it is kept, and not asked for again and again."""
    drive.emulator.change(replace(drive.emulator.settings, ranges=False))
    data = noise(24 * MIB)
    drive.emulator.add_file("voice_clone", "a.wav", data)
    assert (drive / "voice_clone/a.wav").read_bytes() == data
    assert drive.emulator.bytes_sent < 2 * len(data)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Operation.DOWNLOAD, Kind.RESET),
        Fault(Operation.DOWNLOAD, Kind.CUT, value=100_000, times=3),
        Fault(Operation.DOWNLOAD, Kind.STATUS, value=503, text="busy"),
        Fault(Operation.DOWNLOAD, Kind.STATUS, value=403, text="<Error/>"),
        Fault(Operation.DOWNLOAD, Kind.WHOLE),
        Fault(Operation.DOWNLOAD, Kind.WRONG_LENGTH, value=10),
        Fault(Operation.DOWNLOAD, Kind.WRONG_RANGE),
        Fault(Operation.RETRIEVE, Kind.CODE, value=1000),
        Fault(Operation.RETRIEVE, Kind.GARBAGE),
        Fault(Operation.RETRIEVE, Kind.LOSE_REPLY),
    ],
    ids=lambda fault: f"{fault.operation.value}-{fault.kind.name.lower()}",
)
def test_passing_faults_are_read_through(drive: MountedDrive, fault: Fault) -> None:
    """A fault that passes costs time, and never a wrong byte."""
    data = noise(9 * MIB)
    drive.emulator.add_file("voice_clone", "a.wav", data)
    drive.emulator.inject(fault)
    assert (drive / "voice_clone/a.wav").read_bytes() == data


def test_a_file_that_vanished_is_said(drive: MountedDrive) -> None:
    """A file that was deleted elsewhere fails with ESTALE when it is read, and the drive goes on."""
    drive.expect("read .*ESTALE")
    gone = drive.emulator.add_file("voice_clone", "gone.wav", noise(MIB))
    drive.emulator.add_file("voice_clone", "there.wav", b"there")
    assert len(os.listdir(drive / "voice_clone")) == 2
    drive.emulator.remove_file(gone)
    with pytest.raises(OSError, match="Stale file handle"):
        (drive / "voice_clone/gone.wav").read_bytes()
    assert (drive / "voice_clone/there.wav").read_bytes() == b"there"


def test_the_key_goes_to_the_api_only(drive: MountedDrive) -> None:
    """The storage that signed URLs lead to never sees the key."""
    drive.emulator.add_file("voice_clone", "a.wav", noise(MIB))
    (drive / "voice_clone/a.wav").read_bytes()
    downloads = [seen for seen in drive.emulator.log if seen.operation == "download"]
    assert downloads
    assert all("authorization" not in seen.headers for seen in downloads)


def test_memory_stays_bounded(
    drive: MountedDrive, tmp_path: Path, sparse: Callable[[Path, int], None]
) -> None:
    """A file of 512 MB is read with a daemon below 150 MB."""
    big = tmp_path / "big.wav"
    sparse(big, 512_000_000)
    drive.emulator.add_file("voice_clone", "big.wav", big)
    assert sha256(drive / "voice_clone/big.wav") == sha256(big)
    assert drive.peak_kib() < 150_000


def test_the_kernel_reads_ahead_further_where_root_may_say_so(drive: MountedDrive) -> None:
    """A drive that root has mounted is asked for 512 KiB at once, in place of 128."""
    device = drive.path.stat().st_dev
    setting = Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
    assert eventually(lambda: setting.read_text(encoding="ascii").strip() == "512")
