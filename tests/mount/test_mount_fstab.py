"""mount(8) and fstab: each test is a script in a mount namespace of its own, with `minimaxfs` installed.

mount(8) runs its helper without PATH, so that the program must be where sh looks by itself.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands import Done, run
from minimaxfs.emulator.background import Emulator
from mounted_drive import KEY

Script = Callable[..., Done]

DROP = "drop_privileges,fsname=minimax:default,default_permissions"

IN_A_GROUP = ("setsid", "--wait")
"""The script leads a process group, as systemd does, whose automounts let its own group past."""

PRELUDE = """
set -e
mount -t tmpfs -o mode=755 none /usr/local/sbin
ln -s {minimaxfs} /usr/local/sbin/minimaxfs
x={place}/x
line() {{ grep " $x .*minimaxfs" /proc/self/mountinfo; }}
nobody_has_a_home() {{
    home=/usr/local/sbin/person x=/usr/local/sbin/drive
    mkdir -m 755 $home $x
    chown nobody $home
    {{ grep -v ^nobody: /etc/passwd; echo nobody:x:65534:65534::$home:/bin/sh; }} >/usr/local/sbin/passwd
    mount --bind /usr/local/sbin/passwd /etc/passwd
}}
automount() {{
    mkfifo /usr/local/sbin/requests
    exec 7<>/usr/local/sbin/requests
    mount -i -t autofs -o fd=7,pgrp=$$,minproto=5,maxproto=5,direct none $x
}}
daemon() {{ pgrep -f "^[^ ]*python[^ ]* .* $1.*$api"; }}
trap 'umount -l $x 2>/dev/null || true' EXIT
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the drive `x` and the home are."""
    (tmp_path / "x").mkdir()
    (tmp_path / "home").mkdir()
    return tmp_path


@pytest.fixture
def script(place: Path, emulator: Emulator) -> Iterator[Script]:
    """Run lines of shell; `$api` is the option that leads to the store."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MINIMAX", "XDG_"))}
    environ = {**own, "HOME": str(place / "home"), "MINIMAX_API_KEY": KEY}
    environ["api"] = f"api_host={emulator.api_origin}"
    prelude = PRELUDE.format(minimaxfs=Path(sys.executable).with_name("minimaxfs"), place=place)

    def script(lines: str, before: tuple[str, ...] = ()) -> Done:
        words = ("unshare", "--mount", "--propagation", "private", *before, "sh", "-c", prelude + lines)
        return run(words, environ)

    yield script
    assert not any(KEY in log.read_text() for log in place.rglob("minimaxfs.log"))


def test_mount_by_hand(script: Script, emulator: Emulator) -> None:
    """`mount -t fuse.minimaxfs` returns when the drive answers, and `umount` takes it away."""
    emulator.add_file("t2a_async_input", "a.txt", b"hello")
    done = script("""
        mount -t fuse.minimaxfs default $x -o $api
        line
        cat $x/t2a_async_input/a.txt
        echo bye >$x/t2a_async_input/b.txt
        umount $x
        ! line
    """)
    assert done.returncode == 0, done.stderr
    assert " - fuse.minimaxfs minimax:default " in done.stdout
    assert "nosuid,nodev" in done.stdout
    assert done.stdout.endswith("\nhello")
    assert {file.filename for file in emulator.files("t2a_async_input")} == {"a.txt", "b.txt"}


def test_the_kernels_options_reach_it(script: Script) -> None:
    """`ro`, `noexec` and `allow_other` are in the mount, and `df -l` takes the drive for a remote one."""
    done = script("""
        mount -t fuse.minimaxfs minimax:default $x -o ro,noexec,allow_other,$api
        line
        ! touch $x/t2a_async_input/a.txt
        df -l | grep " $x$" || echo not local
        df $x | grep -o minimax:default
        umount $x
    """)
    assert done.returncode == 0, done.stderr
    assert " ro,nosuid,nodev,noexec,relatime - " in done.stdout
    assert "default_permissions,allow_other" in done.stdout
    assert done.stdout.endswith("not local\nminimax:default\n")
    assert "Read-only file system" in done.stderr


def test_a_line_of_fstab(script: Script, place: Path) -> None:
    """What a line for systemd's automount says is understood; what is mounted is not mounted twice."""
    options = (
        "noauto,nofail,_netdev,user,x-systemd.automount,x-systemd.idle-timeout=60,comment=it,cache_size=64M"
    )
    done = script(f"""
        echo "minimax:default $x fuse.minimaxfs {options},$api 0 0" >{place}/fstab
        mount -T {place}/fstab $x
        minimaxfs status $x
        mount -T {place}/fstab -a -v
        line | wc -l
        umount $x
    """)
    assert done.returncode == 0, done.stderr
    assert "of 64 MiB" in done.stdout or "of 67.1 MB" in done.stdout
    assert done.stdout.endswith("\n1\n")


