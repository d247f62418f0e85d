"""`minimaxfs doctor`: what it finds on machines and accounts of every kind."""

import os
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from commands import Command
from minimaxfs import check_machine, check_service, check_store, doctor
from minimaxfs.api.endpoint import Endpoint, Operation
from minimaxfs.emulator.background import Emulator, running
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation as Emulated
from minimaxfs.findings import Finding, Level

KEY = "sk-that-no-line-may-show"
MIB = 1024 * 1024


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


def program(place: Path, mode: int) -> Path:
    place.mkdir(exist_ok=True)
    file = place / "fusermount3"
    file.write_text("#!/bin/sh\n")
    file.chmod(mode)
    return file


def levels(findings: list[Finding]) -> dict[str, Level]:
    return {finding.subject: finding.level for finding in findings}


def test_a_finding_is_one_line() -> None:
    """Whatever is in it."""
    assert str(Finding("x", "is\nfine")) == "ok    x: is\\nfine\n"
    assert str(Finding("x", "is not", Level.FIX, "Mend it.")) == "fix   x: is not. Mend it.\n"


def test_the_device(tmp_path: Path) -> None:
    """Missing, or not for everyone."""
    assert check_machine.device(tmp_path / "fuse").level is Level.FIX
    (tmp_path / "fuse").touch(mode=0o600)
    assert check_machine.device(tmp_path / "fuse").level is Level.NOTE
    (tmp_path / "fuse").chmod(0o666)
    assert check_machine.device(tmp_path / "fuse").level is Level.OK


def test_the_helper_that_is_first_in_the_path_counts(tmp_path: Path) -> None:
    """One that is not setuid before one that is: the advice is the order."""
    first, second = tmp_path / "first", tmp_path / "second"
    path = f"{first}:{second}"
    missing = check_machine.fusermount(path, is_root=False)
    assert (missing.level, "apt install fuse3" in missing.advice) == (Level.FIX, True)
    plain = program(first, 0o755)
    assert check_machine.fusermount(path, is_root=True).level is Level.OK
    assert f"chmod u+s {plain}" in check_machine.fusermount(path, is_root=False).advice
    program(second, 0o4755)
    assert f"Put {second} before {first}" in check_machine.fusermount(path, is_root=False).advice
    plain.chmod(0o4755)
    assert check_machine.fusermount(path, is_root=False) == Finding("fusermount3", f"is {plain}")


@pytest.mark.parametrize(
    ("release", "filesystems", "level"),
    [
        ("6.1.0-18-amd64", "nodev\tproc\nnodev\tfuse\n", Level.OK),
        ("3.10.0", "nodev\tfuse\n", Level.NOTE),
        ("unheard of", "nodev\tfuse\n", Level.NOTE),
        ("6.1.0", "nodev\tfusectl\n", Level.FIX),
    ],
)
def test_the_kernel(release: str, filesystems: str, level: Level) -> None:
    """It must have FUSE, and be no older than what is looked after."""
    assert check_machine.kernel(release, filesystems).level is level


def test_the_permission_to_let_others_in(tmp_path: Path) -> None:
    """Only some need it."""
    conf = tmp_path / "fuse.conf"
    assert check_machine.allow_other(conf, is_root=False).level is Level.NOTE
    assert check_machine.allow_other(conf, is_root=True).level is Level.OK
    conf.write_text("user_allow_other\n")
    assert check_machine.allow_other(conf, is_root=False).level is Level.OK


def test_the_list_of_mounts(tmp_path: Path) -> None:
    """Missing, a file of its own, or the kernel's."""
    mtab = tmp_path / "mtab"
    assert check_machine.mtab(mtab).level is Level.FIX
    mtab.touch()
    assert check_machine.mtab(mtab).level is Level.NOTE
    mtab.unlink()
    mtab.symlink_to("/proc/self/mounts")
    assert check_machine.mtab(mtab).level is Level.OK


def test_the_disk_for_blocks(tmp_path: Path) -> None:
    """It need not be there yet; room for half of the limit is a word, and too little is too little."""
    place = tmp_path / "not/yet"
    room = os.statvfs(tmp_path)
    free = room.f_bavail * room.f_frsize
    assert check_machine.disk(place, MIB).level is Level.OK
    assert check_machine.disk(place, free * 2).level is Level.NOTE
    assert list(tmp_path.iterdir()) == []
    assert check_machine.disk(Path("/proc/1"), MIB).level is Level.FIX


