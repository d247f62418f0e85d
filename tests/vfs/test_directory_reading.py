"""Names as the kernel reads and forgets them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kernelless_drive import BareHands, bare_hands
from minimaxfs.core.errors import Stale
from minimaxfs.emulator.background import Emulator
from minimaxfs.vfs.names import DOTS

VOICES = "voice_clone"


@pytest.fixture
async def hands(emulator: Emulator, tmp_path: Path) -> AsyncIterator[BareHands]:
    for name in ("a.wav", "b.wav", "c.wav"):
        emulator.add_file(VOICES, name, name.encode())
    async with bare_hands(emulator, tmp_path / "state") as hands:
        yield hands


async def test_a_directory_is_read_from_where_the_kernel_left_off(hands: BareHands) -> None:
    """The dots lead to the directory itself, each name to its own inode, and a part can be read again."""
    number = await hands.number(VOICES)
    names = [*DOTS, *await hands.drive.names.listed(number)]
    numbers = {name: (await hands.file(f"{VOICES}/{name}")).number for name in names[2:]}
    shown = [(names[index], one.number) for index, one in hands.drive.names.entries(number, names, 0)]
    assert shown == [(".", number), ("..", number), *numbers.items()]
    later = [(names[index], one.number) for index, one in hands.drive.names.entries(number, names, 3)]
    assert later == shown[3:]


async def test_what_is_taken_away_while_a_directory_is_read_is_left_out(hands: BareHands) -> None:
    """A name that went or moved after the directory was opened leads nowhere, so it is not shown."""
    number = await hands.number(VOICES)
    names = sorted(await hands.drive.names.listed(number))
    await hands.rm(f"{VOICES}/a.wav")
    await hands.mv(f"{VOICES}/b.wav", "z.wav")
    assert [names[index] for index, _ in hands.drive.names.entries(number, names, 0)] == ["c.wav"]


async def test_the_kernel_holds_what_it_took_and_nothing_more(hands: BareHands) -> None:
    """An entry that found no room in the answer is not held; what the kernel forgets is no more."""
    number = await hands.number(VOICES)
    names = sorted(await hands.drive.names.listed(number))
    first, second, third = [await hands.file(f"{VOICES}/{name}") for name in names]
    assert (first.lookups, second.lookups, third.lookups) == (1, 1, 1)
    for index, _ in hands.drive.names.entries(number, names, 0):
        if index == 1:
            break
    assert (first.lookups, second.lookups, third.lookups) == (2, 1, 1)
    assert len(list(hands.drive.names.entries(number, names, 1))) == 2
    assert (first.lookups, second.lookups, third.lookups) == (2, 2, 2)
    await hands.rm(f"{VOICES}/a.wav")
    hands.drive.names.forget([(first.number, 1)])
    assert hands.drive.names.inode(first.number) is first
    hands.drive.names.forget([(first.number, 1)])
    with pytest.raises(Stale):
        hands.drive.names.inode(first.number)


async def test_the_top_is_read_like_any_directory(hands: BareHands) -> None:
    """Purposes are directories, which the kernel may hold, too."""
    names = [*DOTS, *await hands.drive.names.listed(1)]
    shown = {names[index]: one for index, one in hands.drive.names.entries(1, names, 0)}
    assert shown["."].number == shown[".."].number == 1
    assert shown[VOICES].number == await hands.number(VOICES)
    assert {one.links for one in shown.values()} == {2}