def test_boot_has_no_environment(script: Script, place: Path) -> None:
    """Without HOME and PATH the drive has the home of root, and its key from the profile there."""
    done = script(f"""
        mount --bind {place}/home /root
        mkdir -p /root/.config/minimaxfs
        (umask 077; echo {KEY} >/root/.config/minimaxfs/key)
        echo '[profile.work]\nkey_file = "~/.config/minimaxfs/key"' >/root/.config/minimaxfs/config.toml
        env -i /bin/mount -t fuse minimaxfs#work $x -o $api
        line
        env -i /bin/umount $x
    """)
    assert done.returncode == 0, done.stderr
    assert "minimax:work" in done.stdout
    assert list((place / "home/.local/state/minimaxfs/work").glob("*/minimaxfs.log"))


def test_nobody_looks_at_an_automount(script: Script) -> None:
    """The place of an automount answers its own process group only; it can go when the drive has gone."""
    lines = """
        automount
        ! timeout 0.3 setsid --wait ls $x
        mount -t fuse.minimaxfs default $x -o $api
        line
        ls $x
        umount $x
        umount $x
        ! grep " $x " /proc/self/mountinfo
    """
    done = script(lines, before=IN_A_GROUP)
    assert done.returncode == 0, done.stderr
    assert " - fuse.minimaxfs minimax:default " in done.stdout
    assert "t2a_async_input" in done.stdout


def test_an_automount_of_another_user_without_privileges(script: Script) -> None:
    """Root mounts, so that neither the place nor /dev/fuse need be the user's."""
    lines = f"""
        nobody_has_a_home
        automount
        mount -t fuse.minimaxfs default $x -o setuid=nobody,{DROP},allow_other,$api
        line
        ls $x
        find $home -name minimaxfs.log -user nobody
        umount $x
        umount $x
    """
    done = script(lines, before=IN_A_GROUP)
    assert done.returncode == 0, done.stderr
    assert "user_id=65534,group_id=65534,default_permissions,allow_other" in done.stdout
    assert "t2a_async_input" in done.stdout
    assert done.stdout.endswith("/minimaxfs.log\n")


def test_a_drive_of_another_user(script: Script) -> None:
    """`setuid=` runs the drive as that user, whose home it has, whoever called."""
    done = script("""
        mknod -m 0666 /usr/local/sbin/fuse c 10 229
        mount --bind /usr/local/sbin/fuse /dev/fuse
        nobody_has_a_home
        chown nobody $x
        mount -t fuse.minimaxfs default $x -o setuid=nobody,$api
        line
        setpriv --reuid nobody --regid 65534 --clear-groups ls $x
        find $home -name minimaxfs.log -user nobody
        umount $x
    """)
    assert done.returncode == 0, done.stderr
    assert "user_id=65534" in done.stdout
    assert "t2a_async_input" in done.stdout
    assert done.stdout.endswith("/minimaxfs.log\n")


@pytest.mark.parametrize("unmount", ["umount", "/usr/local/sbin/minimaxfs unmount"])
def test_a_drive_without_privileges(script: Script, emulator: Emulator, unmount: str) -> None:
    """With `drop_privileges` the drive serves what mount.fuse3 has mounted, and cannot do more."""
    emulator.add_file("t2a_async_input", "a.txt", b"hello\n")
    done = script(f"""
        mount -t fuse.minimaxfs default $x -o {DROP},$api
        cat $x/t2a_async_input/a.txt
        grep CapEff /proc/$(daemon /dev/fd)/status
        {unmount} $x
        ! line
    """)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "hello\nCapEff:\t0000000000000000\n"


def test_privileges_dropped_without_what_the_drive_needs(script: Script) -> None:
    """What mount.fuse3 has mounted by too short a line is not served: the kernel would check nothing."""
    done = script("mount -t fuse.minimaxfs default $x -o drop_privileges,allow_other,$api || echo $?")
    assert done.stdout == "78\n"
    assert "Add fsname=minimax:default,default_permissions to the options" in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("cache_siz=4G", "the mount option 'cache_siz'\nDid you mean 'cache_size'?"),
        ("cache_size=4", "Write at least 4M"),
        ("uid=12345", "uid=12345 is not who the drive runs as (uid=0"),
    ],
)
def test_an_option_that_cannot_be(script: Script, options: str, words: str) -> None:
    """It is named, with what was meant, and nothing is mounted."""
    done = script(f"mount -t fuse.minimaxfs default $x -o {options},$api || echo $?; ! line")
    assert done.stdout == "78\n"
    assert words in done.stderr
