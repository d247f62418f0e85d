"""MiniMax's JSON: every field by itself, and never an error that nobody declared."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimaxfs.api import asks, wire
from minimaxfs.api.asks import Ask, Reply
from minimaxfs.core.errors import BrokenReply, FsError, NoSuchFile
from minimaxfs.core.files import MAX_FILE_ID, RemoteFile, Retrieved
from wire_replies import (
    CONTENT,
    FILE,
    LIST,
    OK,
    PARSERS,
    RETRIEVE,
    deleted,
    listed,
    refused,
    reply,
    retrieved,
    uploaded,
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(
        [
            0,
            -1,
            7,
            "7",
            "07",
            2**53 + 1,
            MAX_FILE_ID,
            MAX_FILE_ID + 1,
            "9" * 5000,
            "\u0667",
            "\ud800",
        ]
    ),
)
names = st.one_of(
    st.sampled_from(["file", "files", "base_resp", "error", "message", "trace_id"]),
    st.sampled_from(["status_code", "status_msg", "file_id", "bytes", "created_at", "filename", "purpose"]),
    st.text(max_size=3),
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=30
)
statuses = st.sampled_from(
    [200, 204, 302, 400, 401, 402, 403, 404, 413, 418, 422, 429, 500, 503, 504, 507, 529]
)


def outcome(parse: Callable[[Reply], object], answer: Reply) -> object:
    try:
        return parse(answer)
    except FsError as error:
        return error


def _check(value: object) -> None:
    match value:
        case FsError() as error:
            assert "\n" not in str(error)
            assert len(str(error)) < 500
        case wire.Listing(files=files):
            for file in files:
                _check(file)
        case Retrieved(file=file):
            _check(file)
        case RemoteFile() as file:
            assert 1 <= file.file_id <= MAX_FILE_ID
            assert 0 <= file.size <= MAX_FILE_ID
            assert 0 <= file.created_at < 2**33
            (file.filename + file.purpose).encode()


@given(document=documents, status=statuses)
def test_no_json_brings_more_than_the_declared_errors(document: object, status: int) -> None:
    """Whatever JSON comes, a parser answers with a checked value or with an error of the drive."""
    for parse in PARSERS:
        _check(outcome(parse, reply(document, status)))
    assert isinstance(wire.failure(CONTENT, reply(document, status)), FsError)


@given(entry=st.dictionaries(names, documents), status=statuses)
def test_no_file_object_brings_more_than_the_declared_errors(entry: dict[str, object], status: int) -> None:
    """Nor does any JSON in the place of a file."""
    for document in ({"file": entry, "base_resp": OK}, {"files": [entry, FILE], "base_resp": OK}):
        for parse in PARSERS:
            _check(outcome(parse, reply(document, status)))


@given(body=st.binary(), status=statuses)
def test_no_bytes_bring_more_than_the_declared_errors(body: bytes, status: int) -> None:
    """Nor do any bytes in the place of JSON."""
    for parse in PARSERS:
        _check(outcome(parse, reply(body, status)))


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000, b"\xff", b"NaN"])
def test_hostile_json_is_a_broken_reply(body: bytes) -> None:
    """Nesting, digits and encodings that break a parser are the store's fault, and said to be."""
    assert isinstance(refused(listed, reply(body)), BrokenReply)


@given(file_id=st.integers(min_value=1, max_value=MAX_FILE_ID), quoted=st.booleans())
def test_an_id_survives_exactly(file_id: int, quoted: bool) -> None:
    """Ids above 2**53 come through to the last digit, as numbers and as strings."""
    entry = {**FILE, "file_id": str(file_id) if quoted else file_id}
    assert listed(reply({"files": [entry], "base_resp": OK})).files[0].file_id == file_id


@pytest.mark.parametrize(
    "file_id",
    [
        0,
        -7,
        MAX_FILE_ID + 1,
        7.0,
        True,
        None,
        "",
        "7a",
        "-7",
        " 7",
        "\u0667",
        [7],
        {"id": 7},
        float("nan"),
    ],
)
def test_an_entry_without_a_valid_id_costs_only_itself(file_id: object) -> None:
    """One bad entry of a listing is dropped and counted; the others stay."""
    listing = listed(reply({"files": [{**FILE, "file_id": file_id}, FILE, 5], "base_resp": OK}))
    assert [file.file_id for file in listing.files] == [7]
    assert listing.dropped == 2


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("file_id", [0, -1, MAX_FILE_ID, MAX_FILE_ID + 1, True, 7.0, "7", None]),
        ("bytes", [0, -1, MAX_FILE_ID, MAX_FILE_ID + 1, True, 7.0, "7", None, [7]]),
        ("created_at", [0, -1, 2**33 - 1, 2**33, True, 7.0, "7", None]),
        ("filename", ["", "\ud800", "语音.wav", None, 7, ["a"]]),
        ("purpose", ["", "prompt_audio", "\ud800", None, 7]),
    ],
)
def test_a_listing_reads_an_entry_as_any_answer_would(name: str, values: list[object]) -> None:
    """An entry with an odd field, or without it, is the same file in a listing as by itself."""
    without = {key: value for key, value in FILE.items() if key != name}
    for entry in (without, *({**FILE, name: value} for value in values)):
        alone = wire.parse_file(entry, "voice_clone")
        assert listed(reply({"files": [entry], "base_resp": OK})).files == ([] if alone is None else [alone])


