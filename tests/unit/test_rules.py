"""What the store takes, and which names never leave this machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimaxfs.core.errors import ContentRefused, NameRefused, NotPermitted, StoreFull, TooLarge
from minimaxfs.core.files import FILE_LIMIT, PURPOSES, STORE_CAPACITY, Purpose
from minimaxfs.core.rules import Rules, check_name, check_room, check_size, local_only_pattern

ANYTHING = Purpose("anything", uploads=True)
AUDIO = Purpose("audio", uploads=True, extensions=frozenset({"mp3", "wav"}), limit=1000)
GENERATED = Purpose("generated", deletes=True, generated=True)


@pytest.mark.parametrize(
    "name",
    [
        ".voice.mp3.swp",
        ".voice.mp3.swx",
        "4913",
        "voice.mp3~",
        ".#voice.mp3",
        "~$script.docx",
        ".~lock.script.docx#",
        "film.mp4.part",
        "film.mp4.crdownload",
        "voice.tmp",
        ".DS_Store",
        "._voice.mp3",
        ".voice.mp3.A1b2C3",
        ".goutputstream-XYZ123",
        "sedAb12Cd",
        ".fuse_hidden0000000100000001",
        ".",
        ".new\nline",
        "new\nline~",
    ],
)
def test_local_only(name: str) -> None:
    """What programs put beside a file while they work on it stays on this machine."""
    assert local_only_pattern().match(name)


@pytest.mark.parametrize(
    "name",
    [
        "voice.mp3",
        "4913.mp3",
        "14913",
        "a~b.mp3",
        "~voice.mp3",
        "part",
        "voice.part.mp3",
        "tmp",
        "voice.tmp\n",
        "sediment.mp3",
        "sed.txt",
        "a.b",
        "语音.mp3",
        "",
    ],
)
def test_not_local_only(name: str) -> None:
    """A name that only looks a little like those goes to the store."""
    assert not local_only_pattern().match(name)


@given(st.text(), st.lists(st.text("ab.", min_size=1)))
def test_patterns_are_alternatives(name: str, words: list[str]) -> None:
    """Patterns without wildcards match their own words and nothing else; no patterns match nothing."""
    pattern = local_only_pattern(tuple(words))
    assert all(pattern.match(word) for word in words)
    assert bool(pattern.match(name)) == (name in words)


@pytest.mark.parametrize("name", ["a.mp3", "A.MP3", "a.b.wav", "~.mp3", "语音 1.mp3", "..mp3.wav", "\n.mp3"])
def test_names_that_are_taken(name: str) -> None:
    """A name with one of the purpose's extensions is taken, whatever its case."""
    check_name(AUDIO, name)


@pytest.mark.parametrize("name", ["a.mp4", "mp3", ".mp3", "..mp3", "a.mp3.", "a.mp3 ", "a", "", "a.mp3.txt"])
def test_types_that_are_refused(name: str) -> None:
    """A name without one of the purpose's extensions is refused, and the error names those."""
    with pytest.raises(ContentRefused, match=r"audio does not take .*, but only: mp3 wav"):
        check_name(AUDIO, name)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_purpose_without_extensions_takes_any(name: str) -> None:
    """Where no extensions are known, the store has the last word."""
    check_name(ANYTHING, name)


@pytest.mark.parametrize("purpose", [ANYTHING, AUDIO])
def test_names_that_cannot_be_sent(purpose: Purpose) -> None:
    """A name that is not valid UTF-8 cannot be sent."""
    with pytest.raises(NameRefused, match="not valid UTF-8"):
        check_name(purpose, "caf\udce9.mp3")


def test_generated_purposes_take_nothing() -> None:
    """Where the store makes the files, none can be put."""
    with pytest.raises(NotPermitted, match="generated takes no uploads"):
        check_name(GENERATED, "a.mp3")


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.name)
def test_documented_purposes_take_their_own_types(purpose: Purpose) -> None:
    """Each documented purpose that takes uploads takes each of its types, and none takes a program."""
    for extension in purpose.extensions:
        check_name(purpose, f"file.{extension}")
    with pytest.raises(ContentRefused if purpose.uploads else NotPermitted):
        check_name(purpose, "file.exe")


def test_size_up_to_the_limit() -> None:
    """The limit itself is taken, and one byte more is too large."""
    check_size(AUDIO, 0)
    check_size(AUDIO, 1000)
    with pytest.raises(TooLarge, match="1,001 bytes are over the limit of audio: 1,000"):
        check_size(AUDIO, 1001)


def test_local_only_names_may_have_any_type() -> None:
    """A name that the store never sees may have any type, where the purpose takes uploads at all."""
    rules = Rules()
    assert rules.is_local_only(".a.mp3.swp")
    assert not rules.is_local_only("a.mp3")
    rules.check_name(AUDIO, ".a.mp3.swp")
    rules.check_name(AUDIO, "a.mp3")
    with pytest.raises(ContentRefused):
        rules.check_name(AUDIO, "a.swp")
    with pytest.raises(NotPermitted):
        rules.check_name(GENERATED, ".a.mp3.swp")


def test_local_only_names_can_be_chosen() -> None:
    """Another mount may keep other names to itself."""
    rules = Rules(local_only_pattern(("*.draft",)))
    assert rules.is_local_only("a.draft")
    assert not rules.is_local_only(".a.mp3.swp")


def test_what_fits_is_let_in() -> None:
    """An account holds 100 GB, and not a byte more."""
    check_room(STORE_CAPACITY - 5, 5)
    with pytest.raises(StoreFull, match="do not fit"):
        check_room(STORE_CAPACITY - 5, 6)


def test_the_store_may_be_left_to_judge() -> None:
    """Without check_types any type passes, and any size that a file may have; uploads keep their place."""
    rules = Rules(check_types=False)
    rules.check_name(AUDIO, "new.flac")
    rules.check_size(AUDIO, AUDIO.limit + 1)
    with pytest.raises(TooLarge):
        rules.check_size(AUDIO, FILE_LIMIT + 1)
    with pytest.raises(NotPermitted):
        rules.check_name(GENERATED, "new.mp4")
