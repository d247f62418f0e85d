"""Bytes into the store: as a stream, with an exact length, and with the store's early word heard."""

import hashlib
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import trio

from api_bodies import MIB, Bytes, Repeated
from minimaxfs.api.client import Client
from minimaxfs.api.endpoint import PRESETS, Operation
from minimaxfs.core.errors import AccessRefused, FsError, LocalFault, NameRefused, TooLarge
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.messages import Operation as Asked
from scripted_server import answer, scripted

PURPOSE = "t2a_async_input"


def _resident() -> int:
    """Bytes of this process in memory, the emulator's included."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


async def test_memory_does_not_grow_with_the_file(client: Client, emulator: Emulator) -> None:
    """64 MiB go up with less than 16 MiB of memory, on either side of the wire."""
    body = Repeated(64 * MIB)
    highest = before = _resident()

    async def watch() -> None:
        nonlocal highest
        while True:
            highest = max(highest, _resident())
            await trio.sleep(0.01)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        uploaded = await client.upload(PURPOSE, "large.zip", body)
        nursery.cancel_scope.cancel()
    assert uploaded.size == body.size
    assert highest - before < 16 * MIB
    expected = hashlib.sha256()
    async for piece in body.pieces():
        expected.update(piece)
    assert hashlib.sha256(emulator.content(uploaded.file_id)).digest() == expected.digest()


async def test_the_length_is_announced(client: Client, emulator: Emulator) -> None:
    """An upload has a Content-Length and no chunks, as object stores demand."""
    await client.upload(PURPOSE, "a.txt", Repeated(3 * MIB + 5))
    seen = next(seen for seen in emulator.log if seen.operation is Asked.UPLOAD)
    assert int(seen.headers["content-length"]) > 3 * MIB + 5
    assert "transfer-encoding" not in seen.headers


@pytest.mark.parametrize("size", [1, MIB - 1, MIB, MIB + 1])
async def test_any_size_arrives_whole(client: Client, emulator: Emulator, size: int) -> None:
    """Sizes around the edges of pieces are stored to the byte."""
    uploaded = await client.upload(PURPOSE, "a.txt", Repeated(size))
    assert len(emulator.content(uploaded.file_id)) == size


@pytest.mark.parametrize("claimed", [3, 5])
async def test_a_file_that_changes_meanwhile_is_not_stored(
    client: Client, emulator: Emulator, claimed: int
) -> None:
    """A body that is not of its size is a local fault, and the store keeps nothing of it."""
    with pytest.raises(LocalFault):
        await client.upload(PURPOSE, "a.txt", Bytes(b"four", claimed))
    assert not emulator.files()


async def test_quotes_and_line_breaks_are_escaped_as_browsers_do(client: Client) -> None:
    """A name cannot break out of its header."""
    uploaded = await client.upload(PURPOSE, 'a"b\r\nc.txt', Bytes(b"x"))
    await client.delete(uploaded.file_id, PURPOSE)
    assert uploaded.filename in ('a"b\r\nc.txt', "a%22b%0D%0Ac.txt")


async def test_a_name_that_is_no_text_is_refused_here(client: Client, emulator: Emulator) -> None:
    """A name that UTF-8 cannot hold is refused before a request is made."""
    with pytest.raises(NameRefused):
        await client.upload(PURPOSE, "a\udcff.txt", Bytes(b"x"))
    assert not emulator.requests


@pytest.mark.parametrize(
    ("status", "kind"), [("413 Payload Too Large", TooLarge), ("401 Unauthorized", AccessRefused)]
)
async def test_an_early_no_is_heard(status: str, kind: type[FsError]) -> None:
    """A store that answers before the body is over is understood, and has stored nothing."""
    sent: Counter[Operation] = Counter()
    async with scripted(lambda _: answer(status)) as server:
        endpoint = PRESETS["global"].at(server.origin)
        async with Client(endpoint, "sk-x", on_request=lambda op: sent.update([op]), rng=Random()) as client:
            with pytest.raises(kind) as caught:
                await client.upload(PURPOSE, "large.zip", Repeated(32 * MIB))
    assert not caught.value.sent
    assert sent == {Operation.upload: 1}


async def test_the_form_is_the_one_that_was_seen() -> None:
    """`purpose` and `file` go in one multipart body, whose boundary is the header's."""
    async with scripted(lambda _: answer("400 Bad Request", b"{}")) as server:
        endpoint = PRESETS["global"].at(server.origin)
        async with Client(endpoint, "sk-x", on_request=lambda _: None, rng=Random()) as client:
            with pytest.raises(FsError):
                await client.upload(PURPOSE, "a.txt", Bytes(b"x"))
    (head,) = server.heads
    assert head.startswith(b"POST /v1/files/upload HTTP/1.1\r\n")
    assert re.search(rb"content-type: multipart/form-data; boundary=minimaxfs-[0-9a-f]{32}\r", head.lower())
