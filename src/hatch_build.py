"""What a wheel holds besides the package: completions for shells and a manual page, made from the parser."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import shtab
from argparse_manpage.manpage import Manpage
from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACES: Mapping[str, str] = {
    "bash": "share/bash-completion/completions/minimaxfs",
    "zsh": "share/zsh/site-functions/_minimaxfs",
    "fish": "share/fish/vendor_completions.d/minimaxfs.fish",
}
MANUAL = "share/man/man1/minimaxfs.1"

COLUMNS = "70"
"""Columns for which usages are written, whatever terminal the wheel is built in: man indents by seven."""

COMPLETED: Mapping[str, object] = {
    "MOUNTPOINT": shtab.DIRECTORY,
    "DIR": shtab.DIRECTORY,
    "PATH": shtab.FILE,
}
"""What a word stands for, by its metavar."""

SECTIONS: Mapping[str, str] = {
    "exit status": r"""0: done. 1: it failed, and two lines say what happened and what to do. 2: wrong words.
3: unmounted, but the store does not have everything yet. 78: something has to be configured first.
130: Ctrl\-C.
""",
    "files": r""".TP
.I $XDG_CONFIG_HOME/minimaxfs/config.toml
Profiles: hosts, keys, limits.
.TP
.I $XDG_STATE_HOME/minimaxfs/PROFILE/HOST
Names, times, what the store does not have yet, and the log.
.TP
.I $XDG_CACHE_HOME/minimaxfs/PROFILE/HOST
Bytes that were read; it may be deleted while nothing is mounted.
.TP
.I $XDG_RUNTIME_DIR/minimaxfs/PROFILE.sock
Where a drive listens for commands.
""",
    "environment": r""".TP
.B MINIMAX_API_KEY
The key, where no file holds it.
.TP
.B MINIMAX_API_HOST
As \-\-api\-host. Each option of mount has a variable; the README lists them.
""",
    "see also": r""".BR fusermount3 (1),
.BR mount.fuse3 (8)
""",
}


class DocumentsHook(BuildHookInterface[BuilderConfig]):
    """Writes the files to a directory of its own, and lays them down where shells and man look."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before a wheel is built, of whatever version (standard, editable)."""
        self._made = Path(tempfile.mkdtemp(prefix=f"minimaxfs-{version}-"))
        for place, text in documents(Path(self.root)).items():
            file = self._made / place
            file.parent.mkdir(parents=True)
            file.write_text(text, encoding="utf-8")
            build_data["shared_data"][str(file)] = place

    def finalize(self, *_: object) -> None:
        """Once the wheel is there."""
        shutil.rmtree(self._made)


def documents(root: Path) -> dict[str, str]:
    """Write all from the parser of the checkout at `root`, by the place below the prefix."""
    os.environ["COLUMNS"] = COLUMNS
    sys.path.insert(0, str(root / "src"))
    from minimaxfs import __version__, cli

    parser = cli.parser()
    for action in actions(parser):
        if isinstance(action.metavar, str) and action.metavar in COMPLETED:
            vars(action)["complete"] = COMPLETED[action.metavar]  # where shtab looks
    found = {place: shtab.complete(parser, shell) for shell, place in PLACES.items()}
    return {**found, MANUAL: manual(cli.parser(), __version__)}


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Give the words of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from actions(command)


def manual(parser: argparse.ArgumentParser, version: str) -> str:
    """Write the manual page."""
    page = Manpage(parser, format="single-commands-section")
    page.date, page.source, page.manual = "", f"minimaxfs {version}", "User Commands"
    page.description = "mount the MiniMax file store as a drive"
    for heading, content in SECTIONS.items():
        page.add_section(heading, ">", content)
    return str(page).replace(".SH\nPOSITIONAL ARGUMENTS", ".SH COMMANDS")
