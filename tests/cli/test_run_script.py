"""./run against stand-ins for Python, apt and dpkg that write down what they were asked to do."""

import os
import shutil
from pathlib import Path

import pytest

from commands import Done, run

REPOSITORY = Path(__file__).parents[2]

STAND_INS = {
    "checkout/.venv/bin/python": 'case "$1" in -c) exit 0 ;; esac; echo "python $*"',
    "bin/dpkg-query": 'for name; do case $name in -*|*{*|gcc) ;; *) echo "$name installed" ;; esac; done',
    "bin/apt-get": 'echo "apt-get $*"',
    "bin/id": "echo 1000",
    "bin/sudo": 'echo "sudo $1"; exec "$@"',
}
"""gcc is the package that is missing, and the user is not root."""

APT = [
    "sudo apt-get",
    "apt-get update -q",
    "sudo env",
    "apt-get install -q -y --no-install-recommends gcc",
]
INSTALL = "python -m pip install -q --disable-pip-version-check -c constraints.txt"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    place = tmp_path / "it's a drive"
    for name, body in STAND_INS.items():
        program = place / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    for name in ("run", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, place / "checkout")
    return place / "checkout"


def started(checkout: Path, *words: str, script: Path | None = None) -> Done:
    path = f"{checkout.parent / 'bin'}:{os.environ['PATH']}"
    return run([script or checkout / "run", *words], {"PATH": path})


def asked(done: Done) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line not in APT and "--version" not in line]


def test_the_first_run_installs_what_is_missing_and_starts_the_demo(checkout: Path) -> None:
    """apt is asked for the missing package alone, as root, and the demo follows the installation."""
    done = started(checkout)
    assert done.stdout.splitlines() == [*APT, f"{INSTALL} -e .", "python -m minimaxfs demo"]
    assert "installing with apt: gcc" in done.stderr


def test_the_second_run_installs_nothing(checkout: Path) -> None:
    """Nothing is asked of pip while the files that say what to install are the same."""
    started(checkout)
    assert asked(started(checkout)) == ["python -m minimaxfs demo"]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_other_wishes_install_again(checkout: Path, name: str) -> None:
    """A change of what is wanted is installed at the next start."""
    started(checkout)
    with (checkout / name).open("a") as file:
        file.write("\n# changed\n")
    assert asked(started(checkout)) == [f"{INSTALL} -e .", "python -m minimaxfs demo"]


def test_words_are_passed_on_as_they_are(checkout: Path) -> None:
    """`./run mount …` is `minimaxfs mount …`, through a link from anywhere, spaces and all."""
    link = checkout.parent / "bin" / "my drive"
    link.symlink_to(checkout / "run")
    assert (
        asked(started(checkout, "mount", "My Drive", "*", script=link))[-1]
        == "python -m minimaxfs mount My Drive *"
    )


def test_the_tests_get_their_tools_and_words(checkout: Path) -> None:
    """`./run test` installs the test tools, then passes its words to pytest."""
    assert asked(started(checkout, "test", "-k", "a or b")) == [
        f"{INSTALL} -e .",
        f"{INSTALL} pip>=25.1",
        f"{INSTALL} --group test",
        "python -m pytest -k a or b",
    ]
    assert asked(started(checkout, "test")) == ["python -m pytest"]


def test_the_bench_gets_its_tools_and_words(checkout: Path) -> None:
    """`./run bench` installs nginx, rclone and what draws the plot, then passes its words on."""
    (checkout.parent / "bin/dpkg-query").write_text("#!/bin/sh\n")
    done = started(checkout, "bench", "--rounds", "1")
    lines = [line for line in done.stdout.splitlines() if "--version" not in line]
    assert lines[-3:] == [
        f"{INSTALL} pip>=25.1",
        f"{INSTALL} --group bench",
        "python -m bench --rounds 1",
    ]
    assert any(line.endswith(" nginx rclone") for line in lines if line.startswith("apt-get install"))
    assert not any("nginx" in line for line in started(checkout).stdout.splitlines())


def test_a_failed_installation_is_tried_again(checkout: Path) -> None:
    """Where pip fails, nothing is started, and the next run tries again."""
    python = checkout / ".venv/bin/python"
    python.write_text('#!/bin/sh\ncase "$*" in *install*) exit 7 ;; esac\n')
    assert started(checkout).returncode == 7
    assert started(checkout).returncode == 7
