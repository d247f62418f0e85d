"""Requests to the pure service of the emulator, and what is in its replies."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from minimaxfs.emulator.messages import Form, Inline, OnDisk, Reply, Request, Side
from minimaxfs.emulator.service import Service
from minimaxfs.emulator.settings import DEFAULTS, Settings

NOW = 1_795_000_000.0
KEY = {"authorization": "Bearer sk-1"}


def store(settings: Settings = DEFAULTS) -> Service:
    service = Service(NOW, b"secret", settings)
    service.storage_origin = "http://127.0.0.1:9"
    return service


def add(service: Service, purpose: str = "voice_clone", filename: str = "a.wav", data: bytes = b"abc") -> int:
    return service.add(purpose, filename, Inline(data), int(NOW)).file_id


def call(service: Service, method: str, target: str, body: bytes = b"", form: Form | None = None) -> Reply:
    return service.answer(Request(Side.API, method, target, KEY, body, form), NOW)


def read(reply: Reply) -> dict[str, object]:
    assert reply.status == 200
    assert isinstance(reply.body, bytes)
    value = json.loads(reply.body)
    assert isinstance(value, dict)
    return value


def code(reply: Reply) -> object:
    base = read(reply)["base_resp"]
    assert isinstance(base, dict)
    return base["status_code"]


def message(reply: Reply) -> object:
    base = read(reply)["base_resp"]
    assert isinstance(base, dict)
    return base["status_msg"]


def described(reply: Reply) -> dict[str, object]:
    file = read(reply)["file"]
    assert isinstance(file, dict)
    return file


def listed(reply: Reply) -> list[object]:
    files = read(reply)["files"]
    assert isinstance(files, list)
    return [file["file_id"] for file in files]


def upload(service: Service, purpose: str, filename: str, size: int = 3) -> Reply:
    form = Form({"purpose": purpose}, filename, OnDisk(Path("/nowhere"), size))
    return call(service, "POST", "/v1/files/upload", form=form)


def delete(service: Service, **body: object) -> Reply:
    return call(service, "POST", "/v1/files/delete", json.dumps(body).encode())


def download(
    service: Service, url: str, headers: dict[str, str] | None = None, now: float = NOW, method: str = "GET"
) -> Reply:
    parts = urlsplit(url)
    return service.answer(Request(Side.STORAGE, method, f"{parts.path}?{parts.query}", headers or {}), now)


def signed(service: Service, file_id: int) -> str:
    url = described(call(service, "GET", f"/v1/files/retrieve?file_id={file_id}"))["download_url"]
    assert isinstance(url, str)
    return url
