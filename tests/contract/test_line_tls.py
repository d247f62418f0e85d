"""TLS over lines, of this process and of the pump: whom they trust, and what they say of whom they do not."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio
import trustme

from block_contents import pattern
from line_calls import Asking
from minimaxfs.core.errors import Offline
from talking_server import Visit, ok, saying, talking

DATA = pattern(2 * 1024 * 1024 + 17)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(autouse=True)
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One authority is trusted, as a user would say it."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def served_as(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


async def test_the_right_name_is_trusted(asking: Asking, authority: trustme.CA) -> None:
    """A body pours, and its connection is used again."""
    context = served_as(authority.issue_cert("localhost"))
    async with talking(saying(ok(len(DATA)), DATA), context) as server:
        await asking.poured(server.url("localhost"), len(DATA))
        assert asking.written() == DATA
        assert await asking.read(server.url("localhost")) == DATA
        assert server.visits == 1


async def test_an_address_may_be_what_the_certificate_names(asking: Asking, authority: trustme.CA) -> None:
    """A host that is no name has its address in the certificate."""
    async with talking(saying(ok(2) + b"ok"), served_as(authority.issue_cert("127.0.0.1"))) as server:
        assert await asking.read(server.url()) == b"ok"


@pytest.mark.parametrize("rest", [0, 1, 100, 20_000, 300_000])
async def test_the_last_records_are_not_left_lying(asking: Asking, authority: trustme.CA, rest: int) -> None:
    """A fast body that pauses before its end comes whole, though TLS holds bytes back from the socket."""
    has_paused = trio.Event()

    async def pause(visit: Visit) -> None:
        await visit.head()
        await visit.say(ok(len(DATA)) + DATA[: len(DATA) - rest])
        await has_paused.wait()
        await visit.say(DATA[len(DATA) - rest :])
        await visit.head()

    async with (
        talking(pause, served_as(authority.issue_cert("localhost"))) as server,
        asking.get(server.url("localhost")) as answer,
    ):
        with trio.fail_after(15):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(asking.pour, answer, len(DATA))
                while not asking.moved or asking.moved[-1] < len(DATA) - rest:
                    await trio.sleep(0.001)
                has_paused.set()
    assert asking.written() == DATA


async def test_junk_in_the_same_record_is_no_answer(asking: Asking, authority: trustme.CA) -> None:
    """What TLS has taken from the socket already counts as come."""
    junk = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    may_go_on = trio.Event()

    async def talk(visit: Visit) -> None:
        while await visit.head():
            await visit.say(ok(9000))
            await may_go_on.wait()
            await visit.say(bytes(9000) + junk)

    async with talking(talk, served_as(authority.issue_cert("localhost"))) as server:
        for visits in (1, 2, 3):
            may_go_on = trio.Event()
            async with asking.get(server.url("localhost")) as answer:
                may_go_on.set()
                await asking.pour(answer, 9000)
            assert asking.written() == bytes(9000)
            assert server.visits == visits


async def refused(asking: Asking, certificate: trustme.LeafCert) -> str:
    """What is said of a certificate that is not taken, at localhost."""
    async with talking(saying(ok(2) + b"no"), served_as(certificate)) as server:
        with pytest.raises(Offline) as caught:
            await asking.read(server.url("localhost"))
        assert server.heads == []
    assert asking.sent == []
    return str(caught.value)


async def test_another_name_is_refused(asking: Asking, authority: trustme.CA) -> None:
    """A good certificate of another host is none."""
    said = await refused(asking, authority.issue_cert("other.example"))
    assert "not to be trusted" in said
    assert "localhost" in said


async def test_an_unknown_authority_is_refused(asking: Asking) -> None:
    """Anybody can make a certificate of any name."""
    assert "not to be trusted" in await refused(asking, trustme.CA().issue_cert("localhost"))


async def test_an_expired_certificate_is_refused(asking: Asking, authority: trustme.CA) -> None:
    """It is said that it has expired: the clock may be to blame."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    certificate = authority.issue_cert(
        "localhost", not_before=yesterday - timedelta(days=9), not_after=yesterday
    )
    assert "expired" in await refused(asking, certificate)


async def test_plain_http_on_a_tls_port_is_refused(asking: Asking) -> None:
    """A server that speaks without TLS is not spoken to."""

    async def speak(visit: Visit) -> None:
        await visit.stream.receive_some(100)
        await visit.say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await visit.bye()

    async with talking(speak) as server:
        with pytest.raises(Offline, match="TLS"):
            await asking.read(server.url().replace("http:", "https:"))
    assert asking.sent == []


async def test_a_handshake_that_breaks_off_is_refused(asking: Asking) -> None:
    """A server that hangs up in the middle of it is no server."""

    async def hang_up(visit: Visit) -> None:
        await visit.stream.receive_some(10)
        await visit.bye()

    async with talking(hang_up) as server:
        with pytest.raises(Offline):
            await asking.read(server.url().replace("http:", "https:"))
