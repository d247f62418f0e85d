import trio
from trio.testing import MockClock

from minimaxfs.ending import Ending
from upload_desk import FAILED, OPEN, WAITING, UploadDesk, upload


async def seconds_of(ending: Ending, clock: MockClock) -> float:
    """How long the end of a drive takes."""
    before = clock.current_time()
    await ending.finish()
    return clock.current_time() - before


async def test_a_drive_with_nothing_to_do_ends_at_once(autojump_clock: MockClock) -> None:
    """Nothing is sent and nothing is open: there is nothing to wait for."""
    assert await seconds_of(Ending(UploadDesk(), lambda: False, 30.0), autojump_clock) == 0


async def test_an_upload_under_way_gets_its_time(autojump_clock: MockClock) -> None:
    """It ends when it ends, and its program gets the answer."""
    desk = UploadDesk([upload()])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_store_after, desk, 10.0)
        assert 10.0 <= await seconds_of(Ending(desk, lambda: False, 30.0), autojump_clock) <= 10.5


async def test_an_upload_that_takes_too_long_is_left(autojump_clock: MockClock) -> None:
    """The time for all is limited, and what is left is known."""
    ending = Ending(UploadDesk([upload(), WAITING, FAILED, OPEN]), lambda: False, 30.0)
    assert 30.0 <= await seconds_of(ending, autojump_clock) <= 30.1
    assert [one.path for one in ending.left()] == [one.path for one in (upload(), WAITING, FAILED)]


async def test_an_upload_that_waits_is_hurried_once(autojump_clock: MockClock) -> None:
    """Its next try may be minutes away, and may well fail as the last one did."""
    desk = UploadDesk([WAITING, FAILED])
    assert await seconds_of(Ending(desk, lambda: False, 30.0), autojump_clock) == 0
    assert desk.hurried == 1


async def test_a_file_that_is_only_open_gets_two_seconds(autojump_clock: MockClock) -> None:
    """A shell that sits on a file for writing does not hold up the end of the machine."""
    assert 2.0 <= await seconds_of(Ending(UploadDesk([OPEN]), lambda: True, 30.0), autojump_clock) <= 2.1


async def test_no_time_is_no_time(autojump_clock: MockClock) -> None:
    """--drain 0 leaves everything to the next mount."""
    assert await seconds_of(Ending(UploadDesk([upload()]), lambda: True, 0.0), autojump_clock) == 0


async def test_uploads_that_had_their_time_get_no_more(autojump_clock: MockClock) -> None:
    """`minimaxfs unmount` has waited for them already, with its own limit."""
    ending = Ending(UploadDesk([upload()]), lambda: True, 30.0)
    with ending.excused():
        assert await seconds_of(ending, autojump_clock) == 0
        excused = ending.waits_for_writers
    assert (excused, ending.waits_for_writers) == (False, True)
    assert await seconds_of(ending, autojump_clock) >= 30.0


async def _store_after(desk: UploadDesk, seconds: float) -> None:
    await trio.sleep(seconds)
    desk.listed.clear()
