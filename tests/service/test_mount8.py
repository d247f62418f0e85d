"""mount(8) and /etc/fstab, as a machine that starts uses them: without HOME and PATH, before any login."""

import itertools
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import Done, eventually
from managers import FSTAB, HOME, ROOTS_HOME, UID, SystemManager
from minimaxfs.emulator.background import Emulator

CONFIG = ".config/minimaxfs/config.toml"

_numbers = itertools.count(1)


class Mounting:
    """A profile of root's and of person's, and a directory to mount it at."""

    def __init__(self, machine: SystemManager, emulator: Emulator) -> None:
        number = next(_numbers)
        self.machine = machine
        self.profile = f"fstab-{number}"
        self.source = f"minimax:{self.profile}"
        self.path = Path(f"/run/mnt/{number}")
        for owner, home in ((0, ROOTS_HOME), (UID, HOME)):
            table = f'[profile.{self.profile}]\napi_host = "{emulator.api_origin}"\nkey_file = "~/key"\n'
            machine.write(home / CONFIG, table, owner=owner)
            machine.write(home / "key", f"sk-of-{owner}", 0o600, owner=owner)
        machine.path(self.path).mkdir()

    @property
    def dropped(self) -> str:
        """The options of a drive of person's that has no privileges."""
        return f"setuid=person,drop_privileges,fsname={self.source},default_permissions"

    def mount(self, options: str, *environ: str) -> Done:
        """As root."""
        words = ("/bin/mount", "-t", "fuse.minimaxfs", self.source, self.path, "-o", options)
        return self.machine.run_as_root(*environ, *words)

    def in_fstab(self, options: str) -> None:
        """Have the machine know of it."""
        line = f"{self.source} {self.path} fuse.minimaxfs {options} 0 0\n"
        self.machine.path(FSTAB).write_text(line)
        self.machine.systemctl("daemon-reload")

    def unit(self, kind: str) -> str:
        """The machine's unit of the mountpoint."""
        return f"{str(self.path)[1:].replace('/', '-')}.{kind}"

    @property
    def line(self) -> str:
        """What mountinfo says of the drive."""
        lines = self.machine.mountinfo().splitlines()
        return next((line for line in lines if f" {self.path} " in line and "fuse" in line), "")

    @property
    def daemons(self) -> list[int]:
        return self.machine.processes(self.source)

    def read(self) -> str:
        """What root reads in the drive."""
        return self.machine.run_as_root("cat", self.path / "voice_clone/a.wav").stdout

    def read_as_person(self) -> str:
        return self.machine.run("cat", self.path / "voice_clone/a.wav").stdout

    def log(self, home: Path) -> str:
        place = self.machine.path(home / ".local/state/minimaxfs" / self.profile)
        return "".join(log.read_text() for log in place.glob("*/minimaxfs.log"))


@pytest.fixture
def mounting(machine: SystemManager, emulator: Emulator) -> Iterator[Mounting]:
    emulator.add_file("voice_clone", "a.wav", b"sound")
    mounting = Mounting(machine, emulator)
    yield mounting
    machine.path(FSTAB).write_text("")
    machine.systemctl("daemon-reload")
    machine.systemctl("stop", mounting.unit("automount"))
    machine.run_as_root("umount", "--lazy", "--quiet", mounting.path)
    assert eventually(lambda: not mounting.daemons)


def test_root_mounts_for_itself(mounting: Mounting) -> None:
    """HOME and PATH are unset: the password database knows the configuration, and a shell the program."""
    done = mounting.mount("ro,noexec,nofail,_netdev,comment=a,x-gvfs-hide")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert mounting.read() == "sound"
    assert {"ro", "noexec", "nosuid", "nodev"} <= set(mounting.line.split()[5].split(","))
    assert f" fuse.minimaxfs {mounting.source} " in mounting.line


def test_umount_ends_the_daemon(mounting: Mounting) -> None:
    """There is one, in a session of its own, and none once the drive has gone."""
    mounting.mount("rw")
    (daemon,) = mounting.daemons
    assert os.getsid(daemon) == daemon
    assert mounting.machine.run_as_root("umount", mounting.path).returncode == 0
    assert eventually(lambda: not mounting.daemons)


