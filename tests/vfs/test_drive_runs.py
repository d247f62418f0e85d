"""A directory that is read file by file: the next files are there before they are asked for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from trio.testing import wait_all_tasks_blocked

from kernelless_drive import BareHands, bare_hands
from minimaxfs.core.rules import Rules
from minimaxfs.core.runs import MOST_FILES
from minimaxfs.emulator.background import Emulator
from reading_side import until

TEXTS = "t2a_async_input"
QUIET = 0.05
"""Seconds in which a request that should not be made would have been."""


@pytest.fixture
async def hands(emulator: Emulator, tmp_path: Path) -> AsyncIterator[BareHands]:
    async with bare_hands(emulator, tmp_path / "state") as hands:
        yield hands


def fill(emulator: Emulator, count: int) -> None:
    """Files whose names are in another order than they came in."""
    for index in range(count):
        name = f"{index * 7 % count:03}.txt"
        emulator.add_file(TEXTS, name, name.encode())


async def ordered(hands: BareHands, order: str) -> list[str]:
    """The names of the directory, as listed or by name."""
    files = {name: await hands.file(f"{TEXTS}/{name}") for name in await hands.ls(TEXTS)}
    listed = sorted(files, key=lambda name: files[name].number)
    by_name = sorted(files)
    assert listed != by_name
    return listed if order == "listed" else by_name


async def cat(hands: BareHands, names: list[str]) -> None:
    for name in names:
        assert await hands.cat(f"{TEXTS}/{name}") == name.encode()


@pytest.mark.parametrize("order", ["listed", "named"])
async def test_after_three_files_the_next_ones_come(hands: BareHands, emulator: Emulator, order: str) -> None:
    """Each file is still asked for once; those that were fetched ahead cost nothing more."""
    fill(emulator, 20)
    names = await ordered(hands, order)
    await cat(hands, names[:2])
    await wait_all_tasks_blocked(QUIET)
    assert emulator.requests["download"] == 2
    await cat(hands, names[2:3])
    await until(lambda: emulator.requests["download"] == 20)
    await cat(hands, names)
    await wait_all_tasks_blocked(QUIET)
    assert (emulator.requests["retrieve"], emulator.requests["download"]) == (20, 20)
    assert emulator.bytes_sent == 20 * 7


@pytest.mark.parametrize("order", ["listed", "named"])
async def test_a_file_that_is_passed_over_stops_it(hands: BareHands, emulator: Emulator, order: str) -> None:
    """Who goes elsewhere gets what is asked for, until three in a row were read again."""
    fill(emulator, 100)
    names = await ordered(hands, order)
    await cat(hands, names[:3])
    await until(lambda: emulator.requests["download"] == 3 + MOST_FILES)
    await cat(hands, names[50:52])
    await wait_all_tasks_blocked(QUIET)
    assert emulator.requests["download"] == 5 + MOST_FILES
    await cat(hands, names[52:53])
    await until(lambda: emulator.requests["download"] == 6 + 2 * MOST_FILES)


async def test_files_in_no_order_are_left_alone(hands: BareHands, emulator: Emulator) -> None:
    """Reading here and there fetches what is read."""
    fill(emulator, 30)
    names = await ordered(hands, "named")
    await cat(hands, [names[at] for at in (20, 3, 27, 11, 0, 16)])
    await wait_all_tasks_blocked(QUIET)
    assert emulator.requests["download"] == emulator.requests["retrieve"] == 6


async def test_nothing_is_fetched_ahead_where_it_may_cost(emulator: Emulator, tmp_path: Path) -> None:
    """Where it is off, a reading is a retrieve, and no more."""
    fill(emulator, 20)
    async with bare_hands(emulator, tmp_path / "state", Rules(fetches_runs=False)) as hands:
        await cat(hands, (await ordered(hands, "named"))[:6])
        await wait_all_tasks_blocked(QUIET)
    assert emulator.requests["download"] == emulator.requests["retrieve"] == 6
