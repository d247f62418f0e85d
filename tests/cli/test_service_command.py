"""What `minimaxfs service` does without a systemd; with one it is tested in tests/service."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bare_drive import mounted
from commands import Command
from minimaxfs import mounts, unit
from minimaxfs.core.errors import ConfigError

WRITTEN = Path(".config/systemd/user/minimaxfs@.service")


@pytest.fixture
def configured(home: Path, mountpoint: Path) -> Path:
    """A profile whose drive is at the mountpoint."""
    file = home / ".config/minimaxfs/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'[profile.default]\nmountpoint = "{mountpoint}"\n')
    return mountpoint


def is_mounted(mountpoint: Path) -> bool:
    return mounts.at(mountpoint, mounts.current()) is not None


def ended(result: str, status: str) -> dict[str, str]:
    """What systemd tells ExecStopPost."""
    return {"SERVICE_RESULT": result, "EXIT_STATUS": status}


@pytest.mark.parametrize(
    "env", [{}, ended("success", "0"), ended("timeout", "KILL"), ended("exit-code", "78")], ids=str
)
def test_a_dead_drive_is_cleared_in_the_end(
    configured: Path, minimaxfs: Command, env: dict[str, str]
) -> None:
    """Where no restart comes, ExecStopPost leaves an empty directory."""
    with mounted(configured) as connection:
        os.close(connection)
        done = minimaxfs("service", "clear", env=env)
        assert (done.returncode, done.stderr) == (0, "")
        assert not is_mounted(configured)


@pytest.mark.parametrize(
    "env", [ended("signal", "KILL"), ended("watchdog", "ABRT"), ended("exit-code", "1")], ids=str
)
def test_a_dead_drive_stays_until_its_restart(
    configured: Path, minimaxfs: Command, env: dict[str, str]
) -> None:
    """In between, programs get an error: in an empty directory they would leave files behind."""
    with mounted(configured) as connection:
        os.close(connection)
        assert minimaxfs("service", "clear", env=env).returncode == 0
        assert is_mounted(configured)


def test_what_is_not_dead_or_not_ours_is_not_cleared(configured: Path, minimaxfs: Command) -> None:
    """A drive that hangs may hold bytes to upload, and a stranger's mount is the stranger's."""
    with mounted(configured):
        assert minimaxfs("service", "clear").returncode == 0
        assert is_mounted(configured)
    with mounted(configured, "other:x", "otherfs") as connection:
        os.close(connection)
        assert minimaxfs("service", "clear").returncode == 0
        assert is_mounted(configured)


def test_nothing_is_cleared_where_nothing_is(configured: Path, minimaxfs: Command) -> None:
    """After a clean end there is nothing to do, and no word about it."""
    done = minimaxfs("service", "clear")
    assert (done.returncode, done.stdout, done.stderr, configured.is_dir()) == (0, "", "", True)


def test_without_a_manager_the_unit_is_there_and_the_advice_is_a_login(
    minimaxfs: Command, home: Path
) -> None:
    """Who came by su has no systemd to talk to."""
    done = minimaxfs("service", "install")
    assert done.returncode == 1
    assert "minimaxfs: systemctl --user daemon-reload: " in done.stderr
    assert "Log in directly" in done.stderr
    script = Path(sys.executable).with_name("minimaxfs")
    assert f"\nExecStart={script} mount " in (home / WRITTEN).read_text()


def test_without_systemctl_the_advice_is_another_manager(minimaxfs: Command, tmp_path: Path) -> None:
    """runit and others can run a drive in the foreground."""
    done = minimaxfs("service", "status", env={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert "no systemctl" in done.stderr
    assert "mount --foreground" in done.stderr


def test_a_profile_that_is_not_configured_is_not_installed(
    minimaxfs: Command, configured: Path, home: Path
) -> None:
    """A misspelt name is refused before anything is written."""
    assert minimaxfs("service", "install", "--profile", "wrok").returncode == 78
    assert minimaxfs("service", "install", "--profile", "a/b").returncode == 78
    assert not (home / WRITTEN).exists()
    assert configured.is_dir()


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/usr/bin/minimaxfs", "/usr/bin/minimaxfs"),
        ("/home/a b/minimaxfs", '"/home/a b/minimaxfs"'),
        ("/home/100%/minimaxfs", "/home/100%%/minimaxfs"),
        ('/home/"q"\'\\/minimaxfs', '"/home/\\"q\\"\'\\\\/minimaxfs"'),
    ],
)
def test_the_programs_path_is_quoted_for_systemd(path: str, word: str) -> None:
    """Spaces, quotes and specifiers in a path are taken as they are."""
    lines = unit.unit([path]).splitlines()
    assert f"ExecStart={word} mount --foreground --profile=%i" in lines
    assert f"ExecStopPost=-{word} service clear --profile=%i" in lines
    assert not any(line.split("=")[0].startswith("Exec") and unit.PLACEHOLDER in line for line in lines)


@pytest.mark.parametrize("path", ["/home/$x/minimaxfs", "/home/a\nb/minimaxfs"])
def test_a_path_that_systemd_cannot_be_told_is_refused(path: str) -> None:
    """It would run something else."""
    with pytest.raises(ConfigError, match="cannot be told"):
        unit.unit([path])


def test_the_unit_has_no_sandbox() -> None:
    """Each such directive would break fusermount3, or hide the mount from everybody else."""
    names = [line.split("=")[0] for line in unit.template().splitlines() if not line.startswith("#")]
    families = ("Protect", "Private", "Restrict", "NoNew", "System", "Mount", "ReadOnly", "ReadWrite")
    assert not [name for name in names if name.startswith(families)]
    assert not {"StateDirectory", "CacheDirectory"} & set(names)


def test_the_program_calls_itself_as_it_was_called(tmp_path: Path) -> None:
    """A link stays one: an upgrade may lead it elsewhere. Without a script Python runs the module."""
    script = Path(sys.executable).with_name("minimaxfs")
    link, bare = tmp_path / "minimaxfs", tmp_path / "bin/python"
    link.symlink_to(script)
    assert unit.own_command(str(link)) == [str(link)]
    assert unit.own_command(str(tmp_path / "pytest")) == [str(script)]
    bare.parent.mkdir()
    bare.symlink_to(sys.executable)
    code = "import sys; sys.path[:] = sys.argv[1:]; from minimaxfs import unit; print(*unit.own_command(''))"
    done = subprocess.run([bare, "-c", code, *sys.path], capture_output=True, check=True, text=True)
    assert done.stdout.split() == [str(bare), "-m", "minimaxfs"]
