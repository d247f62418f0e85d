"""Dentries: how the tree finds, makes, moves and takes away names, and who keeps an inode."""

import pytest

from minimaxfs.core.files import Purpose, RemoteFile
from minimaxfs.core.inodes import Directory, Draft, File
from minimaxfs.core.tree import Tree

VOICES = Purpose("voices", uploads=True, lists=True, deletes=True)
VIDEOS = Purpose("videos", generated=True)
NOW = 1000.0


def remote(file_id: int, filename: str = "a.mp3") -> RemoteFile:
    return RemoteFile(file_id, "voices", filename, 10, 5)


def listed(tree: Tree, *files: RemoteFile) -> list[File]:
    return tree.apply(VOICES, files, {}, asked_at=NOW).added


@pytest.fixture
def tree() -> Tree:
    return Tree([VOICES, VIDEOS])


@pytest.fixture
def directory(tree: Tree) -> Directory:
    return tree.directory(VOICES)


def test_find_by_name_and_by_tilde_form(tree: Tree, directory: Directory) -> None:
    """A file answers to its name and to its name with its id, in its own directory only."""
    (file,) = listed(tree, remote(7))
    assert tree.find(tree.root, "voices") is directory
    assert tree.find(directory, "a.mp3") is file
    assert tree.find(directory, "a~7.mp3") is file
    for name in ("b.mp3", "a~8.mp3", "b~7.mp3", "a~07.mp3", "a~7", "~7", "caf\udce9~7.mp3"):
        assert tree.find(directory, name) is None
    assert tree.find(tree.directory(VIDEOS), "a~7.mp3") is None


def test_a_tilde_form_follows_an_alias(tree: Tree, directory: Directory) -> None:
    """A renamed file answers to the tilde form of its new name, and one without a name to none."""
    (file,) = listed(tree, remote(7))
    file.handles = 1
    tree.rename(file, "b.mp3")
    assert tree.find(directory, "b~7.mp3") is file
    assert tree.find(directory, "a~7.mp3") is None
    tree.rename(file, "caf\udce9.mp3")
    assert tree.find(directory, "caf~7.mp3") is file
    tree.detach(file)
    assert tree.find(directory, "caf~7.mp3") is None
    tree.rename(file, "c.mp3")
    assert tree.find(directory, "c.mp3") is file


def test_a_real_name_goes_before_a_tilde_form(tree: Tree, directory: Directory) -> None:
    """A file that is called like another's tilde form is found by its name."""
    thief, victim = listed(tree, remote(3, "a~7.mp3"), remote(7))
    assert tree.find(directory, "a~7.mp3") is thief
    assert tree.find(directory, "a.mp3") is victim


def test_a_name_is_created_once(tree: Tree, directory: Directory) -> None:
    """A name that is taken is neither created nor renamed to again."""
    (file,) = listed(tree, remote(7))
    with pytest.raises(AssertionError):
        tree.create(directory, "a.mp3", mtime_ns=0)
    with pytest.raises(AssertionError):
        tree.rename(file, "a.mp3")
    with pytest.raises(AssertionError):
        tree.create(tree.root, "file", mtime_ns=0)
    assert directory.names == {"a.mp3": file}


@pytest.mark.parametrize("first", ["lookups", "handles"])
def test_an_inode_stays_until_nobody_holds_it(tree: Tree, directory: Directory, first: str) -> None:
    """An inode without a name goes with the last of its lookups and handles, in whatever order."""
    file = tree.create(directory, "a.mp3", mtime_ns=0)
    file.lookups, file.handles = 2, 1
    tree.detach(file)
    tree.detach(file)
    for held in (first, {"lookups": "handles", "handles": "lookups"}[first]):
        assert tree.inode(file.number) is file
        if held == "lookups":
            tree.forget(file.number, 2)
        else:
            tree.close(file)
    assert tree.inode(file.number) is None


def test_directories_stay(tree: Tree, directory: Directory) -> None:
    """A directory that the kernel forgets stays, and so does a file with a name."""
    (file,) = listed(tree, remote(7))
    directory.lookups = file.lookups = 1
    tree.forget(directory.number, 1)
    tree.forget(file.number, 1)
    assert tree.inode(directory.number) is directory
    assert tree.inode(file.number) is file
    assert (directory.lookups, file.lookups) == (0, 0)


def test_an_overwritten_file_has_its_new_id_only(tree: Tree, directory: Directory) -> None:
    """After an upload over it, a file is the same inode with another id."""
    (file,) = listed(tree, remote(7))
    assert tree.bind(file, remote(8), NOW) is None
    assert (tree.file(7), tree.file(8)) == (None, file)
    assert tree.bind(file, remote(8), NOW) is None
    assert tree.file(8) is file
    tree.unbind(file)
    tree.unbind(file)
    assert (tree.file(8), file.remote, directory.names) == (None, None, {"a.mp3": file})


def test_an_upload_takes_its_id_from_a_listing_that_was_faster(tree: Tree, directory: Directory) -> None:
    """A listing that shows an upload before its answer is in gives it a second name, which then goes."""
    file = tree.create(directory, "a.mp3", mtime_ns=0)
    (double,) = listed(tree, remote(7))
    double.handles = 1
    assert double.name == "a~7.mp3"
    assert tree.bind(file, remote(7), NOW) == ("a~7.mp3", double)
    assert directory.names == {"a.mp3": file}
    assert tree.file(7) is file
    assert double.label == "voices/(deleted)"
    assert double.remote is None
    tree.close(double)
    assert tree.file(7) is file


def test_a_double_that_is_written_keeps_its_name(tree: Tree, directory: Directory) -> None:
    """Bytes that were written to the listing's double stay readable at their path."""
    file = tree.create(directory, "a.mp3", mtime_ns=0)
    (double,) = listed(tree, remote(7))
    double.draft = Draft(1)
    assert tree.bind(file, remote(7), NOW) is None
    assert directory.names == {"a.mp3": file, "a~7.mp3": double}
    assert double.remote is None
    assert tree.file(7) is file


def test_a_double_without_a_name_just_loses_the_id(tree: Tree, directory: Directory) -> None:
    """A double whose name went already has nothing more to lose but the id."""
    file = tree.create(directory, "a.mp3", mtime_ns=0)
    (double,) = listed(tree, remote(7))
    double.lookups = 1
    tree.detach(double)
    assert tree.bind(file, remote(7), NOW) is None
    assert (tree.file(7), double.remote) == (file, None)


def test_an_upload_that_nobody_waits_for_leaves_no_id(tree: Tree, directory: Directory) -> None:
    """The id of a file that was deleted and forgotten during its upload is not kept."""
    file = tree.create(directory, "a.mp3", mtime_ns=0)
    tree.detach(file)
    assert tree.bind(file, remote(7), NOW) is None
    assert file.remote == remote(7)
    assert tree.file(7) is None
