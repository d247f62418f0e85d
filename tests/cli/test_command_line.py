import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import bare_drive
from commands import Command
from minimaxfs import __version__

KEY = {"MINIMAX_API_KEY": "sk-very-secret"}
NAMESPACE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--mount", "--map-root-user")


def refusal(done: "subprocess.CompletedProcess[str]", status: int = 78) -> str:
    """The two lines of a refusal, after a look at what all refusals share."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    what, advice = done.stderr.splitlines()
    assert what.startswith("minimaxfs: ")
    assert advice.endswith(".")
    assert "secret" not in done.stderr
    return done.stderr


def test_the_version_is_told(minimaxfs: Command) -> None:
    """--version prints the name and the version."""
    assert minimaxfs("--version").stdout == f"minimaxfs {__version__}\n"


def test_help_costs_no_slow_import() -> None:
    """--help, --version and a refusal come without FUSE, HTTP or an event loop being imported."""
    slow = {"h11", "httpx", "pyfuse3", "rich", "sqlite3", "trio"}
    code = f"import sys, minimaxfs.cli; print(sorted({slow!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("mnt",),
        ("mount", "--profil", "x", "/m"),
        ("emulator",),
        ("emulator", "--port", "x"),
        ("emulator", "--port", "70000"),
    ],
)
def test_wrong_words_end_with_2(minimaxfs: Command, words: tuple[str, ...]) -> None:
    """What cannot be understood is answered with the usage."""
    done = minimaxfs(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: minimaxfs")


def test_a_missing_key_is_refused(minimaxfs: Command, mountpoint: Path) -> None:
    """Without a key the advice says where one may be put."""
    assert "there is no API key" in refusal(minimaxfs("mount", mountpoint))


def test_a_key_with_a_line_end_inside_is_refused(minimaxfs: Command, mountpoint: Path) -> None:
    """Such a key would break the request's header; it is not shown."""
    done = minimaxfs("mount", mountpoint, env={"MINIMAX_API_KEY": "very\nsecret"})
    assert "MINIMAX_API_KEY" in refusal(done)


def test_a_key_file_that_others_may_read_is_refused(minimaxfs: Command, mountpoint: Path, home: Path) -> None:
    """The advice is the chmod that mends it."""
    (home / "key").write_text("sk-very-secret")
    (home / "key").chmod(0o644)
    file = home / ".config/minimaxfs/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[profile.default]\nkey_file = "~/key"\n')
    assert f"chmod 600 {home}/key" in refusal(minimaxfs("mount", mountpoint))


def test_an_unencrypted_host_is_refused(minimaxfs: Command, mountpoint: Path) -> None:
    """The key would travel in the clear."""
    done = minimaxfs("mount", "--api-host", "http://api.minimax.io", mountpoint, env=KEY)
    assert "http://api.minimax.io" in refusal(done)


def test_an_unknown_key_in_the_file_is_refused(minimaxfs: Command, mountpoint: Path, home: Path) -> None:
    """The advice names the key that it was meant to be."""
    (home / "minimaxfs").mkdir()
    (home / "minimaxfs/config.toml").write_text("[profile.default]\nreadonly = true\n")
    done = minimaxfs("mount", mountpoint, env={**KEY, "XDG_CONFIG_HOME": str(home)})
    assert "Did you mean 'read_only'?" in done.stderr
    assert done.returncode == 78


def test_a_wrong_size_is_refused(minimaxfs: Command, mountpoint: Path) -> None:
    """The option and the value are named."""
    done = minimaxfs("mount", "--cache-size", "lots", mountpoint, env=KEY)
    assert "--cache-size cannot be 'lots'" in refusal(done)


def test_a_missing_mountpoint_is_refused(minimaxfs: Command, tmp_path: Path) -> None:
    """The advice is the mkdir that makes it, quoted for the shell."""
    done = minimaxfs("mount", tmp_path / "my drive", env=KEY)
    assert f"mkdir -p '{tmp_path}/my drive'" in refusal(done)


def test_a_mountpoint_that_is_a_file_is_refused(minimaxfs: Command, tmp_path: Path) -> None:
    """A file cannot be mounted on."""
    (tmp_path / "file\x1b").touch()
    assert r"file\x1b is not a directory" in refusal(minimaxfs("mount", tmp_path / "file\x1b", env=KEY))


def test_a_mountpoint_with_something_in_it_is_refused(minimaxfs: Command, mountpoint: Path) -> None:
    """The drive would hide what is there."""
    (mountpoint / "x").touch()
    assert "is not empty" in refusal(minimaxfs("mount", mountpoint, env=KEY))


def test_a_mountpoint_that_may_not_be_written_is_refused(minimaxfs: Command, mountpoint: Path) -> None:
    """Root is made to obey permissions here, as a user does."""
    mountpoint.chmod(0o500)
    powers = "-dac_override,-dac_read_search"
    before = ("setpriv", "--inh-caps", powers, "--bounding-set", powers) if os.geteuid() == 0 else ()
    assert "is not yours to write in" in refusal(minimaxfs("mount", mountpoint, env=KEY, before=before))


def test_a_busy_mountpoint_is_refused(minimaxfs: Command, mountpoint: Path) -> None:
    """Another program's mount is named by its type and source."""
    with bare_drive.mounted(mountpoint, "other:x", "otherfs"):
        done = minimaxfs("mount", mountpoint, env=KEY)
        assert "fuse.otherfs (other:x) is mounted there" in refusal(done)


def test_a_drive_that_is_there_already_is_refused(minimaxfs: Command, mountpoint: Path) -> None:
    """The advice is how to end it."""
    with bare_drive.mounted(mountpoint):
        assert "minimaxfs unmount" in refusal(minimaxfs("mount", mountpoint, env=KEY))


def test_a_missing_fusermount3_is_refused(minimaxfs: Command, mountpoint: Path, tmp_path: Path) -> None:
    """The advice is the package to install."""
    done = minimaxfs("mount", mountpoint, env={**KEY, "PATH": str(tmp_path)})
    assert "apt install fuse3" in refusal(done)


def test_a_missing_device_is_refused(minimaxfs: Command, mountpoint: Path) -> None:
    """In a container without /dev/fuse the advice is how to give it one."""
    script = 'mount -t tmpfs none /dev && exec "$@"'
    done = minimaxfs("mount", mountpoint, env=KEY, before=(*NAMESPACE, "sh", "-c", script, "sh"))
    assert "/dev/fuse is missing" in refusal(done)


def test_a_taken_port_is_explained(minimaxfs: Command) -> None:
    """The emulator says which port it cannot have."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(port) in refusal(minimaxfs("emulator", "--port", str(port)), status=1)
