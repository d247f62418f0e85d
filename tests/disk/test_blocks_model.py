"""Blocks against a model: whatever happens, in any order, what is read is right, or is not there."""

import os
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from block_contents import allocated, pattern
from minimaxfs.core.errors import LocalDiskFull
from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BLOCK, BlockFile
from minimaxfs.disk.blocks import Blocks
from minimaxfs.disk.load import Load
from minimaxfs.disk.record import Record

SIZES = {1: 3 * BLOCK + 100, 2: 20 * BLOCK, 3: 700}
DATA = {file_id: pattern(size, file_id) for file_id, size in SIZES.items()}
LIMIT = 16 * BLOCK

ids = st.sampled_from(sorted(SIZES))
places = st.floats(0, 1)
lengths = st.sampled_from([1, 1000, BLOCK - 100, BLOCK, BLOCK + 1, 5 * BLOCK])


@dataclass(eq=False)
class Fetch:
    """What another process is to write: it has written up to `written`, and told of it up to `told`."""

    file: BlockFile
    part: Range
    written: int
    told: int


class BlocksAreRight(RuleBasedStateMachine):
    """Reading, writing by this and by other processes, records, eviction, rot and crashes."""

    def __init__(self) -> None:
        super().__init__()
        self._place = TemporaryDirectory()
        self.directory = Path(self._place.name) / "blocks"
        self.start()

    def start(self) -> None:
        self.blocks = Blocks(self.directory, LIMIT)
        self.blocks.open()
        self.files: list[BlockFile] = []
        self.fetches: list[Fetch] = []
        self.loads: list[tuple[BlockFile, Load]] = []
        self.records: list[Record] = []

    def teardown(self) -> None:
        self._place.cleanup()

    def part(self, file: BlockFile, place: float, length: int) -> Range:
        start = int(place * (file.size - 1))
        return Range(start, min(file.size, start + length))

    def check(self, file: BlockFile, part: Range, data: bytes | memoryview | None) -> None:
        assert data is None or bytes(data) == DATA[file.file_id][part.start : part.stop]

    def must_be_full(self, file: BlockFile) -> None:
        """Nothing is refused while something could go: all that is left is on its way, or begun."""
        self.blocks.make_room(LIMIT)
        held = sum(one.map.held for one in {*self.files, file})
        assert self.blocks.used <= held + 4 * BLOCK
        assert held > 5 * BLOCK

    @rule(file_id=ids)
    def fetch_all(self, file_id: int) -> None:
        file = self.blocks.open_file(file_id, SIZES[file_id])
        self.files.append(file)
        for start in range(0, file.size, 4 * BLOCK):
            part = Range(start, min(file.size, start + 4 * BLOCK))
            try:
                self.blocks.reserve(file, part)
            except LocalDiskFull:
                self.must_be_full(file)
                return
            os.pwrite(file.descriptor, DATA[file_id][part.start : part.stop], start)
            self.fetches.append(Fetch(file, part, part.stop, start))
            self.tell(self.fetches[-1])

    @rule(file_id=ids)
    def open_file(self, file_id: int) -> None:
        self.files.append(self.blocks.open_file(file_id, SIZES[file_id]))

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def close_file(self, data: st.DataObject) -> None:
        file = data.draw(st.sampled_from(self.files))
        self.files.remove(file)
        if file not in self.files:
            for fetch in [fetch for fetch in self.fetches if fetch.file is file]:
                self.give_up(fetch)
        self.blocks.close_file(file)

    @precondition(lambda self: self.files)
    @rule(data=st.data(), place=places, length=lengths)
    def read(self, data: st.DataObject, place: float, length: int) -> None:
        file = data.draw(st.sampled_from(self.files))
        part = self.part(file, place, length)
        self.check(file, part, file.peek(part))
        self.check(file, part, file.read(part))

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def read_all(self, data: st.DataObject) -> None:
        file = data.draw(st.sampled_from(self.files))
        for start in range(0, file.size, BLOCK):
            part = Range(start, min(file.size, start + BLOCK))
            self.check(file, part, file.read(part))

    @precondition(lambda self: self.files)
    @rule(data=st.data(), place=places, length=lengths)
    def begin_load(self, data: st.DataObject, place: float, length: int) -> None:
        file = data.draw(st.sampled_from(self.files))
        load = file.load(self.part(file, place, length))
        if load is not None:
            self.loads.append((file, load))

    @precondition(lambda self: self.loads)
    @rule(data=st.data(), is_heard=st.booleans())
    def end_load(self, data: st.DataObject, *, is_heard: bool) -> None:
        file, load = data.draw(st.sampled_from(self.loads))
        load.run()
        if is_heard:
            self.loads.remove((file, load))
            self.check(file, load.part, file.loaded(load))

    @precondition(lambda self: self.files)
    @rule(data=st.data(), place=places, length=lengths)
    def write(self, data: st.DataObject, place: float, length: int) -> None:
        file = data.draw(st.sampled_from(self.files))
        part = self.part(file, place, length)
        try:
            self.blocks.write(file, part.start, DATA[file.file_id][part.start : part.stop])
        except LocalDiskFull:
            self.must_be_full(file)

    @precondition(lambda self: self.files and len(self.fetches) < 4)
    @rule(data=st.data(), place=places, length=lengths)
    def begin_fetch(self, data: st.DataObject, place: float, length: int) -> None:
        file = data.draw(st.sampled_from(self.files))
        part = self.part(file, place, length)
        try:
            self.blocks.reserve(file, part)
        except LocalDiskFull:
            self.must_be_full(file)
        else:
            self.fetches.append(Fetch(file, part, part.start, part.start))

    @precondition(lambda self: self.fetches)
    @rule(data=st.data(), length=lengths)
    def others_write(self, data: st.DataObject, length: int) -> None:
        fetch = data.draw(st.sampled_from(self.fetches))
        stop = min(fetch.part.stop, fetch.written + length)
        os.pwrite(fetch.file.descriptor, DATA[fetch.file.file_id][fetch.written : stop], fetch.written)
        fetch.written = stop

    @precondition(lambda self: self.fetches)
    @rule(data=st.data())
    def others_tell(self, data: st.DataObject) -> None:
        self.tell(data.draw(st.sampled_from(self.fetches)))

    def tell(self, fetch: Fetch) -> None:
        fetch.file.wrote(Range(fetch.told, fetch.written))
        fetch.told = fetch.written
        if fetch.told == fetch.part.stop:
            self.fetches.remove(fetch)

    @precondition(lambda self: self.fetches)
    @rule(data=st.data())
    def others_give_up(self, data: st.DataObject) -> None:
        self.give_up(data.draw(st.sampled_from(self.fetches)))

    def give_up(self, fetch: Fetch) -> None:
        self.fetches.remove(fetch)
        self.blocks.release(fetch.file, Range(fetch.told, fetch.part.stop))

    @rule(size=st.sampled_from([1, LIMIT // 2, LIMIT]))
    def others_fill_the_disk(self, size: int) -> None:
        self.blocks.make_room(size)

    @rule()
    def begin_records(self) -> None:
        self.records += self.blocks.to_record()

    @precondition(lambda self: self.records)
    @rule(is_heard=st.booleans())
    def end_records(self, *, is_heard: bool) -> None:
        for record in self.records:
            record.write()
            assert record.fault is None
        self.records.clear()
        if is_heard:
            self.blocks.recorded()

    @rule(file_id=ids)
    def discard(self, file_id: int) -> None:
        self.blocks.discard(file_id)

    def record_all(self) -> None:
        while self.files:
            file = self.files.pop()
            if file not in self.files:
                for fetch in [fetch for fetch in self.fetches if fetch.file is file]:
                    self.give_up(fetch)
            self.blocks.close_file(file)
        for record in self.blocks.to_record():
            record.write()

    @rule(seed=st.integers(0, 1000), flips=st.integers(0, 3), cut=st.booleans(), orderly=st.booleans())
    def crash(self, seed: int, flips: int, *, cut: bool, orderly: bool) -> None:
        """What was not on its way to the disk yet is gone, and what is there may have rotted."""
        if orderly:
            self.record_all()
        rng = Random(seed)
        for path in sorted(self.directory.iterdir()):
            content = bytearray(path.read_bytes())
            for _ in range(flips if content else 0):
                content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
            if cut:
                del content[rng.randrange(len(content) + 1) :]
            if flips or cut:
                path.write_bytes(content)
        self.start()
        for file_id in SIZES:
            self.open_file(file_id)

    @invariant()
    def the_limit_holds(self) -> None:
        """What the disk has given is within the limit, and what was reserved too."""
        assert self.blocks.used <= LIMIT
        assert allocated(self.directory) <= LIMIT

    @invariant()
    def nothing_is_counted_twice(self) -> None:
        """Once nobody has anything open, what is counted is what the disk has given, within pages."""
        if not self.files and not self.records:
            assert self.blocks.used <= allocated(self.directory) + 4096 * 3 * len(SIZES)


TestBlocksAreRight = BlocksAreRight.TestCase
TestBlocksAreRight.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
