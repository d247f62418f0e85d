"""The tree, one behaviour at a time. Long random stories are in `test_tree_stories`."""

from collections.abc import Iterable

import pytest

from minimaxfs.core.files import PURPOSES, Purpose, RemoteFile
from minimaxfs.core.inodes import Change, Directory, Draft, File, Remembered, agree
from minimaxfs.core.journal import State
from minimaxfs.core.tree import GRACE, LONGEST_LISTING, ROOT, Tree

VOICES = Purpose("voices", uploads=True, lists=True, deletes=True)
VIDEOS = Purpose("videos", generated=True)

NOW = 1000.0
"""Seconds on the clock of listings; any time will do."""


def remote(file_id: int, filename: str = "a.mp3", size: int = 10, created_at: int = 5) -> RemoteFile:
    return RemoteFile(file_id, "voices", filename, size, created_at)


def listed(
    tree: Tree,
    files: Iterable[RemoteFile],
    remembered: dict[int, Remembered] | None = None,
    *,
    asked_at: float = NOW,
    is_complete: bool = True,
) -> Change:
    return tree.apply(VOICES, files, remembered or {}, asked_at=asked_at, is_complete=is_complete)


def names(tree: Tree) -> list[str]:
    return list(tree.directory(VOICES).names)


def only(change: Change) -> File:
    (file,) = change.added
    return file


@pytest.fixture
def tree() -> Tree:
    return Tree([VOICES, VIDEOS])


@pytest.fixture
def directory(tree: Tree) -> Directory:
    return tree.directory(VOICES)


def test_purposes_are_directories() -> None:
    """Each purpose is one directory of the root, however often it is added."""
    tree = Tree(PURPOSES)
    assert list(tree.root.names) == [purpose.name for purpose in PURPOSES]
    assert tree.purposes() == list(tree.root.names.values())
    assert tree.add_purpose(PURPOSES[0]) is tree.directory(PURPOSES[0])
    fresh = tree.add_purpose(VOICES)
    assert tree.root.names["voices"] is fresh
    assert tree.inode(fresh.number) is fresh
    assert tree.inode(ROOT) is tree.root
    with pytest.raises(KeyError):
        tree.directory(VIDEOS)


def test_a_listing_fills_a_directory(tree: Tree, directory: Directory) -> None:
    """A file of a listing has the store's name, size and time, and is known by number and id."""
    file = only(listed(tree, [remote(7)]))
    assert (file.name, file.size, file.mtime_ns, file.mode) == ("a.mp3", 10, 5_000_000_000, None)
    assert file.label == "voices/a.mp3"
    assert directory.names == {"a.mp3": file}
    assert directory.mtime_ns == file.mtime_ns
    assert tree.inode(file.number) is file
    assert tree.file(7) is file
    assert list(tree.files()) == [file]


def test_what_is_remembered_is_kept(tree: Tree) -> None:
    """An alias, a probed size, a time and a mode outlive the mount; the store's own size goes first."""
    kept = Remembered("alias.mp3", 99, 123, 0o640)
    change = listed(tree, [remote(7, size=0), remote(8)], {7: kept, 8: Remembered(size=99)})
    shown = {file.name: (file.size, file.mtime_ns, file.mode) for file in change.added}
    assert shown == {"alias.mp3": (99, 123, 0o640), "a.mp3": (10, 5_000_000_000, None)}
    assert {file.kept for file in change.added} == {kept, Remembered("a.mp3", 10, 5_000_000_000)}


def test_an_unprobed_size_is_unknown(tree: Tree) -> None:
    """The store's 0 is not believed; a size that a later answer gives is."""
    file = only(listed(tree, [remote(7, size=0)]))
    sizes = [file.size]
    for size in (44, 0):
        assert listed(tree, [remote(7, size=size)]) == Change()
        sizes.append(file.size)
    assert sizes == [None, 44, 44]


def test_an_unchanged_listing_changes_nothing(tree: Tree) -> None:
    """The second of two equal listings, in whatever order, tells no change."""
    files = [remote(number, f"{number}.mp3") for number in range(1, 6)]
    listed(tree, files)
    before = dict(tree.directory(VOICES).names)
    assert listed(tree, reversed(files)) == Change()
    assert tree.directory(VOICES).names == before


def test_an_id_that_names_other_bytes_is_replaced(tree: Tree) -> None:
    """An id whose facts differ belongs to another store: its size is learnt anew."""
    file = only(listed(tree, [remote(7)]))
    assert listed(tree, [remote(7, size=11)]).replaced == [7]
    assert file.size == 11
    assert listed(tree, [remote(7, size=0, created_at=6)]).replaced == [7]
    assert file.size is None


