"""Refusals: each code and status is one error, a refused parameter what was asked."""

from collections.abc import Callable

import pytest

from minimaxfs.api.asks import Reply
from minimaxfs.core.errors import (
    AccessRefused,
    BrokenReply,
    ContentRefused,
    FsError,
    NoSuchFile,
    NotPermitted,
    NotSupported,
    QuotaSpent,
    RateLimited,
    ServerFailed,
    StoreFull,
    TimedOut,
    TooLarge,
)
from wire_replies import PARSERS, deleted, listed, refused, reply, retrieved, uploaded


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ((1000, 1013, 1024, 1033, 9999, -1), ServerFailed),
        ((1001,), TimedOut),
        ((1002, 1039, 1041, 2045), RateLimited),
        ((1004, 2049), AccessRefused),
        ((1008, 1028, 1030, 2056, 2061), QuotaSpent),
        ((1026, 1027, 1042, 2037, 2038, 2048), ContentRefused),
    ],
)
def test_each_code_has_its_error(codes: tuple[int, ...], kind: type[FsError]) -> None:
    """The store's codes mean the same for all operations, with HTTP 200 or without."""
    for code in codes:
        for parse in PARSERS:
            for status in (200, 400, 500):
                document = {"base_resp": {"status_code": code, "status_msg": "no"}, "file": None}
                error = refused(parse, reply(document, status))
                assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize(
    ("parse", "kind"),
    [(listed, NotPermitted), (uploaded, ContentRefused), (retrieved, NoSuchFile), (deleted, NotPermitted)],
)
def test_a_refused_parameter_means_what_was_asked(
    parse: Callable[[Reply], object], kind: type[FsError]
) -> None:
    """2013, and 400 with JSON, are "no such file", "refused content" or "not permitted" by the operation."""
    document = {"base_resp": {"status_code": 2013, "status_msg": "invalid params, file size too large"}}
    assert type(refused(parse, reply(document))) is kind
    assert type(refused(parse, reply({"message": "bad"}, 400))) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, BrokenReply),
        (400, BrokenReply),
        (401, AccessRefused),
        (402, QuotaSpent),
        (403, AccessRefused),
        (404, NotSupported),
        (413, TooLarge),
        (429, RateLimited),
        (500, ServerFailed),
        (502, ServerFailed),
        (504, TimedOut),
        (507, StoreFull),
        (529, ServerFailed),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[FsError]) -> None:
    """A gateway's HTML is judged by its status, and never makes a file seem to be gone."""
    for parse in PARSERS:
        error = refused(parse, reply(b"<html>bad</html>", status, content_type="text/html"))
        assert (type(error), error.code) == (kind, status)


def test_an_unknown_file_may_be_a_404_in_json() -> None:
    """A 404 in which the API itself speaks is about the file; of a list it is about the operation."""
    answer = reply({"error": {"message": "file not found"}}, 404)
    assert type(refused(retrieved, answer)) is NoSuchFile
    assert type(refused(deleted, answer)) is NoSuchFile
    assert type(refused(listed, answer)) is NotSupported


@pytest.mark.parametrize(
    "document", [{"error": {"message": "no"}}, {"error": "no"}, {"error": {}, "files": 1}]
)
def test_a_gateways_error_with_http_200_is_an_error(document: object) -> None:
    """`error` in place of what was asked for is a broken reply that quotes it."""
    assert isinstance(refused(listed, reply(document)), BrokenReply)


@pytest.mark.parametrize("said", ["storage is full", "Insufficient storage", "total capacity exceeded"])
def test_a_full_store_is_told_by_its_words(said: str) -> None:
    """No code is known for a full store, so the words of a refused upload count."""
    document = {"base_resp": {"status_code": 2013, "status_msg": said}}
    assert type(refused(uploaded, reply(document))) is StoreFull
    assert type(refused(retrieved, reply(document))) is NoSuchFile


def test_an_error_names_the_question_the_answer_and_the_trace() -> None:
    """The message says what was asked and answered; the trace id is the header's, or the body's."""
    document = {"base_resp": {"status_code": 1004, "status_msg": "login fail"}, "trace_id": "body"}
    error = refused(retrieved, reply(document, trace_id="head"))
    assert str(error) == "retrieve of file 7: the store answered 1004 (login fail)"
    assert error.trace_id == "head"
    assert refused(retrieved, reply(document)).trace_id == "body"


def test_the_stores_words_are_made_fit_for_a_log() -> None:
    """Line breaks, endless texts and the queries of URLs stay out of messages."""
    said = "see\nhttps://h/a?Signature=secret now\x1b[0m " + "x" * 10_000
    error = refused(listed, reply({"base_resp": {"status_code": 1000, "status_msg": said}}))
    assert "secret" not in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 300


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:00 GMT", "date": "Sun, 22 Nov 2026 10:00:30 GMT"}, 0.0),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:30 GMT"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-1"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_both_forms(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, or a date against the store's own clock; else nothing."""
    assert refused(listed, reply(b"", 429, **headers)).retry_after == seconds
