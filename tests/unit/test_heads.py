"""Heads: what is read without h11 means what h11 says, and nothing goes out that ends a line."""

import time
from collections.abc import Callable

import h11
import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minimaxfs.api.heads import Head, judged, outgoing, plain

GOOD = b'HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n'


def by_h11(head: bytes) -> Head:
    """What h11 says; raises its errors."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(head)
    event = connection.next_event()
    assert isinstance(event, h11.Response)
    return judged(event)


def test_a_plain_head_is_read() -> None:
    """Names become small, values lose the blanks around them, and one length is the length."""
    assert plain(GOOD) == Head(206, [(b"content-length", b"5"), (b"etag", b'"x"')], 5, stays=True)
    assert plain(GOOD) == by_h11(GOOD)


@pytest.mark.parametrize(
    ("option", "stays"),
    [(b"close", False), (b"Close", False), (b"keep-alive, close", False), (b"keep-alive", True), (b"", True)],
)
def test_a_connection_that_closes_does_not_stay(option: bytes, stays: bool) -> None:
    """`close` among the options of `Connection` is the last word."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: %b\r\n\r\n" % option
    found = plain(head)
    assert found is not None
    assert found.stays is stays
    assert by_h11(head) == found


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n Content-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 5\n\n",
        b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\rContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: \x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA\x00: b\r\n\r\n",
        b"HTTP/1.1 200 O\x00K\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5_0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: 5\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 600 What\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/2 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"http/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b" HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        b"",
    ],
)
def test_what_could_mean_two_things_is_left_to_h11(head: bytes) -> None:
    """Anything that one reader might take for this and another for that is not plain."""
    assert plain(head) is None


NAMES = st.sampled_from(
    [
        b"Content-Length",
        b"content-length",
        b"Connection",
        b"Transfer-Encoding",
        b"ETag",
        b"X",
        b"A b",
        b"\xff",
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        [b"0", b"5", b"007", b"5, 5", b"close", b"keep-alive", b"a,\tclose ", b"chunked", b"", b"\xe4"]
    ),
    st.binary(max_size=6),
)
BLANKS = st.sampled_from([b"", b" ", b"\t", b"  \t "])
FIELDS = st.builds(
    lambda name, before, value, after, end: name + b":" + before + value + after + end,
    NAMES,
    BLANKS,
    VALUES,
    BLANKS,
    st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"]),
)
FIRST = st.builds(
    lambda status, reason: b"HTTP/1.1 " + status + reason + b"\r\n",
    st.sampled_from([b"200", b"206", b"204", b"304", b"404", b"503", b"100"]),
    st.sampled_from([b"", b" ", b" OK", b" a\tb \xe4", b"  "]),
)
HEADS = st.builds(
    lambda first, fields: first + b"".join(fields) + b"\r\n", FIRST, st.lists(FIELDS, max_size=4)
)


@given(HEADS)
@example(GOOD)
def test_whatever_is_plain_means_the_same_to_h11(head: bytes) -> None:
    """Status, fields, length and whether the connection stays: never two opinions."""
    found = plain(head)
    if found is not None:
        assert by_h11(head) == found


@given(
    st.sampled_from([GOOD, GOOD.replace(b"ETag", b"Connection"), GOOD.replace(b"206", b"200")]),
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 2), st.binary(max_size=2)), max_size=3),
)
def test_a_spoilt_head_is_not_misread(head: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    """Bytes that were put in, taken out or changed make it another head, or one for h11."""
    for at, taken, put in changes:
        head = head[:at] + put + head[at + taken :]
    found = plain(head)
    if found is not None:
        assert by_h11(head) == found


LONG: tuple[Callable[[int], bytes], ...] = (
    lambda size: b"HTTP/1.1 200 OK\r\nA:" + b" " * size + b"\x00\r\n\r\n",
    lambda size: b"HTTP/1.1 200 " + b" " * size + b"\x00\r\n\r\n",
    lambda size: b"HTTP/1.1 200 OK\r\n" + b"a:\r\n" * (size // 4) + b"\x00\r\n",
    lambda size: b"HTTP/1.1 200 OK\r\n" + b"a" * size + b"\r\n\r\n",
    lambda size: b"HTTP/1.1 200 OK\r\nContent-Length:" + b" " * size + b"5" + b" " * size + b"\r\n\r\n",
)


def shortest(head: bytes) -> float:
    """Seconds of the best of a few readings: the others were disturbed."""
    best = float("inf")
    for _ in range(7):
        began = time.perf_counter()
        plain(head)
        best = min(best, time.perf_counter() - began)
    return best


@pytest.mark.parametrize("build", LONG)
def test_a_long_head_costs_no_more_than_its_length(build: Callable[[int], bytes]) -> None:
    """Sixteen times the blanks take about sixteen times as long, not 256 times."""
    assert shortest(build(64 * 1024)) < 80 * shortest(build(4 * 1024))


def request(url: str = "http://a.example/b", headers: dict[bytes, bytes] | None = None) -> httpx.Request:
    return httpx.Request("GET", url, headers=headers or {})


class _Target(httpx.URL):
    """A link whose target is what a test says."""

    def __init__(self, target: bytes) -> None:
        super().__init__("http://a.example/")
        self._target = target

    @property
    def raw_path(self) -> bytes:
        return self._target


def test_a_request_goes_out_as_it_is() -> None:
    """One line a header, the target byte for byte."""
    head = outgoing(request("http://a.example/b%2fc?d=e", {b"Range": b"bytes=0-1"}))
    assert head.startswith(b"GET /b%2fc?d=e HTTP/1.1\r\nHost: a.example\r\n")
    assert b"Range: bytes=0-1\r\n" in head
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n\r\n") == 1


@pytest.mark.parametrize("target", [b"/a b", b"/a\r\nX: y", b"/a\n", b"/a\x00", b"/\xff", b"/a\tb"])
def test_a_target_cannot_end_its_line(target: bytes) -> None:
    """A link with a blank or the end of a line in it is refused, without being said."""
    asked = request()
    asked.url = _Target(target)
    with pytest.raises(httpx.LocalProtocolError) as caught:
        outgoing(asked)
    assert "/" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"A", b"b\r\nX: y"),
        (b"A", b"b\n"),
        (b"A", b"b\r"),
        (b"A", b"\x00"),
        (b"A", b"\x7f"),
        (b"A b", b"c"),
        (b"A\r\nX", b"c"),
    ],
)
def test_a_header_cannot_end_its_line(name: bytes, value: bytes) -> None:
    """No header brings another one with it."""
    with pytest.raises(httpx.LocalProtocolError):
        outgoing(request(headers={name: value}))
