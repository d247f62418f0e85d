"""Whatever a server does, a read ends in the right bytes or in an error within its limits, and heals."""

from contextlib import suppress
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from block_contents import pattern
from minimaxfs.core.errors import FsError, NoSuchFile, Offline, ServerFailed
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from minimaxfs.vfs.fetching import PATIENCE, WrongSize
from reading_side import HASTE, MIB, ReadingSide, stored

SIZE = 6 * MIB + 12345
DATA = pattern(SIZE)
DOWNLOAD = Operation.DOWNLOAD

# Those of 100,000 bytes bring blocks each time: such a fetch goes on as long as its reader does.
FAULTS = [
    Fault(DOWNLOAD, Kind.CUT, 100_000),
    Fault(DOWNLOAD, Kind.CUT, 0),
    Fault(DOWNLOAD, Kind.RESET),
    Fault(DOWNLOAD, Kind.STALL),
    Fault(DOWNLOAD, Kind.STALL, 100_000),
    Fault(DOWNLOAD, Kind.WRONG_LENGTH, 1),
    Fault(DOWNLOAD, Kind.WRONG_LENGTH, -1),
    Fault(DOWNLOAD, Kind.WRONG_RANGE, 16),
    Fault(DOWNLOAD, Kind.WHOLE),
    Fault(DOWNLOAD, Kind.STATUS, 403, text="<Error><Code>AccessDenied</Code></Error>"),
    Fault(DOWNLOAD, Kind.STATUS, 429),
    Fault(DOWNLOAD, Kind.STATUS, 500),
    Fault(DOWNLOAD, Kind.STATUS, 503, retry_after=1),
    Fault(DOWNLOAD, Kind.GARBAGE),
    Fault(DOWNLOAD, Kind.DELAY, 0.1),
    Fault(Operation.RETRIEVE, Kind.STATUS, 502),
    Fault(Operation.RETRIEVE, Kind.RESET),
    Fault(Operation.RETRIEVE, Kind.CODE, 1000),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_fault_that_passes_is_read_through(
    clock: MockClock, side: ReadingSide, emulator: Emulator, fault: Fault
) -> None:
    """One bad answer costs time, never a wrong byte and never the read."""
    clock.rate = HASTE
    emulator.inject(fault)
    async with side.reader(stored(emulator, DATA)) as reader:
        assert await reader.read_on(0, SIZE) == DATA


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.value != 100_000], ids=str)
async def test_a_fault_that_stays_ends_within_the_limits(
    clock: MockClock, side: ReadingSide, emulator: Emulator, fault: Fault
) -> None:
    """A server that never gets well is an error before the kernel's deadline; later, reading works again."""
    clock.rate = HASTE
    emulator.inject(replace(fault, times=None))
    async with side.reader(stored(emulator, DATA)) as reader:
        with trio.fail_after(PATIENCE + 15), suppress(FsError):
            assert await reader.read(0, MIB) == DATA[:MIB]
        emulator.clear_faults()
        assert await reader.read_on(0, SIZE) == DATA


async def test_a_cut_answer_goes_on_at_its_byte(side: ReadingSide, emulator: Emulator) -> None:
    """What came before a connection broke is not asked for again."""
    emulator.inject(Fault(DOWNLOAD, Kind.CUT, 3 * MIB + 7))
    async with side.reader(stored(emulator, DATA[: 4 * MIB])) as reader:
        assert await reader.read(0, 4 * MIB) == DATA[: 4 * MIB]
    assert emulator.bytes_sent == 4 * MIB
    ranges = [seen.headers["range"] for seen in emulator.log if seen.operation is DOWNLOAD]
    assert ranges == ["bytes=0-4194303", f"bytes={3 * MIB + 7}-4194303"]


async def test_a_url_that_ends_in_the_middle_is_renewed_once(side: ReadingSide, emulator: Emulator) -> None:
    """A 403 costs one retrieve, also for several fetches at once, and reading goes on at the byte."""
    emulator.inject(Fault(DOWNLOAD, Kind.CUT, 3 * MIB + 7), Fault(DOWNLOAD, Kind.STATUS, 403, after=1))
    async with side.reader(stored(emulator, DATA[: 4 * MIB])) as reader:
        assert await reader.read(0, 4 * MIB) == DATA[: 4 * MIB]
    assert emulator.requests["retrieve"] == 2
    assert emulator.bytes_sent < 4 * MIB + 1000


