"""Links that say http: asked for by https first, and by http where that fails. Needs the ports of root."""

import os
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from minimaxfs.api.exchange import Tls
from minimaxfs.api.gets import Gets
from minimaxfs.api.standing import Standing
from minimaxfs.core.errors import Offline
from talking_server import Visit, ok, saying, talking

HOST = f"127.77.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}"
"""An address of this machine that no other test has."""

LINK = f"http://{HOST}/a%2fb?Signature=x"
BY_HTTPS, BY_HTTP = saying(ok(5) + b"https"), saying(ok(4) + b"http")


@dataclass
class Getting:
    """GETs of this process, and how many went out."""

    gets: Gets
    sent: Counter[str] = field(default_factory=Counter)

    async def read(self, size: int | None) -> bytes:
        async with self.gets.get(LINK, {}, size) as answer:
            return await answer.read(100)


@pytest.fixture(params=["short", "long"])
def size(request: pytest.FixtureRequest) -> int | None:
    """The bytes that are expected: few, or nobody knows."""
    return 5 if request.param == "short" else None


@pytest.fixture
async def getting() -> AsyncIterator[Getting]:
    sent: Counter[str] = Counter()
    gets = Gets(Tls(), Standing(), local=True, on_sent=lambda: sent.update(["get"]))
    yield Getting(gets, sent)
    await gets.aclose()


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What the host shows; its authority is trusted."""
    authority = trustme.CA()
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(context)
    return context


async def test_an_http_link_goes_by_https(
    getting: Getting, context: ssl.SSLContext, size: int | None
) -> None:
    """A signature does not cross the net in the clear where the host can do better."""
    async with talking(BY_HTTPS, context, HOST, 443) as secure, talking(BY_HTTP, None, HOST, 80) as open_:
        assert await getting.read(size) == b"https"
        assert await getting.read(size) == b"https"
    assert (secure.visits, open_.visits) == (1, 0)
    assert secure.heads[0].startswith(b"GET /a%2fb?Signature=x HTTP/1.1\r\n")
    assert getting.sent["get"] == 2


async def test_a_host_without_https_is_asked_once(getting: Getting, size: int | None) -> None:
    """What hangs up on TLS is spoken to by http, from then on at once."""

    async def hang_up(visit: Visit) -> None:
        await visit.bye()

    async with talking(hang_up, None, HOST, 443) as secure, talking(BY_HTTP, None, HOST, 80) as open_:
        for _ in range(3):
            assert await getting.read(size) == b"http"
    assert (secure.visits, open_.visits) == (1, 1)
    assert getting.sent["get"] == 3


async def test_a_host_without_the_port_is_asked_by_http(getting: Getting, size: int | None) -> None:
    """Nobody at the https port is no error either."""
    async with talking(BY_HTTP, None, HOST, 80):
        assert await getting.read(size) == b"http"
    assert getting.sent["get"] == 1


async def test_nobody_at_all_is_offline(getting: Getting, size: int | None) -> None:
    """Where neither answers, that is said; nothing went out."""
    with pytest.raises(Offline):
        await getting.read(size)
    assert getting.sent["get"] == 0


async def test_an_outage_does_not_cost_a_host_its_https(
    getting: Getting, context: ssl.SSLContext, size: int | None
) -> None:
    """After a moment in which neither answered, https is tried again, and not given up for good."""
    with pytest.raises(Offline):
        await getting.read(size)
    async with talking(BY_HTTPS, context, HOST, 443) as secure, talking(BY_HTTP, None, HOST, 80) as open_:
        assert await getting.read(size) == b"https"
    assert (secure.visits, open_.visits) == (1, 0)
