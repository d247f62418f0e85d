"""Signed URLs: asked for once in their life, since each asking may cost money."""

from dataclasses import replace

import pytest
import trio

from minimaxfs.core.errors import NoSuchFile
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.emulator.settings import Urls
from minimaxfs.vfs.urls import NO_URL_LIFE, SignedUrls
from reading_side import ReadingSide, stored


class WallClock:
    """The time of day, moved by hand."""

    def __init__(self, start: float) -> None:
        self.now = start

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def wall(side: ReadingSide, emulator: Emulator) -> WallClock:
    """The store's own time, by which its URLs end."""
    answer = await side.client.retrieve(stored(emulator, b"x").file_id)
    assert answer.download_url is not None
    emulator.clear_counts()
    expires = int(answer.download_url.partition("Expires=")[2].partition("&")[0])
    return WallClock(expires - emulator.settings.url_life)


async def test_one_url_for_many_askers(side: ReadingSide, emulator: Emulator) -> None:
    """Ten who ask at once cost one retrieve, and so do ten one after the other."""
    remote = stored(emulator, b"x")
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(side.urls.address, remote.file_id)
    for _ in range(10):
        await side.urls.address(remote.file_id)
    assert emulator.requests["retrieve"] == 1


async def test_a_url_is_renewed_at_four_fifths_of_its_life(
    side: ReadingSide, emulator: Emulator, wall: WallClock
) -> None:
    """Before it ends, and not long before: a URL of an hour is asked for again after 48 minutes."""
    urls, remote = SignedUrls(side.client, wall), stored(emulator, b"x")
    first = await urls.address(remote.file_id)
    wall.now += 2875
    assert await urls.address(remote.file_id) is first
    wall.now += 10
    assert await urls.address(remote.file_id) is not first
    assert emulator.requests["retrieve"] == 2


async def test_an_ended_url_is_forgotten_and_a_newer_one_is_not(
    side: ReadingSide, emulator: Emulator
) -> None:
    """Of several who saw the same URL end, only the first causes a retrieve."""
    remote = stored(emulator, b"x")
    old = await side.urls.address(remote.file_id)
    old.has_worked = True
    side.urls.ended(remote.file_id, old)
    new = await side.urls.address(remote.file_id)
    side.urls.ended(remote.file_id, old)
    assert await side.urls.address(remote.file_id) is new
    assert emulator.requests["retrieve"] == 2


@pytest.mark.parametrize("absent", [Urls.ABSENT, Urls.EMPTY])
async def test_no_url_is_an_answer_for_a_while(
    side: ReadingSide, emulator: Emulator, wall: WallClock, absent: Urls
) -> None:
    """A file without a URL is not asked about again for a minute; it may get one later."""
    urls, remote = SignedUrls(side.client, wall), stored(emulator, b"xyz")
    emulator.change(replace(emulator.settings, uploaded_urls=absent))
    address = await urls.address(remote.file_id)
    assert (address.signed, address.size) == (None, 3)
    wall.now += NO_URL_LIFE - 1
    assert await urls.address(remote.file_id) is address
    wall.now += 2
    emulator.change(replace(emulator.settings, uploaded_urls=Urls.SIGNED))
    assert (await urls.address(remote.file_id)).signed is not None
    assert emulator.requests["retrieve"] == 2


async def test_a_failure_is_not_remembered(side: ReadingSide, emulator: Emulator) -> None:
    """A retrieve that failed is tried again by the next one who asks."""
    remote = stored(emulator, b"x")
    emulator.inject(Fault(Operation.RETRIEVE, Kind.CODE, 2013, text="invalid params, file not exist"))
    with pytest.raises(NoSuchFile):
        await side.urls.address(remote.file_id)
    assert (await side.urls.address(remote.file_id)).signed is not None