def test_a_file_twice_in_a_listing_is_one_file() -> None:
    """A listing holds each id once."""
    assert len(listed(reply({"files": [FILE, FILE], "base_resp": OK})).files) == 1


@pytest.mark.parametrize("document", [{"files": None, "base_resp": OK}, {"base_resp": OK}, {"files": []}])
def test_an_empty_listing_has_three_shapes(document: object) -> None:
    """`files: null`, no `files` beside a `base_resp`, and an empty list are all empty."""
    assert listed(reply(document)) == wire.Listing([])


def test_a_listing_with_the_fields_of_a_file_is_a_listing() -> None:
    """What stands beside `files` or `base_resp` makes no file of the whole."""
    assert listed(reply({**FILE, "files": [FILE]})).files == [
        RemoteFile(7, "voice_clone", "a.wav", 12, 1790000000)
    ]
    assert listed(reply({**FILE, "base_resp": OK})) == wire.Listing([])


@pytest.mark.parametrize(
    "document", [FILE, {"files": FILE}, {"files": [[FILE]]}, {"files": [{"file": FILE}]}]
)
def test_a_file_in_another_place_is_none_of_a_listing(document: object) -> None:
    """Only what stands in the list is listed."""
    result = outcome(listed, reply(document))
    assert isinstance(result, BrokenReply) or result == wire.Listing([], dropped=1)


@pytest.mark.parametrize("place", ["base_resp", "error"])
def test_a_file_in_the_place_of_a_verdict_is_no_verdict(place: str) -> None:
    """A `base_resp` without a code says nothing, and an `error` is one, whatever it is."""
    result = outcome(listed, reply({"files": [FILE], place: FILE}))
    assert isinstance(result, wire.Listing if place == "base_resp" else BrokenReply)


@pytest.mark.parametrize("document", [{}, {"files": {}}, {"files": "none", "base_resp": OK}, []])
def test_no_listing_is_not_an_empty_one(document: object) -> None:
    """A reply that is no listing is an error: else all files would seem to be gone."""
    assert isinstance(refused(listed, reply(document)), BrokenReply)


def test_fields_that_are_no_values_fall_back() -> None:
    """A size or time that is none is 0; a purpose or name that is none is what was asked."""
    entry = {"file_id": 7, "bytes": "many", "created_at": 2**40, "filename": 5, "purpose": None}
    assert uploaded(reply({"file": entry})) == RemoteFile(7, "voice_clone", "a.wav", 0, 0)


@pytest.mark.parametrize("document", [{"file": None, "base_resp": OK}, {"base_resp": OK}, {"file": {}}])
def test_a_retrieve_without_a_file_means_that_there_is_none(document: object) -> None:
    """An absent or null `file` is "no such file"."""
    assert type(refused(retrieved, reply(document))) is NoSuchFile


def test_a_retrieve_of_another_file_is_not_believed() -> None:
    """The answer must be about the id that was asked for."""
    assert isinstance(refused(retrieved, reply({"file": {**FILE, "file_id": 8}})), BrokenReply)


@pytest.mark.parametrize("link", ["", None, 5, "ftp://h/a", "javascript:x"])
def test_no_link_is_none(link: object) -> None:
    """A download URL that is absent, empty or of another scheme is none."""
    assert retrieved(reply({"file": {**FILE, "download_url": link}})).download_url is None


def test_a_link_comes_byte_for_byte() -> None:
    """A download URL is handed on as it came."""
    link = "http://h/a%2fb%2Fc/../d?Signature=a%2Bb="
    assert retrieved(reply({"file": {**FILE, "download_url": link}})).download_url == link


@pytest.mark.parametrize(
    "document", [{"file_id": 7, "base_resp": OK}, {"file_id": "7"}, {"base_resp": OK}, b""]
)
def test_a_delete_that_worked_has_four_shapes(document: object) -> None:
    """An id, a string of it, a `base_resp` alone, and an empty success all say "deleted"."""
    deleted(reply(document))


@pytest.mark.parametrize("document", [{"file_id": 8, "base_resp": OK}, {}, []])
def test_a_delete_of_another_file_is_not_believed(document: object) -> None:
    """An answer about another file, or about none, is no success."""
    assert isinstance(refused(deleted, reply(document)), BrokenReply)


@pytest.mark.parametrize("ask", [LIST, RETRIEVE, CONTENT])
def test_questions_go_in_the_query(ask: Ask) -> None:
    """What is asked by GET has no body."""
    assert ask.json is None
    assert ask.query


def test_a_delete_sends_the_id_as_an_integer() -> None:
    """The live service refuses a string."""
    assert json.loads(asks.ask_delete(2**60, "voice_clone").json or b"") == {
        "file_id": 2**60,
        "purpose": "voice_clone",
    }
    assert json.loads(asks.ask_delete(7, "").json or b"") == {"file_id": 7}
