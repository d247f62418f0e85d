import os
from pathlib import Path

import pytest

from bare_drive import mounted
from minimaxfs import mounts, preflight
from minimaxfs.api.endpoint import PRESETS
from minimaxfs.config import Settings
from minimaxfs.core.errors import ConfigError


def test_a_missing_device_is_explained(tmp_path: Path) -> None:
    """Without /dev/fuse the advice is to load the module, or to give the device to the container."""
    with pytest.raises(ConfigError, match="is missing") as refused:
        preflight.check_device(tmp_path / "fuse")
    assert "modprobe fuse" in refused.value.advice


def test_a_device_that_cannot_be_opened_is_explained(tmp_path: Path) -> None:
    """A device that refuses to be opened is refused with the kernel's reason."""
    with pytest.raises(ConfigError, match="cannot be opened: Is a directory"):
        preflight.check_device(tmp_path)


@pytest.mark.parametrize("text", ["", "#user_allow_other\n", "mount_max = 9\nuser_allow_otherwise\n"])
def test_allow_other_needs_its_line_in_fuse_conf(tmp_path: Path, text: str) -> None:
    """A commented line does not permit it, and the advice names the line to add."""
    (tmp_path / "fuse.conf").write_text(text)
    with pytest.raises(ConfigError, match="--allow-other") as refused:
        preflight.check_allow_other(tmp_path / "fuse.conf")
    assert "user_allow_other" in refused.value.advice


def test_allow_other_with_its_line_passes(tmp_path: Path) -> None:
    """The line may have space around it."""
    (tmp_path / "fuse.conf").write_text("# x\n user_allow_other \n")
    preflight.check_allow_other(tmp_path / "fuse.conf")


def test_a_stale_mount_of_ours_is_taken_away(mountpoint: Path) -> None:
    """After a crash the next mount finds an empty directory."""
    with mounted(mountpoint) as connection:
        os.close(connection)
        preflight.clear_mountpoint(mountpoint)
        assert mounts.at(mountpoint, mounts.current()) is None


def test_a_stale_mount_of_another_is_left_alone(mountpoint: Path) -> None:
    """What is not ours is refused, dead or alive, and stays."""
    with mounted(mountpoint, "other:x", "otherfs") as connection:
        os.close(connection)
        with pytest.raises(ConfigError, match=r"fuse\.otherfs \(other:x\) is mounted there"):
            preflight.clear_mountpoint(mountpoint)
        assert mounts.at(mountpoint, mounts.current()) is not None


def test_a_drive_that_hangs_is_left_alone(mountpoint: Path) -> None:
    """A daemon that does not answer may still hold bytes to upload: it is not taken for dead."""
    with mounted(mountpoint):
        with pytest.raises(ConfigError, match=r"is a drive already \(profile test\)") as refused:
            preflight.clear_mountpoint(mountpoint)
        assert f"minimaxfs unmount {mountpoint}" in refused.value.advice
        assert mounts.at(mountpoint, mounts.current()) is not None


def test_a_mountpoint_above_the_drives_own_files_is_refused(tmp_path: Path) -> None:
    """The drive would wait for itself when it opens its ledger."""
    settings = Settings("default", tmp_path, PRESETS["global"], "k", tmp_path / "state", Path("/nowhere"))
    with pytest.raises(ConfigError, match="above the drive's own files"):
        preflight.check_outside(settings)
