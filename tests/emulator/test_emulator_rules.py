"""The pure rooms beside the service: ids, ranges, signatures, faults."""

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimaxfs.emulator.faults import Fault, FaultPlan, Kind, announced, instead, spoil
from minimaxfs.emulator.ids import file_ids
from minimaxfs.emulator.messages import Inline, Operation, Reply, Slice
from minimaxfs.emulator.ranges import wanted
from minimaxfs.emulator.signing import Signer, Verdict, file_id_of, object_path

NOW = 1_795_000_000.0
PART = Reply(206, (("content-range", "bytes 2-4/10"),), Slice(Inline(b"0123456789"), 2, 5))


def test_ids_have_15_digits_and_no_order() -> None:
    """Ids look like the real ones: 15 digits, scattered."""
    ids = list(islice(file_ids(NOW), 1000))
    assert all(len(str(file_id)) == 15 for file_id in ids)
    assert len(set(ids)) == 1000
    falls = sum(after < before for before, after in pairwise(ids))
    assert 200 < falls < 800


def test_ids_of_two_runs_never_meet() -> None:
    """A run that starts a second later gives none of the ids of the run before."""
    assert set(islice(file_ids(NOW), 50_000)).isdisjoint(islice(file_ids(NOW + 1), 50_000))


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-9", (2, 10)),
        ("bytes=4-", (4, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-10", (0, 10)),
        ("bytes=2-10", None),
        ("bytes=-11", None),
        ("bytes=-0", None),
        ("bytes=10-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,3-4", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("items=0-1", None),
        ("", None),
        (None, None),
    ],
)
def test_a_range_is_served_only_where_it_lies_inside(
    header: str | None, part: tuple[int, int] | None
) -> None:
    """An end past the end is not clamped, and many ranges are none: both answer with everything."""
    assert wanted(header, 10) == part


def test_a_signature_holds_for_its_path_and_its_time() -> None:
    """A signed URL is good until it expires, and only as it was signed."""
    path = object_path(444795417354723, 'a "b"/声.wav')
    path_again, _, query = Signer(b"s").target(path, NOW, 60).partition("?")
    assert path_again == path
    assert file_id_of(path) == 444795417354723
    assert Signer(b"s").check(path, query, NOW + 59) is Verdict.VALID
    assert Signer(b"s").check(path, query, NOW + 61) is Verdict.EXPIRED
    assert Signer(b"s").check(path.replace("%2F", "/"), query, NOW) is Verdict.ALTERED
    assert Signer(b"s").check(path.replace("%2B", "+"), query, NOW) is Verdict.ALTERED
    assert Signer(b"s").check(path, query.replace("Expires=1", "Expires=2"), NOW) is Verdict.ALTERED
    assert Signer(b"t").check(path, query, NOW) is Verdict.ALTERED
    assert Signer(b"s").check(path, "", NOW) is Verdict.ALTERED


@given(st.text(st.characters()))
def test_an_object_path_is_one_clean_segment_pair(filename: str) -> None:
    """No filename makes a path that a client could normalise away."""
    path = object_path(1, filename)
    assert path.isascii()
    assert path.isprintable()
    assert path.count("/") == 2
    assert path.rpartition("/")[2] not in {"", ".", ".."}
    assert file_id_of(path) == 1


def test_faults_happen_after_so_many_and_so_often() -> None:
    """`after` lets requests by, `times` counts them out, and each operation has its own."""
    plan = FaultPlan()
    late = Fault(Operation.LIST, Kind.RESET, times=2, after=1)
    always = Fault(Operation.UPLOAD, Kind.GARBAGE, times=None)
    plan.add(late)
    plan.add(always)
    assert [len(plan.take(Operation.LIST)) for _ in range(4)] == [0, 1, 1, 0]
    assert [plan.take(Operation.UPLOAD) for _ in range(3)] == [(always,)] * 3
    plan.clear()
    assert plan.take(Operation.UPLOAD) == ()


def test_faults_spoil_a_range() -> None:
    """A range may become the whole, another range, or lie about its length."""
    whole = spoil(PART, Fault(Operation.DOWNLOAD, Kind.WHOLE))
    assert (whole.status, whole.headers, announced(whole)) == (200, (), 10)
    other = spoil(PART, Fault(Operation.DOWNLOAD, Kind.WRONG_RANGE))
    assert (other.headers, other.body) == (
        (("content-range", "bytes 3-5/10"),),
        Slice(Inline(b"0123456789"), 3, 6),
    )
    assert announced(spoil(PART, Fault(Operation.DOWNLOAD, Kind.WRONG_LENGTH, -2))) == 1
    assert spoil(PART, Fault(Operation.DOWNLOAD, Kind.DELAY, 1)) == PART


def test_faults_answer_in_the_stores_place() -> None:
    """STATUS comes with HTML or JSON and Retry-After, CODE under HTTP 200."""
    gateway = instead(Fault(Operation.LIST, Kind.STATUS, 429, retry_after=1.5))
    assert gateway is not None
    assert gateway.status == 429
    assert dict(gateway.headers) == {"content-type": "text/html", "retry-after": "1.5"}
    json = instead(Fault(Operation.LIST, Kind.STATUS, 500, '{"a":1}'))
    assert json is not None
    assert (json.body, dict(json.headers)["content-type"]) == (b'{"a":1}', "application/json")
    code = instead(Fault(Operation.LIST, Kind.CODE, 1002))
    assert code is not None
    assert (code.status, b"1002" in bytes_of(code)) == (200, True)
    assert instead(Fault(Operation.LIST, Kind.STALL)) is None


def bytes_of(reply: Reply) -> bytes:
    assert isinstance(reply.body, bytes)
    return reply.body
