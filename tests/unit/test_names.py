"""Names: whatever the store calls its files, a directory can hold them and tell them apart."""

from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minimaxfs.core.files import MAX_FILE_ID, RemoteFile
from minimaxfs.core.names import NAME_MAX, assign, display_name, split_extension, tilde_id, tilde_name

HOSTILE = ["", ".", "..", "...", "/", "\0", "a/b", "../../etc/passwd", "\ud800", "a\nb", "\x7f", "\x9b31m"]
KIND = ["voice.mp3", "语音.mp3", "🎬.mp4", "a b'\"c", ".bashrc", "%2F", "tar.gz", "e\u0301", "x~5.mp3", "~"]

any_text = st.text(st.characters())
clashing = st.text("ab.~5%/", max_size=6)
long_text = st.builds(str.__mul__, st.text(st.characters(), min_size=1, max_size=9), st.integers(1, 10_000))
filenames = st.sampled_from(HOSTILE + KIND) | any_text | clashing | long_text
file_ids = st.integers(1, 9) | st.integers(1, MAX_FILE_ID)
local_names = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=NAME_MAX)
"""What the kernel may ask for: anything but `/` and NUL, also bytes that are no UTF-8."""

listings = st.lists(
    st.builds(RemoteFile, file_ids, st.just("p"), clashing | filenames, st.just(0), st.integers(0, 3)),
    unique_by=lambda file: file.file_id,
    max_size=12,
)


def is_valid(name: str) -> bool:
    return name not in {"", ".", ".."} and not set("/\0") & set(name) and len(name.encode()) <= NAME_MAX


def remote(file_id: int, filename: str, created_at: int = 0) -> RemoteFile:
    return RemoteFile(file_id, "p", filename, 0, created_at)


@given(filenames, file_ids)
@example("x" * 10_000, MAX_FILE_ID)
@example("." * 300, 1)
@example("a." + "语" * 5000, MAX_FILE_ID)
def test_display_name_is_valid(filename: str, file_id: int) -> None:
    """Any text becomes a name that a directory can hold."""
    assert is_valid(display_name(filename, file_id))


@given(filenames, file_ids)
def test_display_name_shows_no_controls(filename: str, file_id: int) -> None:
    """No name can move a terminal's cursor."""
    assert not any(
        ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0
        for character in display_name(filename, file_id)
    )


@pytest.mark.parametrize(
    "name", [*KIND, "x" * NAME_MAX, "语" * (NAME_MAX // 3), "...", "a\u00a0b", "\ud7ff\ue000"]
)
def test_harmless_names_are_shown_as_they_are(name: str) -> None:
    """A name that a directory can hold is not changed."""
    assert display_name(name, 7) == name


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("", "file~7"),
        (".", "%2E"),
        ("..", "%2E%2E"),
        ("a/b.mp3", "a%2Fb.mp3"),
        ("a\0b", "a%00b"),
        ("a\nb", "a%0Ab"),
        ("\x85", "%C2%85"),
        ("\ud800", "%ED%A0%80"),
        ("x" * 300 + ".mp3", "x" * 231 + "~7.mp3"),
        ("é" * 200 + ".mp3", "é" * 115 + "~7.mp3"),
        ("a." + "b" * 300, "a~7." + "b" * 126),
    ],
)
def test_hostile_names_are_escaped(filename: str, name: str) -> None:
    """What no directory may hold is percent-escaped, and what is too long has its id for a middle."""
    assert display_name(filename, 7) == name


@given(st.text(st.characters(), max_size=40), st.text(st.characters(), max_size=40))
def test_escaping_keeps_the_rest(before: str, after: str) -> None:
    """A character is escaped by itself, whatever stands beside it."""
    whole = display_name(f"a{before}{after}", 7)
    assert whole == display_name(f"a{before}", 7) + display_name(f"a{after}", 7)[1:]


@given(local_names | filenames.filter(bool), file_ids)
@example("a." + "b" * 200, 5)
@example("." * 300, 5)
@example("x" * 240 + "." + "语" * 80, MAX_FILE_ID)
def test_tilde_name_holds_its_id(name: str, file_id: int) -> None:
    """The tilde form of any name fits into 255 bytes of UTF-8 and gives its id back."""
    form = tilde_name(name, file_id)
    assert len(form.encode()) <= NAME_MAX
    assert tilde_id(form) == file_id


@given(filenames, file_ids)
def test_tilde_form_of_a_valid_name_is_valid(filename: str, file_id: int) -> None:
    """The tilde form of a valid name is valid."""
    assert is_valid(tilde_name(display_name(filename, file_id), file_id))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("voice.mp3", "voice~7.mp3"),
        ("voice", "voice~7"),
        (".bashrc", ".bashrc~7"),
        ("a.tar.gz", "a.tar~7.gz"),
        ("a.", "a~7."),
        ("...", "...~7"),
        ("a~7.b", "a~7~7.b"),
        ("caf\udce9.mp3", "caf~7.mp3"),
    ],
)
def test_tilde_name(name: str, form: str) -> None:
    """The id stands before the extension."""
    assert tilde_name(name, 7) == form


