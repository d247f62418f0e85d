"""The wheel: what pip lays down of it, held to the parser."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from minimaxfs import __version__

REPOSITORY = Path(__file__).parents[2]
MANUAL = "share/man/man1/minimaxfs.1"
BASH = "share/bash-completion/completions/minimaxfs"
ZSH = "share/zsh/site-functions/_minimaxfs"
FISH = "share/fish/vendor_completions.d/minimaxfs.fish"

COMPLETE = """
. "$0"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
function=$(complete -p minimaxfs | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$function" minimaxfs "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""Asks bash what would complete the last of some words."""


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip installed the wheel, without what it depends on. The build tools are those of the tests."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    # A copy: neither may the build leave anything in the checkout, nor what lies about there come into it.
    shutil.copytree(REPOSITORY, source, ignore=shutil.ignore_patterns(".*", "__pycache__", "tests"))
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(place), str(source))
    (wheel,) = place.glob("*.whl")
    installed = place / "prefix"
    run(*pip, "install", "--no-deps", "--ignore-installed", "--prefix", str(installed), str(wheel))
    return installed


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, check=False, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def words() -> list[str]:
    """Every command, and every option of each, as --help tells of them."""
    told = run(sys.executable, "-m", "minimaxfs", "--help")
    commands = re.findall(r"^    ([a-z]+)\b", told, re.MULTILINE)
    helps = [run(sys.executable, "-m", "minimaxfs", command, "--help") for command in commands]
    options = {option for text in (told, *helps) for option in re.findall(r"--[a-z][a-z-]+", text)}
    return sorted({*commands, *options} - {"--help"})


def test_there_is_something_to_complete(words: list[str]) -> None:
    """The words that the other tests look for are those that people type."""
    assert {"mount", "status", "--api-host", "--no-read-only", "--watch", "--version"} <= set(words)


@pytest.mark.parametrize("place", [BASH, ZSH, FISH, MANUAL])
def test_each_command_and_option_is_there(prefix: Path, words: list[str], place: str) -> None:
    """In each shell, and in the manual."""
    text = (prefix / place).read_text(encoding="utf-8").replace("\\-", "-")
    wanted = [word.removeprefix("--") for word in words] if place == FISH else words
    assert [word for word in wanted if word not in text] == []


def completed(prefix: Path, *typed: str) -> set[str]:
    return set(run("bash", "-c", COMPLETE, str(prefix / BASH), "minimaxfs", *typed).split())


def test_bash_completes(prefix: Path, tmp_path: Path) -> None:
    """Commands, options of the command, and directories for a mountpoint."""
    assert {"mount", "unmount", "status", "doctor"} <= completed(prefix, "")
    assert completed(prefix, "unm") == {"unmount"}
    assert completed(prefix, "mount", "--no-r") == {"--no-read-only"}
    assert completed(prefix, "pin", "--re") == {"--remove"}
    (tmp_path / "somewhere").mkdir()
    assert completed(prefix, "unmount", f"{tmp_path}/some") == {f"{tmp_path}/somewhere"}


@pytest.mark.parametrize(("shell", "place"), [("zsh", ZSH), ("fish", FISH)])
def test_other_shells_can_read_theirs(prefix: Path, shell: str, place: str) -> None:
    """By their own judgement."""
    assert run(shell, "-n", str(prefix / place)) == ""


def test_fish_completes(prefix: Path) -> None:
    """As a person would see it."""
    code = f"source {prefix / FISH}; complete -C 'minimaxfs unm'"
    assert run("fish", "--no-config", "-c", code).split()[0] == "unmount"


def test_the_manual_is_one_that_man_can_show(prefix: Path) -> None:
    """Without a warning, with its name, its version and its sections."""
    done = subprocess.run(
        ["man", "--warnings", "-l", str(prefix / MANUAL)],
        capture_output=True,
        check=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": "100", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"},
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "minimaxfs - mount the MiniMax file store as a drive" in done.stdout
    for heading in ("NAME", "SYNOPSIS", "COMMANDS", "EXIT STATUS", "FILES", "ENVIRONMENT"):
        assert heading in lines
    assert f"minimaxfs {__version__}" in lines[-1]