async def test_urls_that_were_revoked_are_renewed_once_for_all_readers(
    side: ReadingSide, emulator: Emulator
) -> None:
    """Eight readers with an ended URL share one new one."""
    remote = stored(emulator, DATA)
    async with side.reader(remote) as reader:
        await reader.read(0, 1000)
        emulator.expire_urls()

        async def read_on() -> None:
            async with side.reader(remote) as other:
                assert await other.read_on(0, SIZE) == DATA

        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(read_on)
    assert emulator.requests["retrieve"] == 2


async def test_a_url_that_never_works_is_passed_by(side: ReadingSide, emulator: Emulator) -> None:
    """A store that refuses its own links is not paid for more of them: the bytes come by file_id."""
    emulator.inject(Fault(DOWNLOAD, Kind.STATUS, 403, times=None))
    async with side.reader(stored(emulator, DATA)) as reader:
        assert await reader.read(0, 1000) == DATA[:1000]
    assert emulator.requests["retrieve"] == 1


async def test_redirects_to_another_host_are_followed(side: ReadingSide, emulator: Emulator) -> None:
    """The bytes may lie with a CDN, and may have moved there between two retrieves."""
    async with side.reader(stored(emulator, DATA)) as reader:
        assert await reader.read(0, MIB) == DATA[:MIB]
        emulator.change(replace(emulator.settings, redirects=True))
        emulator.expire_urls()
        assert await reader.read_on(0, SIZE) == DATA


@pytest.mark.parametrize("claimed", [SIZE - 1, SIZE + 1, 10, 3 * SIZE])
@pytest.mark.parametrize("place", [0, -1])
async def test_another_size_than_was_believed_is_said(
    side: ReadingSide, emulator: Emulator, claimed: int, place: int
) -> None:
    """The server's word on the size beats the listing's, and with it the file can be read."""
    remote = stored(emulator, DATA)
    async with side.reader(remote, claimed) as reader:
        with pytest.raises(WrongSize) as wrong:
            await reader.read(place % claimed, 1)
        assert wrong.value.total == SIZE
        async with side.reader(remote, SIZE) as right:
            assert await right.read_on(0, SIZE) == DATA


async def test_a_file_that_is_gone_is_said(side: ReadingSide, emulator: Emulator) -> None:
    """What was deleted elsewhere while it was being read is no such file."""
    remote = stored(emulator, DATA)
    async with side.reader(remote) as reader:
        await reader.read(0, 1000)
        emulator.remove_file(remote.file_id)
        with pytest.raises(NoSuchFile):
            await reader.read(5 * MIB, 1000)


async def test_offline_is_said_at_once_and_heals(side: ReadingSide, emulator: Emulator) -> None:
    """Without a network what is on disk is read, the rest is an error within a second, and later it works."""
    async with side.reader(stored(emulator, DATA)) as reader:
        assert await reader.read(0, 1000) == DATA[:1000]
        with emulator.offline():
            assert await reader.read(0, 1000) == DATA[:1000]
            with trio.fail_after(3), pytest.raises((Offline, FsError)):
                await reader.read(5 * MIB, 1000)
        assert await reader.read_on(0, SIZE) == DATA


async def test_a_failed_fetch_ahead_is_not_begun_again_by_every_hit(
    clock: MockClock, side: ReadingSide, emulator: Emulator
) -> None:
    """While the server fails, reading what is on disk does not ask it for more."""
    clock.rate = HASTE
    async with side.reader(stored(emulator, DATA)) as reader:
        await reader.read_on(0, MIB)
        emulator.inject(Fault(DOWNLOAD, Kind.STATUS, 500, times=None))
        with pytest.raises(ServerFailed):
            await reader.read(5 * MIB, 1000)
        before = emulator.requests["download"]
        for _ in range(20):
            await reader.read_on(0, MIB)
        await trio.sleep(10)
        assert emulator.requests["download"] <= before + 8
