"""The tree in long random stories, compared step by step with a model of plain values.

The store has other clients; listings are on their way while files are made, uploaded, renamed
and deleted here; the kernel and handles hold inodes in every order.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from minimaxfs.core.files import Purpose, RemoteFile
from minimaxfs.core.inodes import Draft
from minimaxfs.core.names import tilde_name
from minimaxfs.core.tree import GRACE, LONGEST_LISTING
from tree_model import PURPOSES, Known, World

purposes = st.sampled_from(PURPOSES)
names = st.sampled_from(["a", "a~2", "a~3", "2-a~3", "b.mp4", "b~1.mp4", "b~2.mp4"])
"""Few, so that they clash: also with the tilde forms of the first ids."""


def is_named(one: Known) -> bool:
    return one.name is not None


def is_open(one: Known) -> bool:
    return one.handles > 0


def is_looked_up(one: Known) -> bool:
    return one.lookups > 0


def is_draft(one: Known) -> bool:
    return one.has_draft and one.name is not None


class Story(RuleBasedStateMachine):
    """What may happen to a drive, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.asked: dict[Purpose, tuple[float, list[RemoteFile]]] = {}
        self.sent: list[tuple[Known, RemoteFile]] = []

    @initialize(filenames=st.lists(names, max_size=3))
    def mount(self, filenames: list[str]) -> None:
        for purpose in PURPOSES:
            for filename in filenames:
                self.world.put(purpose, filename)
            self.world.listed(purpose, self.world.snapshot(purpose), self.world.now, is_complete=True)

    @rule(purpose=purposes, name=names)
    def another_client_uploads(self, purpose: Purpose, name: str) -> None:
        self.world.put(purpose, name)

    @precondition(lambda self: self.world.store)
    @rule(data=st.data())
    def another_client_deletes(self, data: st.DataObject) -> None:
        del self.world.store[data.draw(st.sampled_from(sorted(self.world.store)))]

    @rule(seconds=st.sampled_from([0.5, GRACE, 30.0]))
    def time_passes(self, seconds: float) -> None:
        oldest = min((asked_at for asked_at, _ in self.asked.values()), default=self.world.now)
        if self.world.now + seconds - oldest < LONGEST_LISTING:
            self.world.now += seconds

    @precondition(lambda self: len(self.asked) < len(PURPOSES))
    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        purpose = data.draw(st.sampled_from([one for one in PURPOSES if one not in self.asked]))
        self.asked[purpose] = (self.world.now, self.world.snapshot(purpose))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), is_read_late=st.booleans(), is_complete=st.booleans())
    def answer(self, data: st.DataObject, is_read_late: bool, is_complete: bool) -> None:
        purpose = data.draw(st.sampled_from(list(self.asked)))
        asked_at, listing = self.asked.pop(purpose)
        if is_read_late:
            listing = self.world.snapshot(purpose)
        listing = data.draw(st.permutations(listing))
        self.world.listed(purpose, listing, asked_at, is_complete=is_complete)

    @rule(purpose=purposes, name=names)
    def create(self, purpose: Purpose, name: str) -> None:
        if name in self.world.named(purpose):
            return
        file = self.world.tree.create(self.world.tree.directory(purpose), name, mtime_ns=0)
        file.draft = Draft(file.number)
        file.handles = file.lookups = 1
        self.world.known.append(Known(file, name, has_draft=True, handles=1, lookups=1))

    @precondition(lambda self: self.world.those(is_named))
    @rule(data=st.data(), is_written=st.booleans())
    def open(self, data: st.DataObject, is_written: bool) -> None:
        one = data.draw(st.sampled_from(self.world.those(is_named)))
        one.handles = one.file.handles = one.handles + 1
        if is_written and not one.has_draft:
            one.has_draft, one.file.draft = True, Draft(one.file.number)

    @precondition(lambda self: self.world.those(is_open))
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.world.those(is_open)))
        one.handles -= 1
        self.world.tree.close(one.file)
        if one.handles == 0 and one.name is None:
            self.world.forsake(one)
        self.world.drop_unheld()

    @precondition(lambda self: self.world.those(is_named))
    @rule(data=st.data(), by_tilde=st.booleans())
    def look_up(self, data: st.DataObject, by_tilde: bool) -> None:
        one = data.draw(st.sampled_from(self.world.those(is_named)))
        assert one.name is not None
        name = tilde_name(one.name, one.file_id) if by_tilde and one.file_id else one.name
        expected = self.world.named(one.file.purpose).get(name, one)
        assert self.world.tree.find(self.world.tree.directory(one.file.purpose), name) is expected.file
        expected.lookups = expected.file.lookups = expected.lookups + 1

    @precondition(lambda self: self.world.those(is_looked_up))
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.world.those(is_looked_up)))
        count = data.draw(st.integers(1, one.lookups))
        one.lookups -= count
        self.world.tree.forget(one.file.number, count)
        self.world.drop_unheld()

    @precondition(lambda self: self.world.those(is_named))
    @rule(data=st.data(), unbinds=st.booleans())
    def unlink(self, data: st.DataObject, unbinds: bool) -> None:
        self.world.take_name(data.draw(st.sampled_from(self.world.those(is_named))), unbinds=unbinds)

    @precondition(lambda self: self.world.those(is_named))
    @rule(data=st.data(), name=names)
    def rename(self, data: st.DataObject, name: str) -> None:
        one = data.draw(st.sampled_from(self.world.those(is_named)))
        over = self.world.named(one.file.purpose).get(name)
        if over is one:
            return
        if over is not None:
            self.world.take_name(over)
        one.name = name
        self.world.tree.rename(one.file, name)
        if one.file_id is not None:
            self.world.ledger[one.file_id] = name

    @precondition(lambda self: self.world.those(is_draft))
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.world.those(is_draft)))
        if one.name is not None and one not in [sender for sender, _ in self.sent]:
            self.sent.append((one, self.world.put(one.file.purpose, one.name)))

    @precondition(lambda self: self.sent)
    @rule()
    def the_store_answers(self) -> None:
        self.world.stored(*self.sent.pop(0))

    @invariant()
    def dentries_agree(self) -> None:
        for purpose in PURPOSES:
            shown = self.world.tree.directory(purpose).names
            assert shown == {name: one.file for name, one in self.world.named(purpose).items()}

    @invariant()
    def inodes_agree(self) -> None:
        for one in self.world.known:
            file = one.file
            assert self.world.tree.inode(file.number) is file
            assert (file.name, file.lookups, file.handles) == (one.name, one.lookups, one.handles)
            assert (file.remote.file_id if file.remote else None) == one.file_id
        assert not [one for one in self.world.dropped if self.world.tree.inode(one.file.number)]

    @invariant()
    def ids_agree(self) -> None:
        expected = {one.file_id: one.file for one in self.world.known if one.file_id is not None}
        assert {file_id: self.world.tree.file(file_id) for file_id in expected} == expected
        assert set(self.world.tree.files()) == set(expected.values())


TestStory = Story.TestCase
TestStory.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
