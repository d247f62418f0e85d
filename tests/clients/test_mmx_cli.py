"""The vendor's CLI (mmx-cli, npm), unmodified, against the emulator."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from minimaxfs.emulator.background import Emulator


@pytest.fixture
def mmx(clients: Path, emulator: Emulator, tmp_path: Path) -> "Mmx":
    return Mmx(clients / "node_modules" / ".bin" / "mmx", emulator.api_origin, tmp_path)


class Mmx:
    """Runs `mmx` as its users do: key by option, host and region by environment."""

    def __init__(self, program: Path, origin: str, home: Path) -> None:
        self._program = program
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "MINIMAX_BASE_URL": origin,
            "MINIMAX_REGION": "global",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [
            str(self._program),
            *arguments,
            "--api-key",
            "sk-1",
            "--non-interactive",
            "--output",
            "json",
        ]
        return subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )

    def file(self, *arguments: str) -> dict[str, object]:
        ended = self.run("file", *arguments)
        assert ended.returncode == 0, ended.stderr
        value = json.loads(ended.stdout)
        assert isinstance(value, dict)
        return value


def test_a_file_is_uploaded_listed_and_deleted(mmx: Mmx, emulator: Emulator, tmp_path: Path) -> None:
    """Upload (file before purpose), list without a query, and delete with the id alone all work."""
    source = tmp_path / "guide.pdf"
    source.write_bytes(b"%PDF-1.4")
    uploaded = mmx.file("upload", "--file", str(source))
    (stored,) = emulator.files()
    assert (uploaded["file_id"], uploaded["bytes"]) == (stored.file_id, 8)
    assert (stored.purpose, stored.filename) == ("retrieval", "guide.pdf")
    assert emulator.content(stored.file_id) == b"%PDF-1.4"
    files = mmx.file("list")["files"]
    assert isinstance(files, list)
    assert [file["file_id"] for file in files] == [stored.file_id]
    assert mmx.file("delete", "--file-id", str(stored.file_id))["deleted"] is True
    assert emulator.files() == []
    assert [seen.target for seen in emulator.log] == [
        "/v1/files/upload",
        "/v1/files/list",
        "/v1/files/delete",
    ]


def test_a_name_keeps_its_spaces_and_characters(mmx: Mmx, emulator: Emulator, tmp_path: Path) -> None:
    """Spaces and CJK arrive as they are; a quote arrives as browsers write it."""
    source = tmp_path / '旁白 "one".wav'
    source.write_bytes(b"RIFF")
    mmx.file("upload", "--file", str(source), "--purpose", "voice_clone")
    assert [stored.filename for stored in emulator.files()] == ["旁白 %22one%22.wav"]


def test_refusals_are_understood(mmx: Mmx, tmp_path: Path) -> None:
    """A refused type and an unknown id are errors that name the store's reason."""
    source = tmp_path / "guide.pdf"
    source.write_bytes(b"%PDF-1.4")
    refused = mmx.run("file", "upload", "--file", str(source), "--purpose", "voice_clone")
    assert refused.returncode != 0
    assert "invalid file ext for voice_clone" in refused.stderr
    unknown = mmx.run("file", "delete", "--file-id", "444795417354723")
    assert unknown.returncode != 0
    assert "not exist" in unknown.stderr
