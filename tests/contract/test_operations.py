"""The five operations, as any store of this API must carry them out: the emulator, or --live the service."""

from random import Random

import pytest

from api_bodies import Bytes, read
from minimaxfs.api.client import Client
from minimaxfs.api.content import Content
from minimaxfs.core.errors import AccessRefused, ContentRefused, NoSuchFile, NotPermitted

PURPOSE = "t2a_async_input"
TEXT = "Es war einmal. 从前。\n".encode() * 100
UNKNOWN_ID = 999_999_999_999_999


async def test_a_file_goes_in_and_comes_out_and_goes_away(client: Client, content: Content) -> None:
    """What is uploaded is listed, can be read by both ways, and is gone after a delete."""
    uploaded = await client.upload(PURPOSE, "a tale.txt", Bytes(TEXT))
    try:
        assert (uploaded.purpose, uploaded.filename, uploaded.size) == (PURPOSE, "a tale.txt", len(TEXT))
        assert uploaded.file_id in {file.file_id for file in await client.list_files(PURPOSE)}
        retrieved = await client.retrieve(uploaded.file_id)
        assert retrieved.file == uploaded
        assert await read(content.open_by_id(uploaded.file_id, 0)) == TEXT
        if retrieved.download_url is not None:
            assert await content.probe(retrieved.download_url) == len(TEXT)
            assert await read(content.open(retrieved.download_url, 0)) == TEXT
            assert await read(content.open(retrieved.download_url, 5, 25)) == TEXT[5:25]
    finally:
        await client.delete(uploaded.file_id, PURPOSE)
    assert uploaded.file_id not in {file.file_id for file in await client.list_files(PURPOSE)}


@pytest.mark.parametrize("name", ["it's.txt", "a 'b' & c=d;e.txt", "旅行 ☃.txt", "%41+%.txt", "a\\b.txt"])
async def test_an_odd_name_comes_back_as_it_was(client: Client, name: str) -> None:
    """A filename of any characters but quotes and line breaks survives an upload."""
    uploaded = await client.upload(PURPOSE, name, Bytes(TEXT))
    await client.delete(uploaded.file_id, PURPOSE)
    assert uploaded.filename == name


async def test_an_unknown_id_is_no_file(client: Client, content: Content) -> None:
    """An id that was never given is "no such file" for a retrieve and for its content."""
    with pytest.raises(NoSuchFile):
        await client.retrieve(UNKNOWN_ID)
    with pytest.raises(NoSuchFile):
        await read(content.open_by_id(UNKNOWN_ID, 0))


async def test_a_delete_of_an_unknown_id_leaves_the_reason_open(client: Client) -> None:
    """The store does not tell "gone" from "may not be deleted"; neither is a success."""
    with pytest.raises((NotPermitted, NoSuchFile)):
        await client.delete(UNKNOWN_ID, PURPOSE)


async def test_a_type_that_the_purpose_does_not_take_is_refused(client: Client) -> None:
    """A wrong extension is refused content, which is not tried again."""
    with pytest.raises(ContentRefused) as caught:
        await client.upload("voice_clone", "a.exe", Bytes(TEXT))
    assert not caught.value.sent


async def test_a_wrong_key_is_refused_and_not_shown(client: Client) -> None:
    """A key that the host does not know is an access error whose text does not hold it."""
    wrong = "sk-not-a-key-of-anybody"
    async with Client(client.endpoint, wrong, on_request=lambda _: None, rng=Random()) as stranger:
        assert wrong not in repr(stranger)
        with pytest.raises(AccessRefused) as caught:
            await stranger.list_files(PURPOSE)
    assert wrong not in str(caught.value)
