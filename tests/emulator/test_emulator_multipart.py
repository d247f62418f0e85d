from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimaxfs.emulator.multipart import (
    MultipartError,
    Parser,
    PartData,
    PartEnd,
    PartStart,
    boundary_of,
    part_start,
)

BOUNDARY = b"c0ffee"
Part = tuple[PartStart, bytes]


def form(*parts: tuple[bytes, bytes]) -> bytes:
    body = b"".join(b"--%b\r\n%b\r\n\r\n%b\r\n" % (BOUNDARY, head, data) for head, data in parts)
    return body + b"--%b--\r\n" % BOUNDARY


def parse(pieces: list[bytes]) -> list[Part]:
    parser = Parser(BOUNDARY)
    parts: list[Part] = []
    ended = 0
    for piece in pieces:
        for event in parser.feed(piece):
            match event:
                case PartStart():
                    parts.append((event, b""))
                case PartData(data=data):
                    parts[-1] = (parts[-1][0], parts[-1][1] + data)
                case PartEnd():
                    ended += 1
    parser.finish()
    assert ended == len(parts)
    return parts


def named(disposition: str) -> PartStart:
    return part_start(f"Content-Disposition: form-data; {disposition}".encode())


contents = st.one_of(
    st.binary(max_size=60),
    st.lists(st.sampled_from([b"\r", b"\n", b"--", b"\r\n--", BOUNDARY[:3], b"x"]), max_size=20).map(
        b"".join
    ),
)


@given(contents, contents, st.lists(st.integers(0, 400), max_size=12))
def test_any_chunking_gives_the_same_parts(first: bytes, second: bytes, cuts: list[int]) -> None:
    """How the body was cut on its way does not show in what comes out."""
    body = form(
        (b'Content-Disposition: form-data; name="purpose"', first),
        (b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav', second),
    )
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    whole = [(PartStart("purpose", None), first), (PartStart("file", "a.wav"), second)]
    assert parse([body[start:stop] for start, stop in pairwise(edges)]) == whole
    assert parse([bytes([byte]) for byte in body]) == whole


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('name="file"; filename="a b.txt"', "a b.txt"),
        ('name="file"; filename="say \\"hi\\".txt"', 'say "hi".txt'),
        ('name="file"; filename="back\\\\slash.txt"', "back\\slash.txt"),
        ('name="file"; filename="C:\\dir\\a.txt"', "C:\\dir\\a.txt"),
        ('name="file"; filename="%22%0D%0A.txt"', "%22%0D%0A.txt"),
        ('name="file"; filename="a;b=c.txt"', "a;b=c.txt"),
        ('name="file"; filename="声音.wav"', "声音.wav"),
        ("name=file; filename=plain.txt", "plain.txt"),
        ('name="file"; filename="_.txt"; filename*=UTF-8\'\'%E5%A3%B0%20%22.txt', '声 ".txt'),
        ('name="file"; filename*=utf-8\'en\'a.txt; filename="b.txt"', "a.txt"),
        ('name="file"', None),
    ],
)
def test_filenames_come_as_they_were_meant(disposition: str, filename: str | None) -> None:
    """Quoted, escaped and extended filenames are read; what browsers escape as %22 stays."""
    assert named(disposition) == PartStart("file", filename)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--c0ffee",
        b"--c0ffee\r\n",
        b"junk--c0ffee\r\n",
        form((b'Content-Disposition: form-data; name="a"', b"1"))[:-6],
        form((b"Content-Type: text/plain", b"1")),
        form((b'Content-Disposition: attachment; name="a"', b"1")),
        form((b"Content-Disposition: form-data; filename=a", b"1")),
        form((b'Content-Disposition: form-data; name="a" junk', b"1")),
        form((b"Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''%FF", b"1")),
        form((b"Content-Disposition: form-data; name=\"a\"; filename*=latin-1''a", b"1")),
        form((b'Content-Disposition: form-data; name="\xff"', b"1")),
        form((b"no colon", b"1")),
        b"--c0ffeeX\r\n",
        b"--c0ffee\r\nX: " + b"y" * 20_000,
    ],
)
def test_what_is_not_a_form_is_refused(body: bytes) -> None:
    """A malformed body is an error, not a guess."""
    with pytest.raises(MultipartError):
        parse([body])


def test_boundaries_are_found_in_the_content_type() -> None:
    """The boundary may be quoted, and may follow other parameters."""
    assert boundary_of("multipart/form-data; boundary=abc") == b"abc"
    assert boundary_of('Multipart/Form-Data; charset=utf-8; boundary="a b"') == b"a b"
    for wrong in ("", "application/json", "multipart/form-data", "multipart/mixed; boundary=a"):
        with pytest.raises(MultipartError):
            boundary_of(wrong)
