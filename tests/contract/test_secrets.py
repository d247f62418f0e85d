"""Where the key and the signatures may be seen: in the requests they belong to, and nowhere else."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from api_bodies import read
from minimaxfs.api.client import Client
from minimaxfs.api.content import Content
from minimaxfs.api.endpoint import PRESETS
from minimaxfs.core.errors import BrokenReply, ConfigError, FsError
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.messages import Operation as Asked
from scripted_server import Script, ScriptedServer, answer, scripted

SECRET = "sk-secret-0f1e2d"


@asynccontextmanager
async def talking_to(script: Script) -> AsyncIterator[tuple[ScriptedServer, Client, Content]]:
    async with scripted(script) as server:
        endpoint = PRESETS["global"].at(server.origin)
        async with Client(endpoint, SECRET, on_request=lambda _: None, rng=Random()) as client:
            content = Content(client, on_request=lambda _: None)
            yield server, client, content
            await content.aclose()


async def test_the_storage_never_sees_the_key(client: Client, content: Content, emulator: Emulator) -> None:
    """The key goes to the API in a header, and to a signed URL's host not at all."""
    file_id = emulator.add_file("video_generation", "a.mp4", b"x" * 100)
    url = (await client.retrieve(file_id)).download_url
    assert url is not None
    await read(content.open(url, 0, 10))
    assert {seen.operation for seen in emulator.log if "authorization" in seen.headers} == {Asked.RETRIEVE}
    assert all("sk-contract" not in seen.target for seen in emulator.log)


async def test_a_redirect_of_the_api_is_not_followed() -> None:
    """Whoever can redirect the API does not get the key."""

    def script(_: bytes) -> bytes:
        return answer("302 Found", b"", "Location: /elsewhere", "Retry-After: 99")

    async with talking_to(script) as (server, client, _):
        with pytest.raises(BrokenReply):
            await client.list_files("voice_clone")
    assert len(server.heads) == 1


async def test_content_may_redirect_to_a_link() -> None:
    """`retrieve_content` may send us to storage, where we come without the key."""

    def script(head: bytes) -> bytes:
        if b"retrieve_content" in head:
            return answer("302 Found", b"", "Location: /stored%2Fhere/../x?Signature=s")
        return answer("200 OK", b"bytes", kind="video/mp4")

    async with talking_to(script) as (server, _, content):
        assert await read(content.open_by_id(7, 0)) == b"bytes"
    first, second = server.heads
    assert SECRET.encode() in first
    assert SECRET.encode() not in second


async def test_odd_paths_are_sent_as_they_are() -> None:
    """Dot segments, lower-case escapes, quotes and brackets reach the store unchanged."""
    target = "/a%2fb//./c/../%7Ed[1]|'{x}^`\"%zz%/e;f?Signature=a%2Bb+c/&x=%20%c3"
    async with talking_to(lambda _: answer("200 OK", b"ok", kind="video/mp4")) as (server, _, content):
        assert await read(content.open(f"{server.origin}{target}#part", 0)) == b"ok"
    assert server.heads[0].startswith(b"GET " + target.encode() + b" HTTP/1.1\r\n")


async def test_a_reply_that_repeats_the_key_is_scrubbed() -> None:
    """A store that quotes the key in its refusal does not get it into our log."""
    body = f'{{"base_resp": {{"status_code": 1004, "status_msg": "bad key {SECRET}"}}}}'.encode()
    async with talking_to(lambda _: answer("200 OK", body)) as (_, client, _):
        with pytest.raises(FsError) as caught:
            await client.list_files("voice_clone")
    assert SECRET not in str(caught.value)
    assert "bad key (key)" in str(caught.value)


async def test_no_log_line_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Also with all libraries at their most talkative, neither key nor signature is logged in a request."""
    caplog.set_level(logging.DEBUG)
    async with talking_to(lambda _: answer("403 Forbidden", b"<Error/>", kind="application/xml")) as talk:
        server, client, content = talk
        with pytest.raises(FsError) as by_url:
            await read(content.open(f"{server.origin}/a?Signature=tell-tale", 0))
        with pytest.raises(FsError) as by_key:
            await client.list_files("voice_clone")
    shown = caplog.text + str(by_url.value) + str(by_key.value) + repr(by_url.value) + repr(client)
    assert "HTTP" in caplog.text
    assert "tell-tale" not in shown
    assert SECRET not in shown


@pytest.mark.parametrize("key", ["", "  ", "sk two", "sk\r\nX-Evil: 1", "schlüssel"])
def test_a_key_that_no_header_holds_is_refused_unseen(key: str) -> None:
    """A key with spaces, breaks or letters beyond ASCII is a fault of the configuration."""
    with pytest.raises(ConfigError) as caught:
        Client(PRESETS["global"], key, on_request=lambda _: None, rng=Random())
    assert not key.strip() or key.strip() not in str(caught.value)


@pytest.mark.parametrize("coding", ["gzip", "br"])
async def test_encoded_bytes_are_not_taken_for_the_files(coding: str) -> None:
    """A body that comes compressed though that was ruled out is no file."""
    script = answer("200 OK", b"\x1f\x8b", f"Content-Encoding: {coding}", kind="text/plain")
    async with talking_to(lambda _: script) as (server, _, content):
        with pytest.raises(BrokenReply):
            await read(content.open(f"{server.origin}/a", 0))


async def test_a_redirect_may_not_lead_inward() -> None:
    """Links of a store out in the world do not reach into this machine's network."""
    script = answer("302 Found", b"", "Location: http://127.0.0.1:1/x")
    async with (
        scripted(lambda _: script) as server,
        Client(PRESETS["global"], SECRET, on_request=lambda _: None, rng=Random()) as client,
    ):
        content = Content(client, on_request=lambda _: None)
        with pytest.raises(BrokenReply, match="not public"):
            await read(content.open(f"{server.origin}/a", 0))
        await content.aclose()


async def test_a_loop_of_redirects_ends() -> None:
    """After three hops a link is given up."""
    async with talking_to(lambda _: answer("302 Found", b"", "Location: /again")) as (server, _, content):
        with pytest.raises(BrokenReply, match="redirects"):
            await read(content.open(f"{server.origin}/a", 0))
    assert len(server.heads) == 4
