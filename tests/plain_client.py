"""A client of the emulator that shares no code with the drive's: http.client, one connection a request."""

import json
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

from minimaxfs.emulator.background import Emulator

KEY = {"Authorization": "Bearer sk-1"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
TEN = b"0123456789"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes


def answer(response: HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def ask(
    origin: str,
    target: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    patience: float = 10,
) -> Answer:
    with closing(HTTPConnection(urlsplit(origin).netloc, timeout=patience)) as connection:
        connection.request(method, target, body, headers or {})
        return answer(connection.getresponse())


def api(
    emulator: Emulator, target: str, method: str = "GET", body: bytes | None = None, **more: str
) -> Answer:
    return ask(emulator.api_origin, target, method, body, KEY | dashed(more))


def get(url: str, patience: float = 10, **headers: str) -> Answer:
    origin, slash, target = url.partition("/minimax-files")
    return ask(origin, slash + target, headers=dashed(headers), patience=patience)


def dashed(headers: dict[str, str]) -> dict[str, str]:
    """Keyword arguments as header names."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def url_of(emulator: Emulator, file_id: int) -> str:
    return str(
        json.loads(api(emulator, f"/v1/files/retrieve?file_id={file_id}").body)["file"]["download_url"]
    )


def form(filename: str, data: bytes, purpose: str = "voice_clone") -> bytes:
    field_part = f'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
    file_part = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
    return (field_part + file_part).encode() + data + b"\r\n--b--\r\n"


def upload(emulator: Emulator, filename: str, data: bytes) -> Answer:
    return ask(emulator.api_origin, "/v1/files/upload", "POST", form(filename, data), KEY | FORM)


def port_of(emulator: Emulator) -> int:
    port = urlsplit(emulator.api_origin).port
    assert port is not None
    return port
