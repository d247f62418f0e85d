"""The vendor's MCP server (minimax-mcp, PyPI), unmodified, driven over stdio against the emulator."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.settings import Settings


class Server:
    """JSON-RPC over a program's standard input and output, one message a line."""

    def __init__(self, requests: IO[str], replies: IO[str]) -> None:
        self._requests = requests
        self._replies = replies
        self._last = 0

    def hello(self) -> None:
        client = {"name": "test", "version": "1"}
        self.ask("initialize", {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": client})
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def tool(self, name: str, **arguments: object) -> str:
        """What a tool says."""
        content = self.ask("tools/call", {"name": name, "arguments": arguments})["content"]
        assert isinstance(content, list)
        return str(content[0]["text"])

    def ask(self, method: str, params: object) -> dict[str, object]:
        self._last += 1
        self._send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        for line in self._replies:
            message = json.loads(line)
            if message.get("id") == self._last:
                result = message["result"]
                assert isinstance(result, dict)
                return result
        raise AssertionError("the server has ended")

    def _send(self, message: object) -> None:
        self._requests.write(json.dumps(message) + "\n")
        self._requests.flush()


@pytest.fixture
def server(clients: Path, emulator: Emulator, tmp_path: Path) -> Iterator[Server]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "MINIMAX_API_KEY": "sk-1",
        "MINIMAX_API_HOST": emulator.api_origin,
        "MINIMAX_API_RESOURCE_MODE": "local",
        "MINIMAX_MCP_BASE_PATH": str(tmp_path),
    }
    with subprocess.Popen(
        [clients / "venv" / "bin" / "minimax-mcp"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        server = Server(program.stdin, program.stdout)
        server.hello()
        try:
            yield server
        finally:
            program.kill()


def test_a_voice_is_cloned_from_an_upload(server: Server, emulator: Emulator, tmp_path: Path) -> None:
    """Its form (purpose first, no type on the file) is stored whole, and the id goes on to the clone."""
    source = tmp_path / "旁白 a.wav"
    source.write_bytes(b"RIFF" * 100_000)
    said = server.tool("voice_clone", voice_id="narrator1", file=str(source), text="hello")
    assert said == "Voice cloned successfully: Voice ID: narrator1"
    (stored,) = emulator.files("voice_clone")
    assert (stored.filename, stored.size) == ("旁白 a.wav", 400_000)
    assert emulator.content(stored.file_id) == b"RIFF" * 100_000
    assert emulator.requests == {"upload": 1, "voice_clone": 1}


def test_a_video_is_downloaded_whole(server: Server, emulator: Emulator, tmp_path: Path) -> None:
    """It asks for the task, retrieves the file and downloads the signed URL, to which it sends no key."""
    data = bytes(range(256)) * 2000
    file_id = emulator.add_file("video_generation", "output_aigc.mp4", data)
    said = server.tool("query_video_generation", task_id=str(file_id), output_directory=str(tmp_path))
    assert said.startswith("Success. Video saved as: ")
    assert Path(said.removeprefix("Success. Video saved as: ")).read_bytes() == data
    assert [seen.operation for seen in emulator.log] == ["query_video", "retrieve", "download"]
    assert "authorization" not in emulator.log[-1].headers


def test_refusals_are_understood(server: Server, emulator: Emulator, tmp_path: Path) -> None:
    """A refused file and a refused key come back as the store's words."""
    source = tmp_path / "a.txt"
    source.write_bytes(b"text")
    said = server.tool("voice_clone", voice_id="narrator1", file=str(source), text="hello")
    assert "2013-invalid params, invalid file ext for voice_clone" in said
    emulator.change(Settings(keys=frozenset({"sk-2"})))
    assert "please check your API key" in server.tool("query_video_generation", task_id="1")
