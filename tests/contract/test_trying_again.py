"""Which failures are tried again, how often, and what is said when it did not help. Measured in requests."""

from collections import Counter
from dataclasses import replace

import pytest
import trio

from api_bodies import Bytes
from minimaxfs.api.client import Client
from minimaxfs.api.endpoint import Operation
from minimaxfs.core.errors import (
    AccessRefused,
    BrokenReply,
    ContentRefused,
    FsError,
    NoSuchFile,
    NotPermitted,
    NotSupported,
    Offline,
    QuotaSpent,
    RateLimited,
    ServerFailed,
)
from minimaxfs.emulator.background import Emulator
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation as Asked
from minimaxfs.emulator.settings import Unlisted

PURPOSE = "voice_clone"

LOST = (Kind.LOSE_REPLY, Kind.RESET, Kind.GARBAGE)


@pytest.mark.parametrize(
    ("fault", "kind", "requests"),
    [
        (Fault(Asked.LIST, Kind.CODE, 1000), ServerFailed, 4),
        (Fault(Asked.LIST, Kind.RESET), BrokenReply, 4),
        (Fault(Asked.LIST, Kind.CODE, 2049), AccessRefused, 1),
        (Fault(Asked.LIST, Kind.STATUS, 403), AccessRefused, 1),
        (Fault(Asked.LIST, Kind.CODE, 1008), QuotaSpent, 1),
        (Fault(Asked.LIST, Kind.STATUS, 402, '{"error": {"message": "pay"}}'), QuotaSpent, 1),
        (Fault(Asked.LIST, Kind.STATUS, 404), NotSupported, 1),
    ],
)
async def test_a_call_is_tried_as_often_as_its_error_is_worth(
    client: Client, emulator: Emulator, fault: Fault, kind: type[FsError], requests: int
) -> None:
    """A lasting failure ends in its error after one request, or after four where time may mend it."""
    emulator.inject(replace(fault, times=None))
    with pytest.raises(kind):
        await client.list_files(PURPOSE)
    assert emulator.requests[Asked.LIST] == requests


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.GARBAGE, Kind.LOSE_REPLY, Kind.CUT, Kind.WRONG_LENGTH])
async def test_a_passing_failure_is_not_seen(client: Client, emulator: Emulator, kind: Kind) -> None:
    """A call whose second try succeeds succeeds, at the price of one more request."""
    file_id = emulator.add_file(PURPOSE, "a.wav", b"RIFF")
    emulator.inject(Fault(Asked.RETRIEVE, kind))
    assert (await client.retrieve(file_id)).file.file_id == file_id
    assert emulator.requests[Asked.RETRIEVE] == 2


async def test_the_meter_counts_what_the_store_counts(
    client: Client, emulator: Emulator, sent: Counter[Operation]
) -> None:
    """Each request that went out is counted once, also those that failed."""
    emulator.inject(Fault(Asked.LIST, Kind.STATUS, 500, times=2))
    await client.list_files(PURPOSE)
    assert sent == {Operation.list_files: 3}
    assert emulator.requests[Asked.LIST] == 3


async def test_the_store_says_how_long_to_wait(client: Client, emulator: Emulator) -> None:
    """`Retry-After` is waited for in full, and then the call goes through."""
    emulator.inject(Fault(Asked.LIST, Kind.STATUS, 503, retry_after=1))
    start = trio.current_time()
    await client.list_files(PURPOSE)
    assert trio.current_time() - start >= 1
    assert emulator.requests[Asked.LIST] == 2


async def test_a_long_wait_is_left_to_the_caller(client: Client, emulator: Emulator) -> None:
    """A `Retry-After` beyond the limit of the call ends it at once, and is handed on."""
    emulator.inject(Fault(Asked.LIST, Kind.STATUS, 429, retry_after=3600))
    with trio.fail_after(1), pytest.raises(RateLimited) as caught:
        await client.list_files(PURPOSE)
    assert caught.value.retry_after == 3600
    assert emulator.requests[Asked.LIST] == 1


async def test_offline_is_told_within_a_second(
    client: Client, emulator: Emulator, sent: Counter[Operation]
) -> None:
    """Without a network a call fails after a second try, and no request is counted."""
    with emulator.offline(), trio.fail_after(1), pytest.raises(Offline):
        await client.list_files(PURPOSE)
    assert not sent


