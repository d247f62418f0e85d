"""The files of the store: their contents, the file API's answers and the index pages, all as plain files.

::

    content/PURPOSE/NAME    what both clients read
    lists/PURPOSE.json      the file API's listing, for minimaxfs
    pages/PURPOSE.html      the same as a page of links, for rclone's http backend
    stored.map              file_id → PURPOSE/NAME and size, for nginx to answer a retrieve with
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KIB = 1024
MIB = 1024 * KIB

LARGE, COPIED, LISTED = "t2a_async_input", "prompt_audio", "voice_clone"
"""The purposes, each with the files of one kind of measure: a directory for either client."""

STREAM, SMALL = "stream.zip", "small.txt"
"""The files of `LARGE`."""

FIRST_ID = 444_795_417_300_000
CREATED_AT = 1_790_000_000
"""As the ids and times of the real store look."""

_PURPOSES = (LARGE, COPIED, LISTED, "video_generation_input")


@dataclass(frozen=True, slots=True)
class Scale:
    """How large everything is: sizes in bytes, and counts."""

    stream: int = 512 * MIB
    small: int = 100 * KIB
    copied: int = 1000
    listed: int = 10_000
    random_reads: int = 200

    @property
    def room(self) -> int:
        """Bytes of disk that a run needs: the contents, one cache of them and a copy or an upload's two."""
        return 4 * self.stream + 3 * self.copied * self.small + 2 * self.listed * 4 * KIB + 64 * MIB


QUICK = Scale(stream=24 * MIB, copied=60, listed=300, random_reads=20)
"""To try the harness itself: its figures say nothing."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One file of the store; `size` in bytes."""

    file_id: int
    purpose: str
    name: str
    size: int


def files(scale: Scale) -> list[Stored]:
    """All files of the store."""
    return [
        Stored(FIRST_ID + number, purpose, name, size)
        for number, (purpose, name, size) in enumerate(_described(scale))
    ]


def _described(scale: Scale) -> Iterator[tuple[str, str, int]]:
    yield LARGE, STREAM, scale.stream
    yield LARGE, SMALL, scale.small
    for number in range(scale.copied):
        yield COPIED, f"prompt-{number:04}.wav", scale.small
    for number in range(scale.listed):
        yield LISTED, f"voice-{number:05}.wav", 100 + number % 900


def write(root: Path, scale: Scale) -> None:
    """Lay everything below `root`."""
    stored = files(scale)
    for name in ("content", "lists", "pages"):
        (root / name).mkdir(parents=True)
    for purpose in _PURPOSES:
        (root / "content" / purpose).mkdir()
        own = [file for file in stored if file.purpose == purpose]
        (root / "lists" / f"{purpose}.json").write_text(listing(own))
        (root / "pages" / f"{purpose}.html").write_text(page([file.name for file in own]))
    (root / "pages" / "root.html").write_text(page([f"{purpose}/" for purpose in _PURPOSES]))
    (root / "lists" / "none.json").write_text(listing([]))
    (root / "stored.map").write_text(
        "".join(f"{file.file_id} {file.purpose}/{file.name}:{file.size};\n" for file in stored)
    )
    for file in stored:
        _fill(root / "content" / file.purpose / file.name, file.size, file.file_id)


def listing(stored: list[Stored]) -> str:
    """What the store answers to a list: compact, as servers write JSON."""
    entries = [
        {
            "file_id": file.file_id,
            "bytes": file.size,
            "created_at": CREATED_AT,
            "filename": file.name,
            "purpose": file.purpose,
        }
        for file in stored
    ]
    answer = {"files": entries, "base_resp": {"status_code": 0, "status_msg": "success"}}
    return json.dumps(answer, separators=(",", ":"))


def page(names: list[str]) -> str:
    """An index page, as nginx's autoindex makes it, but ready: making it would cost rclone time."""
    links = "\n".join(f'<a href="{name}">{name}</a>' for name in names)
    return f"<html><head><title>Index</title></head><body><pre>{links}</pre></body></html>\n"


def _fill(path: Path, size: int, seed: int) -> None:
    """Bytes that no compression and no guess can shorten, and that differ from MiB to MiB."""
    source = random.Random(seed)
    with path.open("wb") as file:
        for start in range(0, size, MIB):
            file.write(source.randbytes(min(MIB, size - start)))
