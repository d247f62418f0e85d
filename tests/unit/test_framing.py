"""Which bytes an answer holds, and when it is not to be believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimaxfs.api.framing import Framing, framing, range_header
from minimaxfs.core.errors import BrokenReply


def part(extent: str, **more: str) -> dict[str, str]:
    return {"content-range": extent} | {name.replace("_", "-"): value for name, value in more.items()}


@pytest.mark.parametrize(
    ("headers", "start", "stop", "expected"),
    [
        (part("bytes 0-0/9"), 0, 1, Framing(0, 1, 9, whole=False)),
        (part("bytes 0-8/9", content_length="9"), 0, 9, Framing(0, 9, 9, whole=True)),
        (part("bytes 5-8/9"), 5, 20, Framing(5, 9, 9, whole=False)),
        (part("bytes 5-8/9"), 5, None, Framing(5, 9, 9, whole=False)),
        (part("bytes 5-8/*"), 5, 9, Framing(5, 9, None, whole=False)),
        (part("BYTES 5-8/*"), 5, None, Framing(5, 9, None, whole=False)),
    ],
)
def test_a_part_is_what_its_range_says(
    headers: dict[str, str], start: int, stop: int | None, expected: Framing
) -> None:
    """206 with the range that was asked for, clamped to the end of the file at most."""
    assert framing("x", 206, headers, start, stop) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {},
        part("bytes */9"),
        part("bytes 4-8/9"),
        part("bytes 5-7/9"),
        part("bytes 5-9/20"),
        part("bytes 5-8/7"),
        part("bytes 8-5/9"),
        part("pages 5-8/9"),
        part("bytes 5-8/9", content_length="3"),
        part("bytes 5-8/9", content_length="four"),
        part("bytes 5-8/9", content_encoding="gzip"),
        part("bytes 5-" + "9" * 40 + "/9"),
    ],
)
def test_a_part_that_contradicts_the_question_is_not_believed(headers: dict[str, str]) -> None:
    """A range that is missing, shifted, short, long or of another length is a broken reply."""
    with pytest.raises(BrokenReply):
        framing("x", 206, headers, 5, 9)


def test_200_is_the_whole_file() -> None:
    """Whatever was asked for; its length may be unknown."""
    assert framing("x", 200, {"content-length": "9"}, 5, 7) == Framing(0, 9, 9, whole=True)
    assert framing("x", 200, {}, 5, 7) == Framing(0, None, None, whole=True)


def test_416_tells_the_size() -> None:
    """A start at the end or past it brings no bytes but the total; any other refusal is not believed."""
    assert framing("x", 416, part("bytes */9"), 9, 12) == Framing(9, 9, 9, whole=False)
    assert framing("x", 416, part("bytes */0"), 0, 1) == Framing(0, 0, 0, whole=False)
    for headers in ({}, part("bytes */9"), part("bytes 1-2/3")):
        with pytest.raises(BrokenReply):
            framing("x", 416, headers, 5, 7)


@pytest.mark.parametrize("status", [201, 204, 301, 304, 403, 404, 500])
def test_other_statuses_bring_no_file(status: int) -> None:
    """What they mean is decided elsewhere."""
    assert framing("x", status, {}, 0, 1) is None


@given(extent=st.text(), length=st.text(), status=st.sampled_from([200, 206, 416]))
def test_no_header_brings_more_than_a_broken_reply(extent: str, length: str, status: int) -> None:
    """Any text in a header is believed exactly or refused."""
    try:
        frame = framing("x", status, {"content-range": extent, "content-length": length}, 0, 4)
    except BrokenReply:
        return
    assert frame is not None
    assert frame.stop is None or frame.start <= frame.stop


def test_a_range_is_half_open_and_its_header_is_not() -> None:
    """The last byte is named, or left open."""
    assert range_header(0, 1) == {"Range": "bytes=0-0"}
    assert range_header(5, None) == {"Range": "bytes=5-"}