def test_setuid_mounts_for_a_user(mounting: Mounting, emulator: Emulator) -> None:
    """The drive is the user's, with the user's key, though mount(8) brings root's HOME along."""
    os.chown(mounting.machine.path(mounting.path), UID, UID)
    done = mounting.mount("setuid=person", "HOME=/root", "XDG_CONFIG_HOME=/root/.config")
    assert (done.returncode, done.stderr) == (0, "")
    assert mounting.read_as_person() == "sound"
    assert emulator.log[0].headers["authorization"] == f"Bearer sk-of-{UID}"
    assert f"user_id={UID}," in mounting.line


def test_a_drive_without_privileges_is_handed_its_mount(mounting: Mounting) -> None:
    """mount.fuse3 mounts, gives up all that it may, and the drive serves a descriptor: umount ends it."""
    done = mounting.mount(mounting.dropped)
    assert (done.returncode, done.stderr) == (0, "")
    assert mounting.read_as_person() == "sound"
    (daemon,) = mounting.daemons
    status = Path(f"/proc/{daemon}/status").read_text()
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    assert "NoNewPrivs:\t1\n" in status
    assert mounting.machine.run_as_root("umount", mounting.path).returncode == 0
    assert eventually(lambda: not mounting.daemons)


def test_a_drive_that_cannot_unmount_says_so(mounting: Mounting) -> None:
    """Without privileges it ends when it is told to, and the mount stays for who made it."""
    mounting.mount(mounting.dropped)
    (daemon,) = mounting.daemons
    os.kill(daemon, signal.SIGTERM)
    assert eventually(lambda: not mounting.daemons)
    assert f"{mounting.path} holds a drive whose daemon has died" in mounting.log(HOME)
    assert mounting.line


def test_root_gives_privileges_up(mounting: Mounting) -> None:
    """Root unmounts without fusermount3, so nothing that the drive starts may gain privileges."""
    mounting.mount("rw")
    (daemon,) = mounting.daemons
    assert "NoNewPrivs:\t1\n" in Path(f"/proc/{daemon}/status").read_text()
    os.kill(daemon, signal.SIGTERM)
    assert eventually(lambda: not mounting.line)


def test_a_user_mounts_what_fstab_allows(mounting: Mounting) -> None:
    """With `user` in its line, the drive is of whoever mounts it."""
    os.chown(mounting.machine.path(mounting.path), UID, UID)
    mounting.in_fstab("user,noauto,write_back,drain=1")
    done = mounting.machine.run("mount", mounting.path)
    assert (done.returncode, done.stderr) == (0, "")
    assert mounting.read_as_person() == "sound"
    assert f"user_id={UID}," in mounting.line
    assert mounting.machine.run("fusermount3", "-u", mounting.path).returncode == 0


def test_an_automount_mounts_at_the_first_look(mounting: Mounting) -> None:
    """Nobody looks before: systemd waits for the mount and lets nobody in, the daemon neither."""
    mounting.in_fstab("noauto,_netdev,x-systemd.automount,x-systemd.mount-timeout=10")
    assert mounting.machine.systemctl("start", mounting.unit("automount")).returncode == 0
    assert not mounting.line
    assert mounting.read() == "sound"
    assert mounting.machine.systemctl("is-active", mounting.unit("mount")).stdout == "active\n"
    assert mounting.machine.systemctl("stop", mounting.unit("mount")).returncode == 0
    assert eventually(lambda: not mounting.daemons)
    assert mounting.read() == "sound"


def test_an_idle_automount_lets_go(mounting: Mounting) -> None:
    """The drive does not keep its own mountpoint busy."""
    mounting.in_fstab("noauto,x-systemd.automount,x-systemd.idle-timeout=1")
    mounting.machine.systemctl("start", mounting.unit("automount"))
    assert mounting.read() == "sound"
    assert eventually(lambda: not mounting.line)
    assert eventually(lambda: not mounting.daemons)


def test_a_drive_without_privileges_is_automounted(mounting: Mounting) -> None:
    """For a user of the machine, who owns no mountpoint."""
    mounting.in_fstab(f"noauto,x-systemd.automount,{mounting.dropped}")
    mounting.machine.systemctl("start", mounting.unit("automount"))
    assert mounting.read_as_person() == "sound"
