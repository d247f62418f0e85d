"""Replies made by hand and the parsers that read them, for the tests of `api.wire` and `api.refusals`."""

import json
from collections.abc import Callable

import pytest

from minimaxfs.api import asks, wire
from minimaxfs.api.asks import Reply
from minimaxfs.core.errors import FsError
from minimaxfs.core.files import RemoteFile, Retrieved

OK = {"status_code": 0, "status_msg": "success"}
FILE = {"file_id": 7, "bytes": 12, "created_at": 1790000000, "filename": "a.wav", "purpose": "voice_clone"}

LIST = asks.ask_list("voice_clone")
RETRIEVE = asks.ask_retrieve(7)
UPLOAD = asks.ask_upload("voice_clone", "a.wav")
DELETE = asks.ask_delete(7, "voice_clone")
CONTENT = asks.ask_content(7)


def reply(document: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, _bytes(document))


def _bytes(document: object) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode("utf-8", "surrogatepass")


def listed(answer: Reply) -> wire.Listing:
    return wire.parse_listing(LIST, answer, "voice_clone")


def uploaded(answer: Reply) -> RemoteFile:
    return wire.parse_upload(UPLOAD, answer, "voice_clone", "a.wav")


def retrieved(answer: Reply) -> Retrieved:
    return wire.parse_retrieved(RETRIEVE, answer, 7)


def deleted(answer: Reply) -> None:
    wire.parse_deleted(DELETE, answer, 7)


PARSERS: list[Callable[[Reply], object]] = [listed, uploaded, retrieved, deleted]


def refused(parse: Callable[[Reply], object], answer: Reply) -> FsError:
    with pytest.raises(FsError) as caught:
        parse(answer)
    return caught.value