def test_the_service(tmp_path: Path) -> None:
    """Not everyone wants one; what is there is named."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert check_service.unit(environ, ()).level is Level.NOTE
    (tmp_path / "systemd/user").mkdir(parents=True)
    (tmp_path / "systemd/user/minimaxfs@.service").touch()
    assert check_service.unit(environ, ()).level is Level.OK
    assert check_service.linger("me", tmp_path).level is Level.NOTE
    (tmp_path / "me").touch()
    assert check_service.linger("me", tmp_path).level is Level.OK


@pytest.mark.parametrize(
    ("headers", "level", "word"),
    [
        ({"date": formatdate(1000.0, usegmt=True)}, Level.OK, "agrees"),
        ({"date": formatdate(1100.0, usegmt=True)}, Level.FIX, "100 s behind"),
        ({"date": formatdate(10.0, usegmt=True)}, Level.FIX, "ahead"),
        ({"date": "yesterday"}, Level.NOTE, "does not tell"),
        ({}, Level.NOTE, "does not tell"),
    ],
)
def test_the_clock(headers: Mapping[str, str], level: Level, word: str) -> None:
    """A minute is near enough."""
    found = check_store.clock(headers, 1000.0)
    assert found.level is level
    assert word in found.what


def test_a_store_that_is_there(emulator: Emulator) -> None:
    """Name, way and key; the key costs one request, which is sent when somebody says so."""
    endpoint = Endpoint(emulator.api_origin, prices={Operation.list_files: 0.004})
    questions: list[str] = []

    def refuse(question: str) -> bool:
        questions.append(question)
        return False

    found = levels(check_store.store(endpoint, KEY, refuse))
    assert found == {"DNS": Level.OK, "TLS": Level.OK, "clock": Level.NOTE, "key": Level.NOTE}
    assert "$0.004" in questions[0]
    assert emulator.requests["list"] == 0
    found = levels(check_store.store(endpoint, KEY, lambda _: True))
    assert found["key"] is Level.OK
    assert emulator.requests["list"] == 1


def test_a_key_that_is_refused(emulator: Emulator) -> None:
    """The store's words and the advice, and never the key."""
    fault = Fault(Emulated.LIST, Kind.CODE, value=2049, text=f"invalid api key {KEY}")
    emulator.inject(fault)
    found = check_store.key_check(Endpoint(emulator.api_origin), KEY, lambda _: True)
    assert found.level is Level.FIX
    assert "the store answered 2049 (invalid api key (key))" in found.what
    assert "keys of one region" in found.advice
    assert KEY not in str(found)


def test_a_store_that_is_not_there(emulator: Emulator) -> None:
    """What depends on it is not looked at."""
    with emulator.offline():
        found = check_store.store(Endpoint(emulator.api_origin), KEY, lambda _: True)
    assert levels(found) == {"DNS": Level.OK, "TLS": Level.FIX}
    assert "cannot be reached" in found[1].what


def test_a_name_without_an_address() -> None:
    """`.invalid` has none, by its definition."""
    found = check_store.name(urlsplit("https://store.invalid"), limit=20.0)
    assert found.level is Level.FIX
    assert "store.invalid has no address" in found.what


def test_a_certificate_that_nobody_vouches_for(emulator: Emulator) -> None:
    """Who answers in plain HTTP where TLS is spoken is not trusted either."""
    address = urlsplit(emulator.api_origin.replace("http:", "https:"))
    found = check_store.trust(address, check_store.meet(address))
    assert found.level is Level.FIX
    assert "is not trusted" in found.what


def test_nobody_at_a_terminal_agrees_to_nothing() -> None:
    """A script that wants the key tried says --yes."""
    assert doctor.confirmed("Send it?") is False


def test_the_doctor_as_it_is_run(minimaxfs: Command, emulator: Emulator) -> None:
    """Each line is a finding; the drive that was tried is gone; the status says whether there is work."""
    done = minimaxfs("doctor", "--api-host", emulator.api_origin, env={"MINIMAX_API_KEY": KEY})
    lines = done.stdout.splitlines()
    assert all(line.split()[0] in {"ok", "note", "fix"} for line in lines)
    assert "ok    self-test: a file went into a drive and came out of it" in lines
    assert done.returncode == int(any(line.startswith("fix") for line in lines))
    assert "note  key: was not tried" in done.stdout
    assert emulator.requests["list"] == 0
    assert KEY not in done.stdout + done.stderr
    assert "minimaxfs-doctor-" not in Path("/proc/self/mountinfo").read_text()


def test_the_doctor_of_a_machine_without_a_helper(
    minimaxfs: Command, emulator: Emulator, tmp_path: Path
) -> None:
    """What is missing is said twice: by its own line, and by the self-test that fails for it."""
    env = {"PATH": str(tmp_path), "MINIMAXFS_CACHE_SIZE": "lots"}
    done = minimaxfs("doctor", "--api-host", emulator.api_origin, env=env)
    assert done.returncode == 1
    assert "fix   fusermount3: is not in PATH. Install it" in done.stdout
    assert "fix   settings: " in done.stdout
    assert "fix   self-test: the drive is not mounted: fusermount3 is not in PATH" in done.stdout
