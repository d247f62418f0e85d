"""Files that come in one piece: those without a URL, and those of servers that ignore ranges."""

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from block_contents import pattern
from minimaxfs.core.errors import FsError
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.emulator.settings import Urls
from reading_side import HASTE, MIB, ReadingSide, stored

SIZE = 6 * MIB + 12345
DATA = pattern(SIZE)
DOWNLOAD = Operation.DOWNLOAD


@pytest.mark.parametrize("urls", [Urls.ABSENT, Urls.EMPTY])
@pytest.mark.parametrize(("ranges", "length"), [(True, True), (False, True), (False, False)])
async def test_files_without_a_url_come_by_their_id_in_one_request(
    side: ReadingSide, emulator: Emulator, urls: Urls, ranges: bool, length: bool
) -> None:
    """Asking by file_id may cost money each time: the file is streamed once, whatever the server can do."""
    emulator.change(
        replace(emulator.settings, uploaded_urls=urls, content_ranges=ranges, content_length=length)
    )
    async with side.reader(stored(emulator, DATA)) as reader:
        assert await reader.read_on(0, SIZE) == DATA
    assert emulator.requests["retrieve"] == 1
    assert emulator.requests["retrieve_content"] == 1
    assert emulator.bytes_sent == SIZE


async def test_reading_by_id_goes_on_at_the_byte(
    clock: MockClock, side: ReadingSide, emulator: Emulator
) -> None:
    """A stream by file_id that breaks is taken up again where it broke."""
    clock.rate = HASTE
    emulator.change(replace(emulator.settings, uploaded_urls=Urls.ABSENT))
    emulator.inject(Fault(Operation.RETRIEVE_CONTENT, Kind.CUT, 2 * MIB))
    async with side.reader(stored(emulator, DATA)) as reader:
        assert await reader.read_on(0, SIZE) == DATA
    assert emulator.requests["retrieve_content"] == 2
    assert emulator.bytes_sent == SIZE


async def test_a_server_that_ignores_ranges_is_streamed_once(side: ReadingSide, emulator: Emulator) -> None:
    """Eight readers at eight places share one stream of the whole file."""
    emulator.change(replace(emulator.settings, ranges=False))
    remote = stored(emulator, DATA)

    async def read_from(start: int) -> None:
        async with side.reader(remote) as reader:
            assert await reader.read_on(start, SIZE) == DATA[start:]

    async with side.reader(remote) as first:
        assert await first.read(3 * MIB, 1000) == DATA[3 * MIB :][:1000]
        async with trio.open_nursery() as nursery:
            for index in range(8):
                nursery.start_soon(read_from, index * 700_000)
    assert emulator.bytes_sent == SIZE
    assert emulator.requests["download"] == 1


async def test_a_stream_without_ranges_that_breaks_begins_anew(
    clock: MockClock, side: ReadingSide, emulator: Emulator
) -> None:
    """Without ranges there is no going on in the middle, but there are no wrong bytes either."""
    clock.rate = HASTE
    emulator.change(replace(emulator.settings, ranges=False))
    emulator.inject(Fault(DOWNLOAD, Kind.CUT, 2 * MIB + 5))
    async with side.reader(stored(emulator, DATA)) as reader:
        assert await reader.read_on(0, SIZE) == DATA
    assert emulator.requests["download"] == 2


@pytest.mark.parametrize("claimed", [SIZE + 1, SIZE + MIB])
async def test_a_body_without_a_length_that_ends_early_is_not_believed(
    clock: MockClock, side: ReadingSide, emulator: Emulator, claimed: int
) -> None:
    """Where nobody says how long it is, a short file may be a cut one: an error, not a shorter file."""
    clock.rate = HASTE
    emulator.change(
        replace(emulator.settings, uploaded_urls=Urls.ABSENT, content_ranges=False, content_length=False)
    )
    async with side.reader(stored(emulator, DATA), claimed) as reader:
        with pytest.raises(FsError):
            await reader.read(claimed - 10, 10)
    assert emulator.requests["retrieve_content"] <= 5
