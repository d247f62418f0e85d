"""Bytes out of the store: ranges, what is wrong with them, and where links lead."""

from collections import Counter
from dataclasses import replace

import pytest
import trio

from api_bodies import read
from commands import eventually
from minimaxfs.api.client import Client
from minimaxfs.api.content import Content, UrlEnded
from minimaxfs.api.endpoint import Operation
from minimaxfs.core.errors import AccessRefused, BrokenReply, NoSuchFile, Offline, RateLimited, ServerFailed
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation as Asked

DATA = bytes(range(256)) * 4096
NAME = "a b%2Fc ü's [1]~(2).mp4"


@pytest.fixture
async def url(client: Client, emulator: Emulator) -> str:
    retrieved = await client.retrieve(emulator.add_file("video_generation", NAME, DATA))
    assert retrieved.download_url is not None
    return retrieved.download_url


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (0, 100), (1000, 500_000), (len(DATA) - 7, len(DATA)), (9, None)]
)
async def test_a_range_brings_exactly_its_bytes(
    content: Content, url: str, start: int, stop: int | None
) -> None:
    """What comes is what was asked for, and the size of the whole file is known with it."""
    async with content.open(url, start, stop) as opened:
        assert (opened.start, opened.stop, opened.total) == (start, stop or len(DATA), len(DATA))
        assert not opened.whole
        got = b"".join([chunk async for chunk in opened.chunks()])
    assert got == DATA[start:stop]


async def test_a_range_past_the_end_brings_the_whole_file(content: Content, url: str) -> None:
    """The store does not clamp: the entire file comes from its first byte, and is said to."""
    async with content.open(url, 1000, len(DATA) + 1) as opened:
        assert (opened.start, opened.stop, opened.whole) == (0, len(DATA), True)
        assert b"".join([chunk async for chunk in opened.chunks()]) == DATA


async def test_a_server_that_ignores_ranges_is_noticed(
    content: Content, url: str, emulator: Emulator
) -> None:
    """200 for a range is the whole file."""
    emulator.change(replace(emulator.settings, ranges=False))
    assert await read(content.open(url, 5, 10)) == DATA


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Asked.DOWNLOAD, Kind.CUT, 1000),
        Fault(Asked.DOWNLOAD, Kind.WRONG_LENGTH, 1),
        Fault(Asked.DOWNLOAD, Kind.WRONG_LENGTH, -1),
        Fault(Asked.DOWNLOAD, Kind.WRONG_RANGE, 16),
        Fault(Asked.DOWNLOAD, Kind.RESET),
    ],
)
async def test_bytes_that_are_not_the_promised_ones_are_an_error(
    content: Content, url: str, emulator: Emulator, fault: Fault
) -> None:
    """Short, long, shifted and broken bodies end in an error, never in wrong bytes."""
    emulator.inject(fault)
    with pytest.raises(BrokenReply):
        await read(content.open(url, 0, 100_000))
    assert emulator.requests[Asked.DOWNLOAD] == 1


async def test_bytes_before_a_cut_are_good(content: Content, url: str, emulator: Emulator) -> None:
    """What came before a connection broke is handed out, so that a reader can go on from there."""
    emulator.inject(Fault(Asked.DOWNLOAD, Kind.CUT, 100_000))
    got = bytearray()

    async def collect() -> None:
        async with content.open(url, 0, 500_000) as opened:
            async for chunk in opened.chunks():
                got.extend(chunk)

    with pytest.raises(BrokenReply):
        await collect()
    assert 0 < len(got) <= 100_000
    assert got == DATA[: len(got)]


async def test_a_url_that_has_ended_says_so(content: Content, url: str, emulator: Emulator) -> None:
    """403 is an error of its own, for which a new URL is the remedy."""
    emulator.expire_urls()
    with pytest.raises(UrlEnded) as caught:
        await read(content.open(url, 0, 10))
    assert isinstance(caught.value, AccessRefused)
    assert "Signature" not in str(caught.value)


async def test_a_file_deleted_since_is_no_file(content: Content, url: str, emulator: Emulator) -> None:
    """404 of a good URL means that the file is gone."""
    emulator.remove_file(emulator.files()[0].file_id)
    with pytest.raises(NoSuchFile):
        await read(content.open(url, 0, 10))


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (503, ServerFailed), (400, BrokenReply)])
async def test_a_storage_in_trouble_has_its_errors(
    content: Content, url: str, emulator: Emulator, status: int, kind: type[Exception]
) -> None:
    """Nothing is tried again here: the reader decides, with the error's own advice."""
    emulator.inject(Fault(Asked.DOWNLOAD, Kind.STATUS, status))
    with pytest.raises(kind):
        await read(content.open(url, 0, 10))
    assert emulator.requests[Asked.DOWNLOAD] == 1


