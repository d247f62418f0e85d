"""Servers that say little: sizes and bytes from answers that the emulator is too decent to give."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
import trio

from block_contents import pattern
from minimaxfs.api.client import Client
from minimaxfs.api.content import Content
from minimaxfs.api.endpoint import PRESETS
from minimaxfs.core.files import RemoteFile
from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.disk.blocks import Blocks
from minimaxfs.vfs.downloads import Downloads
from minimaxfs.vfs.urls import SignedUrls
from scripted_server import answer, scripted

DATA = pattern(3 * BLOCK + 5)
REMOTE = RemoteFile(7, "video_generation", "output.mp4", 0, 5)

Storage = Callable[[int, int | None], bytes]
"""The range that is asked for → the whole answer, as it goes out."""


@asynccontextmanager
async def downloads_from(storage: Storage, directory: Path) -> AsyncIterator[Downloads]:
    """Downloads of one generated file from a storage that follows a script."""
    origin = ""

    def script(head: bytes) -> bytes:
        if head.startswith(b"GET /v1/files/retrieve?"):
            file = {"file_id": 7, "bytes": 0, "created_at": 5, "filename": "output.mp4"}
            file |= {"purpose": "video_generation", "download_url": f"{origin}/object"}
            return answer("200 OK", json.dumps({"file": file, "base_resp": {"status_code": 0}}).encode())
        found = re.search(rb"(?i)range: bytes=(\d+)-(\d*)", head)
        assert found is not None
        return storage(int(found[1]), int(found[2]) + 1 if found[2] else None)

    blocks = Blocks(directory, 64 * BLOCK)
    blocks.open()
    async with scripted(script) as server:
        origin = server.origin
        async with Client(
            PRESETS["global"].at(origin), "sk-x", on_request=lambda _: None, rng=Random()
        ) as client:
            content = Content(client, on_request=lambda _: None)
            async with trio.open_nursery() as nursery:
                downloads = Downloads(content, SignedUrls(client), blocks)
                downloads.start(nursery)
                yield downloads
                nursery.cancel_scope.cancel()
            await downloads.finish()
            await content.aclose()


def part_without_total(start: int, stop: int | None) -> bytes:
    """206, and nobody says how much there is in all."""
    body = DATA[start:stop]
    line = f"Content-Range: bytes {start}-{start + len(body) - 1}/*"
    return answer("206 Partial Content", body, line, kind="video/mp4")


def whole_without_length(_start: int, _stop: int | None) -> bytes:
    """200, and the body ends with the connection."""
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + DATA


def chunked(_start: int, _stop: int | None) -> bytes:
    """200, in chunks."""
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(DATA), DATA)


@pytest.mark.parametrize("storage", [part_without_total, whole_without_length, chunked])
async def test_a_length_that_nobody_says_is_counted(storage: Storage, tmp_path: Path) -> None:
    """The size is that of the bytes that come, and they are then read as any others."""
    async with downloads_from(storage, tmp_path / "blocks") as downloads:
        assert await downloads.true_size(REMOTE) == len(DATA)
        download = downloads.open(REMOTE, len(DATA))
        assert await downloads.read(download, Range(BLOCK - 3, len(DATA)), 0) == DATA[BLOCK - 3 :]
        downloads.close(download)


async def test_an_empty_object_that_cannot_be_ranged(tmp_path: Path) -> None:
    """416 with a total of 0 is an answer: the file is empty, and reading nothing of it works."""

    def empty(_start: int, _stop: int | None) -> bytes:
        return answer("416 Range Not Satisfiable", b"", "Content-Range: bytes */0")

    async with downloads_from(empty, tmp_path / "blocks") as downloads:
        assert await downloads.true_size(REMOTE) == 0
        download = downloads.open(REMOTE, 0)
        assert await downloads.read(download, Range(0, 0), 0) == b""
        downloads.close(download)