def test_a_draft_keeps_its_size(tree: Tree) -> None:
    """A file that is being written has the size of what was written, whatever a listing says."""
    file = only(listed(tree, [remote(7)]))
    file.draft = Draft(1, size=3)
    file.size = 3
    assert listed(tree, [remote(7, size=11)]).replaced == [7]
    assert file.size == 3
    assert file.kept.size is None
    assert file.draft.state is State.OPEN


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        (remote(7), remote(7), True),
        (remote(7, size=0), remote(7), True),
        (remote(7), remote(7, size=0), True),
        (remote(7), remote(7, size=11), False),
        (remote(7, size=0), remote(7, size=0, created_at=6), False),
        (remote(7), remote(7, "b.mp3"), False),
    ],
)
def test_answers_agree(before: RemoteFile, after: RemoteFile, is_same: bool) -> None:
    """Two answers agree where all facts are equal but a size that one of them gives as 0."""
    assert agree(before, after) is is_same


def test_what_vanished_is_gone(tree: Tree) -> None:
    """A file that a complete listing lacks loses its name, and its inode unless the kernel holds it."""
    held, unheld = listed(tree, [remote(7, "a"), remote(8, "b")]).added
    held.lookups = 1
    change = listed(tree, [])
    assert sorted(change.gone) == [("a", held), ("b", unheld)]
    assert sorted(change.forgotten) == [7, 8]
    assert names(tree) == []
    assert tree.inode(held.number) is held
    assert (held.name, held.remote, held.label) == (None, None, "voices/(deleted)")
    assert tree.inode(unheld.number) is None
    assert not list(tree.files())
    tree.forget(held.number, 1)
    assert tree.inode(held.number) is None
    tree.forget(held.number, 1)


def test_what_vanished_keeps_its_draft(tree: Tree) -> None:
    """A file that is being written stays where it is when its stored version goes."""
    file = only(listed(tree, [remote(7)]))
    file.draft = Draft(1)
    change = listed(tree, [])
    assert (change.gone, change.forgotten) == ([], [7])
    assert names(tree) == ["a.mp3"]
    assert file.remote is None


def test_an_incomplete_listing_takes_nothing_away(tree: Tree) -> None:
    """Of a purpose that the store does not list, only what an answer shows is news."""
    listed(tree, [remote(7, "a")])
    change = listed(tree, [remote(8, "b")], is_complete=False)
    assert (names(tree), change.gone) == (["a", "b"], [])


def test_a_listing_leaves_other_purposes_alone(tree: Tree) -> None:
    """A listing of one purpose says nothing of the files of another."""
    video = RemoteFile(9, "videos", "output.mp4", 0, 5)
    tree.apply(VIDEOS, [video], {}, asked_at=NOW)
    listed(tree, [])
    assert list(tree.directory(VIDEOS).names) == ["output.mp4"]


def test_our_upload_outlives_an_older_listing(tree: Tree, directory: Directory) -> None:
    """A listing asked for before our upload, or just after it, does not take it away; a later one does."""
    file = tree.create(directory, "new.mp3", mtime_ns=77, mode=0o600)
    assert (file.size, file.mtime_ns, file.mode, directory.mtime_ns) == (0, 77, 0o600, 77)
    assert tree.bind(file, remote(7), NOW) is None
    for asked_at in (NOW - 30, NOW, NOW + GRACE):
        assert listed(tree, [], asked_at=asked_at) == Change()
    assert listed(tree, [], asked_at=NOW + GRACE + 1).gone == [("new.mp3", file)]


def test_our_delete_outlives_an_older_listing(tree: Tree) -> None:
    """A listing asked for before our delete, or just after it, does not undo it; a later one does."""
    tree.detach(only(listed(tree, [remote(7)])))
    tree.mark_deleted(7, NOW)
    for asked_at in (NOW - 30, NOW, NOW + GRACE):
        assert listed(tree, [remote(7)], asked_at=asked_at) == Change()
    assert only(listed(tree, [remote(7)], asked_at=NOW + GRACE + 1)).name == "a.mp3"


def test_our_delete_outlives_the_listing_of_another_purpose(tree: Tree) -> None:
    """A slow listing respects a delete that a faster, later one of another purpose had no use for."""
    tree.mark_deleted(7, NOW)
    tree.apply(VIDEOS, [], {}, asked_at=NOW + 60)
    assert listed(tree, [remote(7)], asked_at=NOW - 1) == Change()
    tree.apply(VIDEOS, [], {}, asked_at=NOW + LONGEST_LISTING + GRACE + 1)
    assert listed(tree, [remote(7)], asked_at=NOW - 1).added
