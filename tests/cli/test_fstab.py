import os
from pathlib import Path

import pytest

from minimaxfs import fstab, mounts
from minimaxfs.core.errors import ConfigError
from minimaxfs.processes import Process


def test_only_the_words_of_mount_are_its_call() -> None:
    """A profile may have the name of a subcommand, and the source may be what mountinfo shows."""
    assert fstab.call_of(["mount", "/x", "-o", "rw"]) == fstab.Call("mount", "/x", "rw")
    assert fstab.call_of(["minimax:work", "/x", "-o", ""]) == fstab.Call("work", "/x", "")
    assert fstab.call_of(["mount", "/x"]) is None
    assert fstab.call_of(["mount", "/x", "--drain", "3"]) is None


def test_a_backslash_keeps_a_comma() -> None:
    """Commas and backslashes in values are escaped; any other backslash is one."""
    assert fstab.split(r"rw,key_file=/a\,b\\,,ro,c=\d,") == ["rw", r"key_file=/a,b" + "\\", "ro", r"c=\d"]


def test_options_become_flags() -> None:
    """The drive's own go on as flags, and what others add is swallowed."""
    options = "rw,nosuid,noexec,_netdev,x-systemd.automount,user=ann,ro,write_back,drain=5,uid=7,gid=8"
    assert fstab.flags_of(options.split(","), (7, 8)) == {"read_only": True, "write_back": True, "drain": "5"}
    with pytest.raises(ConfigError, match="uid=8 is not who"):
        fstab.flags_of(["uid=8"], (7, 8))
    with pytest.raises(ConfigError, match="'noexecute'"):
        fstab.flags_of(["noexecute"], (7, 8))


def test_a_descriptor_must_be_of_fuse(tmp_path: Path) -> None:
    """Another file in the place of the mountpoint is refused, and so is none."""
    assert fstab.channel_of("/mnt/x") is None
    with (tmp_path / "file").open("w") as file:
        for number in (file.fileno(), 99999):
            with pytest.raises(ConfigError, match="no open /dev/fuse"):
                fstab.channel_of(f"/dev/fd/{number}")


def test_a_home_of_somebody_else_is_left_out() -> None:
    """The base directories go with it; the rest of the environment stays."""
    environ = {"HOME": "/root", "XDG_STATE_HOME": "/root/s", "MINIMAX_API_KEY": "k"}
    assert fstab.own_environ(environ, lambda _: True) == environ
    assert fstab.own_environ(environ, lambda _: False) == {"MINIMAX_API_KEY": "k"}


def test_a_claim_of_what_is_mounted_holds_nothing_of_it() -> None:
    """A mountpoint that is covered already is claimed by a file in memory, which /proc shows."""
    with mounts.claimed(Path("/proc")):
        shown = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert mounts.mark(Path("/proc")) in shown
    assert Process(1, "minimaxfs", frozenset({"/dev/fuse", mounts.mark(Path("/proc"))})).serves("/proc")
    assert not Process(1, "minimaxfs", frozenset({"/dev/fuse", mounts.mark(Path("/sys"))})).serves("/proc")
