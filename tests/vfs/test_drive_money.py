"""What a person does with a drive, and what it costs: requests are money."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from block_contents import pattern
from kernelless_drive import MIB, BareHands, bare_hands
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.settings import Unlisted

TEXTS, VIDEOS = "t2a_async_input", "video_generation"
DATA = pattern(9 * MIB + 5)


@pytest.fixture
async def hands(emulator: Emulator, tmp_path: Path) -> AsyncIterator[BareHands]:
    async with bare_hands(emulator, tmp_path / "state") as hands:
        yield hands


async def test_mounting_and_looking_at_the_top_cost_nothing(hands: BareHands, emulator: Emulator) -> None:
    """Purposes are configuration: nobody is asked for them."""
    assert TEXTS in await hands.drive.names.listed(1)
    await trio.sleep(0.05)
    assert emulator.requests.total() == 0


async def test_ls_and_stat_of_ten_thousand_files_cost_one_request(
    hands: BareHands, emulator: Emulator
) -> None:
    """A cold `ls -l` is one list, and what it shows costs no more."""
    for index in range(10_000):
        emulator.add_file(TEXTS, f"{index}.txt", b"x")
    assert len(await hands.ls(TEXTS)) == 10_000
    for index in range(0, 10_000, 500):
        assert await hands.stat_size(f"{TEXTS}/{index}.txt") == 1
    assert emulator.requests == {"list": 1}


async def test_reading_costs_one_retrieve_and_then_nothing(hands: BareHands, emulator: Emulator) -> None:
    """A file of any size is one retrieve; a second reading is none."""
    emulator.add_file(TEXTS, "a.txt", DATA)
    assert await hands.cat(f"{TEXTS}/a.txt") == DATA
    assert await hands.cat(f"{TEXTS}/a.txt") == DATA
    assert (emulator.requests["list"], emulator.requests["retrieve"]) == (1, 1)
    assert emulator.bytes_sent == len(DATA)


async def test_a_cached_file_costs_nothing_in_the_next_mount(emulator: Emulator, tmp_path: Path) -> None:
    """What was read is there after a remount, for one listing of its directory."""
    emulator.add_file(TEXTS, "a.txt", DATA)
    async with bare_hands(emulator, tmp_path / "state") as hands:
        await hands.cat(f"{TEXTS}/a.txt")
    emulator.clear_counts()
    async with bare_hands(emulator, tmp_path / "state") as hands:
        assert await hands.cat(f"{TEXTS}/a.txt") == DATA
    assert emulator.requests == {"list": 1}


async def test_copying_in_costs_one_upload_and_reading_it_back_nothing(
    hands: BareHands, emulator: Emulator
) -> None:
    """`cp` in, `ls`, `cat`: one upload and one list."""
    await hands.put(f"{TEXTS}/a.txt", DATA)
    assert await hands.ls(TEXTS) == ["a.txt"]
    assert await hands.cat(f"{TEXTS}/a.txt") == DATA
    assert emulator.requests["upload"] == 1
    assert emulator.requests["list"] <= 1
    assert emulator.requests["retrieve"] + emulator.requests["download"] == 0


async def test_deleting_costs_one_delete(hands: BareHands, emulator: Emulator) -> None:
    """`rm` is one delete, and the name stays away."""
    emulator.add_file(TEXTS, "a.txt", b"x")
    await hands.ls(TEXTS)
    await hands.rm(f"{TEXTS}/a.txt")
    assert await hands.ls(TEXTS) == []
    assert emulator.requests == {"list": 1, "delete": 1}
    assert emulator.files(TEXTS) == []


async def test_renaming_costs_nothing_and_lasts(emulator: Emulator, tmp_path: Path) -> None:
    """`mv` in a directory is an alias of this machine, kept over remounts."""
    emulator.add_file(TEXTS, "a.txt", b"x")
    async with bare_hands(emulator, tmp_path / "state") as hands:
        await hands.ls(TEXTS)
        await hands.mv(f"{TEXTS}/a.txt", "b.txt")
        assert await hands.ls(TEXTS) == ["b.txt"]
        assert emulator.requests == {"list": 1}
    async with bare_hands(emulator, tmp_path / "state") as hands:
        assert await hands.ls(TEXTS) == ["b.txt"]
        assert await hands.xattr(f"{TEXTS}/b.txt", "filename") == "a.txt"


async def test_overwriting_costs_an_upload_and_a_delete(hands: BareHands, emulator: Emulator) -> None:
    """The new bytes are stored before the old ones are deleted, and nothing is fetched."""
    old = emulator.add_file(TEXTS, "a.txt", b"old")
    await hands.ls(TEXTS)
    await hands.overwrite(f"{TEXTS}/a.txt", b"new bytes")
    assert emulator.requests == {"list": 1, "upload": 1, "delete": 1}
    order = [seen.operation.value for seen in emulator.log]
    assert order.index("upload") < order.index("delete")
    (file,) = emulator.files(TEXTS)
    assert file.file_id != old
    assert emulator.content(file.file_id) == b"new bytes"
    assert await hands.cat(f"{TEXTS}/a.txt") == b"new bytes"


async def test_sizes_of_generated_files_cost_once(emulator: Emulator, tmp_path: Path) -> None:
    """The first `stat` of a generated file probes it, and no other one ever does."""
    emulator.change(replace(emulator.settings, unlisted=Unlisted.LISTED))
    emulator.add_file(VIDEOS, "output.mp4", DATA)
    for _ in range(2):
        async with bare_hands(emulator, tmp_path / "state") as hands:
            assert await hands.stat_size(f"{VIDEOS}/output.mp4") == len(DATA)
    assert emulator.requests["retrieve"] == 1
    assert emulator.requests["download"] == 1


async def test_a_day_of_idling_costs_nothing(clock: MockClock, hands: BareHands, emulator: Emulator) -> None:
    """Nothing is polled, and nothing is renewed that nobody uses."""
    emulator.add_file(TEXTS, "a.txt", b"x")
    await hands.cat(f"{TEXTS}/a.txt")
    emulator.clear_counts()
    for _ in range(24):
        clock.jump(3600)
        await trio.sleep(0.01)
    assert emulator.requests.total() == 0