@pytest.mark.parametrize(
    ("name", "file_id"),
    [
        ("voice~7.mp3", 7),
        ("~7", 7),
        ("a~b~7", 7),
        (f"a~{MAX_FILE_ID}.b", MAX_FILE_ID),
        ("voice.mp3", None),
        ("7.mp3", None),
        ("voice~.mp3", None),
        ("voice~x7.mp3", None),
        ("voice~-7.mp3", None),
        ("voice~+7.mp3", None),
        ("voice~7_0.mp3", None),
        ("voice~\u0667.mp3", None),
        ("voice~².mp3", None),
        ("voice~ 7.mp3", None),
        ("voice~" + "1" * 20 + ".mp3", None),
        ("voice~7.tar.gz", None),
        ("", None),
        ("~", None),
    ],
)
def test_tilde_id(name: str, file_id: int | None) -> None:
    """Only ASCII digits between the last tilde and the extension are an id."""
    assert tilde_id(name) == file_id


@given(any_text | clashing)
def test_split_extension_loses_nothing(name: str) -> None:
    """Stem and extension are the name again, and a leading dot starts no extension."""
    stem, extension = split_extension(name)
    assert stem + extension == name
    assert not extension or (extension[0] == "." and extension.count(".") == 1 and stem.strip("."))


@given(listings, st.lists(clashing))
def test_assigned_names_are_valid_and_unique(files: list[RemoteFile], taken: list[str]) -> None:
    """Each file gets a valid name, which no other file has."""
    names = assign(files, {}, taken)
    assert names.keys() == {file.file_id for file in files}
    assert all(is_valid(name) for name in names.values())
    assert len({*names.values(), *taken}) == len(names) + len(set(taken))


@given(listings, st.data(), st.lists(clashing))
def test_the_order_of_a_listing_does_not_matter(
    files: list[RemoteFile], data: st.DataObject, taken: list[str]
) -> None:
    """A listing in another order gives the same names."""
    shuffled = data.draw(st.permutations(files))
    assert assign(shuffled, {}, taken) == assign(files, {}, taken)


@given(listings, listings)
def test_new_files_never_rename_old_ones(old: list[RemoteFile], new: list[RemoteFile]) -> None:
    """A name once given is kept, however old the files are that come later."""
    names = assign(old, {})
    more = [file for file in new if file.file_id not in names]
    again = assign([*more, *old], names)
    assert {file_id: again[file_id] for file_id in names} == names
    assert assign(more, {}, names.values()) == {file.file_id: again[file.file_id] for file in more}


@given(listings, st.dictionaries(file_ids, st.sampled_from(["a", "b", "a~5", "c.mp3"])))
def test_given_names_are_kept_where_they_are_free(
    files: list[RemoteFile], given_names: dict[int, str]
) -> None:
    """Of the files that were once given one name, the first stored keeps it."""
    names = assign(files, given_names)
    for name in set(given_names.values()):
        owners = [file for file in files if given_names.get(file.file_id) == name]
        if owners:
            first = min(owners, key=lambda file: (file.created_at, file.file_id))
            assert names[first.file_id] == name


def test_the_first_stored_has_the_bare_name() -> None:
    """Of two files with one name, the first stored is called by it and the later one by its tilde form."""
    files = [remote(1, "a.mp4", 30), remote(2, "a.mp4", 10), remote(3, "a.mp4", 10)]
    assert assign(files, {}) == {2: "a.mp4", 3: "a~3.mp4", 1: "a~1.mp4"}


def test_a_local_file_keeps_its_name() -> None:
    """A name that a file has which the store does not know is not given away."""
    assert assign([remote(1, "a.mp4")], {1: "a.mp4"}, ["a.mp4"]) == {1: "a~1.mp4"}


def test_a_stolen_tilde_form_is_numbered() -> None:
    """A file named like another one's tilde form takes nothing from it but that form."""
    files = [remote(1, "a~3.mp4"), remote(2, "a.mp4"), remote(3, "a.mp4", 9)]
    assert assign(files, {}) == {1: "a~3.mp4", 2: "a.mp4", 3: "2-a~3.mp4"}
    assert assign([remote(3, "a")], {}, ["a", "a~3", "2-a~3", "3-a~3"]) == {3: "4-a~3"}


def test_no_names_make_it_run_for_ever() -> None:
    """Whichever of a file's forms are taken, another one is found."""
    forms = [
        f"{stem}{end}" for stem, end in product(["a", "3-1", "3-2", "3-3", "3-4", "2-a"], ["", "~3", "~3~3"])
    ]
    for count in range(len(forms) + 1):
        (name,) = assign([remote(3, "a")], {}, forms[:count]).values()
        assert name not in forms[:count]


def test_many_files_of_one_name() -> None:
    """A hundred thousand files of one name take a moment: each by a step of its own, not by all before it."""
    files = [remote(444_000_000_000_000 + index, "output_aigc.mp4", index) for index in range(100_000)]
    names = assign(files, {})
    assert names[444_000_000_000_000] == "output_aigc.mp4"
    assert names[444_000_000_099_999] == "output_aigc~444000000099999.mp4"
    assert len(set(names.values())) == 100_000