@pytest.mark.parametrize("kind", LOST)
async def test_a_delete_whose_answer_is_lost_is_a_delete(
    client: Client, emulator: Emulator, kind: Kind
) -> None:
    """When the second try finds nothing to delete, the first one did it."""
    file_id = emulator.add_file(PURPOSE, "a.wav", b"RIFF")
    emulator.inject(Fault(Asked.DELETE, kind, executed=True))
    await client.delete(file_id, PURPOSE)
    assert emulator.requests[Asked.DELETE] == 2
    assert not emulator.files(PURPOSE)


async def test_a_delete_after_a_refusal_is_no_delete(client: Client, emulator: Emulator) -> None:
    """A rate limit says that nothing was done: "no such file" after it is an error as ever."""
    emulator.inject(Fault(Asked.DELETE, Kind.STATUS, 429, retry_after=0))
    with pytest.raises(NotPermitted):
        await client.delete(7, PURPOSE)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(Asked.UPLOAD, Kind.LOSE_REPLY), BrokenReply),
        (Fault(Asked.UPLOAD, Kind.RESET), BrokenReply),
        (Fault(Asked.UPLOAD, Kind.GARBAGE, executed=True), BrokenReply),
        (Fault(Asked.UPLOAD, Kind.CODE, 1000), ServerFailed),
        (Fault(Asked.UPLOAD, Kind.STATUS, 502), ServerFailed),
    ],
)
async def test_an_upload_that_may_be_stored_is_not_sent_again(
    client: Client, emulator: Emulator, fault: Fault, kind: type[FsError]
) -> None:
    """An ambiguous end of an upload is one request and an error that says so."""
    emulator.inject(fault)
    with pytest.raises(kind) as caught:
        await client.upload(PURPOSE, "a.wav", Bytes(b"RIFF" * 1000))
    assert caught.value.sent
    assert emulator.requests[Asked.UPLOAD] == 1


@pytest.mark.parametrize(
    "fault",
    [Fault(Asked.UPLOAD, Kind.STATUS, 429, retry_after=0), Fault(Asked.UPLOAD, Kind.CODE, 1002)],
)
async def test_an_upload_that_was_refused_for_its_rate_is_sent_again(
    client: Client, emulator: Emulator, fault: Fault
) -> None:
    """A definite "not now" stores nothing, so the same bytes go again, from the first."""
    emulator.inject(fault)
    uploaded = await client.upload(PURPOSE, "a.wav", Bytes(b"RIFF" * 1000))
    assert emulator.content(uploaded.file_id) == b"RIFF" * 1000
    assert emulator.requests[Asked.UPLOAD] == 2
    assert len(emulator.files(PURPOSE)) == 1


async def test_an_upload_without_a_network_was_not_sent(client: Client, emulator: Emulator) -> None:
    """Where no connection could be made, the error says that nothing left the machine."""
    with emulator.offline(), pytest.raises(Offline) as caught:
        await client.upload(PURPOSE, "a.wav", Bytes(b"RIFF"))
    assert not caught.value.sent


async def test_a_refused_upload_is_final(client: Client, emulator: Emulator) -> None:
    """Content that the store refuses is not sent a second time."""
    emulator.inject(Fault(Asked.UPLOAD, Kind.CODE, 1026, "sensitive"))
    with pytest.raises(ContentRefused, match="sensitive"):
        await client.upload(PURPOSE, "a.wav", Bytes(b"RIFF"))
    assert emulator.requests[Asked.UPLOAD] == 1


async def test_an_unlisted_purpose_is_not_permitted(client: Client, emulator: Emulator) -> None:
    """The store's refusal to list a purpose is told apart from an empty listing."""
    with pytest.raises(NotPermitted):
        await client.list_files("video_generation")
    emulator.change(replace(emulator.settings, unlisted=Unlisted.EMPTY))
    assert await client.list_files("video_generation") == []


async def test_a_file_that_is_gone_is_asked_for_once(client: Client, emulator: Emulator) -> None:
    """ "No such file" is an answer, not a failure to be tried again."""
    with pytest.raises(NoSuchFile):
        await client.retrieve(7)
    assert emulator.requests[Asked.RETRIEVE] == 1
