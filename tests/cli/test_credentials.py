import os
from pathlib import Path

import pytest

from minimaxfs import credentials
from minimaxfs.core.errors import ConfigError

SECRET = "sk-very-secret"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    return file


def test_a_key_file_that_only_its_owner_reads_is_taken(key_file: Path) -> None:
    """0600 and 0400 are right, and the line end is not a part of the key."""
    assert credentials.find({}, key_file) == SECRET
    key_file.chmod(0o400)
    assert credentials.find({}, key_file) == SECRET


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o700, 0o4600])
def test_a_key_file_of_another_mode_is_refused(key_file: Path, mode: int) -> None:
    """The message shows the mode, the advice the command that mends it, and neither the key."""
    key_file.chmod(mode)
    with pytest.raises(ConfigError, match=f"{mode:04o}") as refused:
        credentials.find({}, key_file)
    assert f"chmod 600 {key_file}" in refused.value.advice


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_another_user_is_refused(key_file: Path) -> None:
    """Whoever owns the file could exchange the key."""
    os.chown(key_file, 65534, -1)
    with pytest.raises(ConfigError, match="another user"):
        credentials.find({}, key_file)


def test_a_key_file_that_is_missing_or_none_is_refused(tmp_path: Path) -> None:
    """A configured key file that cannot be read is not passed over in silence."""
    with pytest.raises(ConfigError, match="No such file"):
        credentials.find({"MINIMAX_API_KEY": SECRET}, tmp_path / "none")
    with pytest.raises(ConfigError, match="is not a file"):
        credentials.find({}, tmp_path)


def test_credentials_outrank_the_key_file_outranks_the_environment(tmp_path: Path, key_file: Path) -> None:
    """systemd's credential, then the key file, then MINIMAX_API_KEY."""
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path), "MINIMAX_API_KEY": "sk-environment"}
    assert credentials.find(environ, None) == "sk-environment"
    assert credentials.find(environ, key_file) == SECRET
    (tmp_path / "minimax-api-key").write_text("sk-credential")
    assert credentials.find(environ, key_file) == "sk-credential"


@pytest.mark.parametrize(
    "key", ["", "\n", "very secret", "very\nsecret", "very\tsecret", "sécret", "very\0secret"]
)
def test_what_is_no_key_is_refused_and_not_shown(key: str) -> None:
    """An empty key, or one with spaces, line ends or strange characters, reaches no header or message."""
    with pytest.raises(ConfigError, match="MINIMAX_API_KEY") as refused:
        credentials.find({"MINIMAX_API_KEY": key}, None)
    assert "secret" not in f"{refused.value!r} {refused.value.advice}"


def test_without_any_key_the_advice_names_the_ways() -> None:
    """A newcomer learns where to put the key, and that the demo needs none."""
    with pytest.raises(ConfigError, match="no API key") as refused:
        credentials.find({}, None)
    assert all(word in refused.value.advice for word in ("key_file", "MINIMAX_API_KEY", "demo"))
