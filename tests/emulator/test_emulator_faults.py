"""Faults as a client meets them, over real sockets."""

import json
import time
from http.client import HTTPException, IncompleteRead
from pathlib import Path

import pytest

from minimaxfs.emulator.background import Emulator, running
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from plain_client import KEY, TEN, api, ask, get, upload, url_of

DOWNLOAD, LIST, UPLOAD = Operation.DOWNLOAD, Operation.LIST, Operation.UPLOAD


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(DOWNLOAD, Kind.RESET), ConnectionResetError),
        (Fault(DOWNLOAD, Kind.CUT, 4), IncompleteRead),
        (Fault(DOWNLOAD, Kind.WRONG_LENGTH, 5), IncompleteRead),
        (Fault(DOWNLOAD, Kind.LOSE_REPLY), HTTPException),
        (Fault(DOWNLOAD, Kind.STALL), TimeoutError),
        (Fault(DOWNLOAD, Kind.STALL, 4), TimeoutError),
    ],
    ids=lambda value: f"{value.kind.name}-{value.value}" if isinstance(value, Fault) else "",
)
def test_a_broken_download_fails_once(emulator: Emulator, fault: Fault, error: type[Exception]) -> None:
    """Each fault of the transport is what the client sees, and the next request is served."""
    url = url_of(emulator, emulator.add_file("voice_clone", "a.wav", TEN))
    emulator.inject(fault)
    with pytest.raises(error):
        get(url, patience=0.3)
    assert get(url).body == TEN


def test_a_shorter_length_hides_the_end(emulator: Emulator) -> None:
    """A Content-Length that is too small gives too few bytes, without any error."""
    url = url_of(emulator, emulator.add_file("voice_clone", "a.wav", TEN))
    emulator.inject(Fault(DOWNLOAD, Kind.WRONG_LENGTH, -3))
    assert get(url).body == TEN[:7]


def test_faults_combine(emulator: Emulator) -> None:
    """Two faults of one request both happen: late, and then of another range."""
    url = url_of(emulator, emulator.add_file("voice_clone", "a.wav", TEN))
    emulator.inject(Fault(DOWNLOAD, Kind.DELAY, 0.1), Fault(DOWNLOAD, Kind.WRONG_RANGE, 2))
    began = time.monotonic()
    reply = get(url, range="bytes=1-3")
    assert (reply.body, reply.headers["content-range"]) == (b"345", "bytes 3-5/10")
    assert time.monotonic() - began >= 0.1


def test_a_slow_body_takes_its_time(emulator: Emulator) -> None:
    """SLOW paces the body in bytes a second."""
    url = url_of(emulator, emulator.add_file("voice_clone", "a.wav", TEN * 1000))
    emulator.inject(Fault(DOWNLOAD, Kind.SLOW, 40_000))
    began = time.monotonic()
    assert get(url).body == TEN * 1000
    assert 0.2 <= time.monotonic() - began < 2


def test_answers_in_the_stores_place(emulator: Emulator) -> None:
    """Codes, HTTP errors and garbage come instead of the store's answer; cleared faults do not come."""
    emulator.inject(
        Fault(LIST, Kind.CODE, 1002),
        Fault(LIST, Kind.STATUS, 503, retry_after=2, after=1),
        Fault(LIST, Kind.GARBAGE, after=2),
        Fault(LIST, Kind.RESET, after=3),
    )
    code, status, garbage = (api(emulator, "/v1/files/list") for _ in range(3))
    assert json.loads(code.body)["base_resp"]["status_code"] == 1002
    assert (status.status, status.headers["retry-after"]) == (503, "2")
    with pytest.raises(json.JSONDecodeError):
        json.loads(garbage.body)
    emulator.clear_faults()
    assert api(emulator, "/v1/files/list").status == 200


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        (Fault(UPLOAD, Kind.LOSE_REPLY), 1),
        (Fault(UPLOAD, Kind.CODE, 1000, executed=True), 1),
        (Fault(UPLOAD, Kind.CODE, 1000), 0),
        (Fault(UPLOAD, Kind.STATUS, 502), 0),
        (Fault(UPLOAD, Kind.RESET), 0),
    ],
    ids=lambda value: f"{value.kind.name}-{value.executed}" if isinstance(value, Fault) else str(value),
)
def test_an_upload_is_stored_or_not_whatever_the_answer(emulator: Emulator, fault: Fault, kept: int) -> None:
    """A lost or false answer says nothing of what the store did."""
    emulator.inject(fault)
    try:
        assert b'"file":' not in upload(emulator, "a.wav", TEN).body
    except (HTTPException, ConnectionError):
        assert fault.kind in {Kind.LOSE_REPLY, Kind.RESET}
    assert len(emulator.files()) == kept


def test_the_network_goes_away_and_comes_back(emulator: Emulator) -> None:
    """Offline, connections break and are refused; the same ports answer again, with the same files."""
    file_id = emulator.add_file("voice_clone", "a.wav", TEN)
    url = url_of(emulator, file_id)
    for _ in range(2):
        with emulator.offline(), pytest.raises(ConnectionRefusedError):
            get(url)
        assert get(url).body == TEN


def test_a_content_that_vanished_ends_one_connection(emulator: Emulator, tmp_path: Path) -> None:
    """A file that somebody removed from the disk breaks its own download, and nothing else."""
    content = tmp_path / "a.wav"
    content.write_bytes(TEN)
    url = url_of(emulator, emulator.add_file("voice_clone", "a.wav", content))
    assert get(url).body == TEN
    content.unlink()
    with pytest.raises(IncompleteRead):
        get(url)
    assert api(emulator, "/v1/files/list").status == 200


def test_what_hangs_does_not_delay_the_end() -> None:
    """A stalled request is dropped at once when the emulator ends."""
    with running() as emulator:
        emulator.inject(Fault(LIST, Kind.STALL))
        with pytest.raises(TimeoutError):
            ask(emulator.api_origin, "/v1/files/list", headers=KEY, patience=0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 1
