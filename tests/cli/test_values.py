from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimaxfs import values


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("512M", 512 * 1024**2),
        ("10G", 10 * 1024**3),
        ("10g", 10 * 1024**3),
        ("10GB", 10 * 1000**3),
        ("1.5GiB", 3 * 1024**3 // 2),
        ("2 TiB", 2 * 1024**4),
        ("1k", 1024),
        (4096, 4096),
    ],
)
def test_a_size_is_bytes_or_a_number_with_a_unit(written: object, size: int) -> None:
    """Units without a tail are powers of 1024, as in du; B makes them powers of 1000."""
    assert values.size(written) == size


@pytest.mark.parametrize(
    "written", ["", "G", "-1", -1, "1X", "1e3", "1.G", "10 G B", "\u0661\u0660G", True, 1.5, None, "9" * 99]
)
def test_what_is_no_size_is_refused(written: object) -> None:
    """A wrong size is refused with an example of a right one."""
    with pytest.raises(ValueError, match="a size such as 512M"):
        values.size(written)


@given(st.integers(0, 10**14), st.sampled_from(sorted(values.SIZE_UNITS)))
def test_whole_sizes_are_exact(number: int, unit: str) -> None:
    """No whole number loses a byte on its way through the units."""
    assert values.size(f"{number}{unit}") == number * values.SIZE_UNITS[unit]


@pytest.mark.parametrize(
    ("written", "on"), [("1", True), ("Yes", True), ("OFF", False), ("0", False), (True, True)]
)
def test_a_switch_is_a_boolean_or_one_of_eight_words(written: object, on: bool) -> None:
    """true, yes, on, 1 and their opposites, in any case."""
    assert values.switch(written) is on


@pytest.mark.parametrize("written", ["", "maybe", 1, 0, None, "truee"])
def test_what_is_no_switch_is_refused(written: object) -> None:
    """A misspelt switch is not taken for off."""
    with pytest.raises(ValueError, match="true or false"):
        values.switch(written)


@pytest.mark.parametrize("written", ["", ".", "..", ".x", "a/b", "a b", "a\n", "é", "x" * 65, 7])
def test_a_word_cannot_lead_out_of_its_directory(written: object) -> None:
    """What becomes a path component holds no slash, no leading dot and nothing strange."""
    with pytest.raises(ValueError, match="a name of letters"):
        values.word(written)


@pytest.mark.parametrize(("written", "seconds"), [("30", 30.0), ("1.5", 1.5), (0, 0.0), (2.5, 2.5)])
def test_seconds_are_a_number(written: object, seconds: float) -> None:
    """A whole number or a fraction, as text or not."""
    assert values.seconds(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "-1", -1, "1m", "1e3", "inf", float("inf"), float("nan"), True, "\u0661", None]
)
def test_what_is_no_time_is_refused(written: object) -> None:
    """A wrong time is refused with an example of a right one."""
    with pytest.raises(ValueError, match="a number of seconds, such as 30"):
        values.seconds(written)


@pytest.mark.parametrize("written", ["*.tmp", ["a/b"], [""], [1], {"*": 1}])
def test_patterns_are_a_list_of_what_names_can_match(written: object) -> None:
    """No name has a slash, so a pattern with one is a mistake."""
    with pytest.raises(ValueError, match="a list of patterns"):
        values.patterns(written)


@given(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()), st.binary()
    )
)
def test_readers_refuse_with_value_error_alone(written: object) -> None:
    """Whatever a file holds, a reader returns a value or raises ValueError."""
    readers = (
        values.dollars,
        values.one_of("debug", "info"),
        values.patterns,
        values.path,
        values.seconds,
        values.size,
        values.switch,
        values.table,
        values.text,
        values.url_path,
        values.whole,
        values.word,
        values.words,
    )
    for reader in readers:
        with suppress(ValueError):
            reader(written)
