import errno
import os
import subprocess
from pathlib import Path

from bare_drive import mounted
from minimaxfs import mounts
from minimaxfs.mounts import Mount

MOUNTINFO = r"""22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /home/ann/My\040drive rw,nosuid shared:7 master:2 - fuse.minimaxfs minimax:default rw
41 22 0:36 / /mnt/auto rw - autofs systemd-1 rw,fd=30
42 22 0:37 / /mnt/auto rw - nfs4 host:/a\134b\012c rw
43 22 0:38 / /mnt/rclone rw shared:8 - fuse.rclone minimax: rw
"""


def test_mountinfo_is_read_with_its_optional_fields_and_escapes() -> None:
    """Any number of optional fields, and the kernel's octal escapes in paths and sources."""
    parsed = mounts.parse(MOUNTINFO)
    assert parsed[1] == Mount("/home/ann/My drive", "fuse.minimaxfs", "minimax:default")
    assert parsed[1].device == "0:35"
    assert parsed[3].source == "host:/a\\b\nc"
    assert len(parsed) == 5


def test_the_upper_of_two_mounts_counts() -> None:
    """Of mounts on top of each other, the last is the one that a path reaches."""
    found = mounts.at(Path("/mnt/auto"), mounts.parse(MOUNTINFO))
    assert found is not None
    assert found.fstype == "nfs4"
    assert mounts.at(Path("/mnt"), mounts.parse(MOUNTINFO)) is None


def test_a_mount_is_known_from_others_at_its_place(mountpoint: Path) -> None:
    """Ours may have gone when another is there, and another on top of it must not be taken for it."""
    place = mounts.Place(mountpoint)
    assert (place.is_taken(), place.is_on_top()) == (False, False)
    with mounted(mountpoint):
        place.take()
        assert (place.is_taken(), place.is_on_top()) == (True, True)
        # Not by bare_drive: fusermount3 looks at the place first, and this mount never answers.
        subprocess.run(["mount", "-c", "-n", "-t", "tmpfs", "none", mountpoint], check=True)
        assert (place.is_taken(), place.is_on_top()) == (True, False)
        subprocess.run(["umount", "-n", mountpoint], check=True)
        assert (place.is_taken(), place.is_on_top()) == (True, True)
    assert (place.is_taken(), place.is_on_top()) == (False, False)


def test_only_type_and_source_together_make_a_drive_ours() -> None:
    """Another program's mount is never taken for ours."""
    assert [mount.is_ours for mount in mounts.parse(MOUNTINFO)] == [False, True, False, False, False]
    assert mounts.parse(MOUNTINFO)[1].profile == "default"


def test_a_path_is_made_absolute_and_free_of_links(tmp_path: Path) -> None:
    """Links before the mountpoint and at its place are followed; a circle of links ends."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "chain").symlink_to(tmp_path / "link")
    (tmp_path / "circle").symlink_to("circle")
    assert mounts.located(tmp_path / "chain", []) == tmp_path / "real"
    assert mounts.located(tmp_path / "link/../chain/drive", []) == tmp_path / "real/drive"
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "far").symlink_to("a/b")
    assert mounts.located(tmp_path / "far/../drive", []) == tmp_path / "a/drive"
    assert mounts.located(tmp_path / "far/..", []) == tmp_path / "a"
    assert mounts.located(Path("/"), []) == Path("/")
    assert mounts.located(tmp_path / "circle", []) == tmp_path / "circle"


def test_a_mountpoint_is_located_without_touching_it(mountpoint: Path) -> None:
    """A drive that never answers does not hang the search for it."""
    with mounted(mountpoint):
        assert mounts.located(mountpoint, mounts.current()) == mountpoint
        assert mounts.at(mountpoint, mounts.current()) == Mount(
            os.fspath(mountpoint), "fuse.minimaxfs", "minimax:test"
        )


def test_a_probe_tells_dead_from_hanging_from_well(mountpoint: Path) -> None:
    """A stale mount answers ENOTCONN, a hanging one nothing within the limit, a directory 0."""
    assert mounts.probe(mountpoint) == 0
    with mounted(mountpoint) as connection:
        assert mounts.probe(mountpoint, limit=0.5) is None
        os.close(connection)
        assert mounts.probe(mountpoint) == errno.ENOTCONN


def test_a_claim_shows_in_proc(mountpoint: Path) -> None:
    """While a mountpoint is claimed, /proc shows the process that does so."""
    links = Path("/proc/self/fd")
    with mounts.claimed(mountpoint):
        assert os.fspath(mountpoint) in {os.readlink(link) for link in links.iterdir() if link.is_symlink()}
    assert os.fspath(mountpoint) not in {os.readlink(link) for link in links.iterdir() if link.is_symlink()}


def test_a_path_in_a_drive_is_split_without_touching_it(tmp_path: Path, mountpoint: Path) -> None:
    """Links before the drive are followed, `..` in and out of it is counted; a hung drive hangs nobody."""
    inside = {
        "voice_clone/a b.wav": "voice_clone/a b.wav",
        ".": "",
        "x/../voice_clone//./a.wav": "voice_clone/a.wav",
        "../link/a.wav": "a.wav",
    }
    (tmp_path / "link").symlink_to("drive")
    with mounted(mountpoint):
        table = mounts.current()
        for path, below in inside.items():
            assert mounts.entered(mountpoint / path, table) == (os.fspath(mountpoint), below)
            assert mounts.entered(tmp_path / "link" / path, table) == (os.fspath(mountpoint), below)
        assert mounts.entered(mountpoint / "../elsewhere", table) is None
        assert mounts.entered(tmp_path / "link/..", table) is None
        assert mounts.entered(tmp_path / "drive2/a", table) is None


def test_a_path_is_in_the_innermost_drive() -> None:
    """One drive's mountpoint may be below another's name."""
    table = [Mount(place, "fuse.minimaxfs", "minimax:x") for place in ("/m", "/m/n", "/mm")]
    assert mounts.entered(Path("/m/n/a"), table) == ("/m/n", "a")
    assert mounts.entered(Path("/m/nn"), table) == ("/m", "nn")
    assert mounts.entered(Path("/elsewhere"), table) is None