async def test_the_path_goes_out_byte_for_byte(content: Content, url: str, emulator: Emulator) -> None:
    """A signature covers the path: it is sent as it came, escapes and all."""
    await read(content.open(url, 0, 10))
    target = next(seen.target for seen in emulator.log if seen.operation is Asked.DOWNLOAD)
    assert emulator.storage_origin + target == url


async def test_a_redirect_is_followed_without_the_key(
    content: Content, url: str, emulator: Emulator, sent: Counter[Operation]
) -> None:
    """A hop to another host brings the same bytes, and is counted as the request that it is."""
    emulator.change(replace(emulator.settings, redirects=True))
    assert await read(content.open(url, 5, 25)) == DATA[5:25]
    assert sent[Operation.download] == 2


async def test_the_size_is_learnt_from_one_byte(content: Content, url: str, emulator: Emulator) -> None:
    """A probe costs one request and one byte."""
    assert await content.probe(url) == len(DATA)
    assert eventually(lambda: emulator.bytes_sent == 1)


async def test_the_size_is_learnt_without_the_bytes(content: Content, url: str, emulator: Emulator) -> None:
    """A server that ignores ranges tells the length, and is not read."""
    emulator.change(replace(emulator.settings, ranges=False))
    assert await content.probe(url) == len(DATA)


async def test_the_size_may_stay_unknown(content: Content, emulator: Emulator) -> None:
    """A whole file in chunks without a length has no size before its end."""
    emulator.change(replace(emulator.settings, content_ranges=False, content_length=False))
    file_id = emulator.add_file("t2a_async", "a.tar", DATA)
    assert await content.probe_by_id(file_id) is None
    assert await read(content.open_by_id(file_id, 0)) == DATA


async def test_an_empty_file_is_empty(client: Client, content: Content, emulator: Emulator) -> None:
    """Nothing, in no bytes, is not an error."""
    url = (await client.retrieve(emulator.add_file("t2a_async_input", "a.txt", b""))).download_url
    assert url is not None
    assert await content.probe(url) == 0
    assert await read(content.open(url, 0)) == b""


async def test_text_comes_as_it_is(client: Client, content: Content, emulator: Emulator) -> None:
    """The store compresses text for who does not forbid it: we do."""
    url = (await client.retrieve(emulator.add_file("t2a_async_input", "a.txt", DATA))).download_url
    assert url is not None
    async with content.open(url, 0) as opened:
        assert opened.total == len(DATA)


async def test_content_by_id_takes_ranges(content: Content, emulator: Emulator) -> None:
    """`retrieve_content` is read like a URL, where it honours ranges."""
    file_id = emulator.add_file("voice_clone", "a.wav", DATA)
    assert await read(content.open_by_id(file_id, 7, 77)) == DATA[7:77]
    assert await content.probe_by_id(file_id) == len(DATA)


async def test_a_refusal_in_place_of_bytes_is_an_error(content: Content, emulator: Emulator) -> None:
    """JSON where bytes should be is read as the refusal that it is."""
    file_id = emulator.add_file("voice_clone", "a.wav", DATA)
    emulator.inject(Fault(Asked.RETRIEVE_CONTENT, Kind.CODE, 1002))
    with pytest.raises(RateLimited):
        await read(content.open_by_id(file_id, 0))


async def test_a_reader_may_leave_early(content: Content, url: str) -> None:
    """Leaving in the middle leaves nothing behind, and the next read works."""
    for _ in range(3):
        async with content.open(url, 0) as opened:
            async for _ in opened.chunks():
                break
    with trio.move_on_after(0.05):
        async with content.open(url, 0) as opened:
            async for _ in opened.chunks():
                await trio.sleep_forever()
    assert await read(content.open(url, 0, 4)) == DATA[:4]


async def test_many_ranges_at_once_share_connections(content: Content, url: str) -> None:
    """Parallel ranges of one file each bring their own bytes."""
    got: dict[int, bytes] = {}

    async def one(start: int) -> None:
        got[start] = await read(content.open(url, start, start + 1000))

    async with trio.open_nursery() as nursery:
        for start in range(0, 100_000, 1000):
            nursery.start_soon(one, start)
    assert b"".join(got[start] for start in sorted(got)) == DATA[:100_000]


async def test_a_storage_that_is_away_is_offline(content: Content, url: str, emulator: Emulator) -> None:
    """No connection is told at once."""
    with emulator.offline(), trio.fail_after(1), pytest.raises(Offline):
        await read(content.open(url, 0, 10))
