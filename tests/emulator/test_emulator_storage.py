"""The storage side of the pure service: what signed URLs lead to."""

from collections.abc import Callable

from minimaxfs.emulator.messages import Gzipped, Inline, Reply, Slice
from minimaxfs.emulator.settings import Settings
from service_calls import NOW, add, download, signed, store


def test_a_signed_url_serves_ranges_as_object_stores_do() -> None:
    """One range inside the object is served; an end past the end answers 200 with everything."""
    service = store()
    url = signed(service, add(service, data=b"0123456789"))
    part = download(service, url, {"range": "bytes=0-0"})
    assert (part.status, part.body) == (206, Slice(Inline(b"0123456789"), 0, 1))
    assert ("content-range", "bytes 0-0/10") in part.headers
    for whole in ("bytes=5-10", "bytes=0-1,4-5", "bytes=10-"):
        reply = download(service, url, {"range": whole})
        assert (reply.status, reply.body) == (200, Slice(Inline(b"0123456789"), 0, 10))
    service.settings = Settings(ranges=False)
    assert download(service, url, {"range": "bytes=0-0"}).status == 200


def test_a_signed_url_is_strict() -> None:
    """Expired or altered URLs, HEAD and Authorization are refused in XML; a deleted file is gone."""
    service = store(Settings(url_life=1))
    file_id = add(service, "video_generation", "output_aigc.mp4")
    url = signed(service, file_id)
    refusals: list[tuple[int, Callable[[], Reply]]] = [
        (403, lambda: download(service, url, now=NOW + 2)),
        (403, lambda: download(service, url.replace("%2F", "/"))),
        (403, lambda: download(service, url.replace("Signature=", "Signature=x"))),
        (403, lambda: download(service, url, method="HEAD")),
        (403, lambda: download(service, url, method="PUT")),
        (400, lambda: download(service, url, {"authorization": "Bearer sk-1"})),
    ]
    for status, ask in refusals:
        reply = ask()
        assert reply.status == status
        assert isinstance(reply.body, bytes)
        assert b"<Error><Code>" in reply.body
    assert download(service, url).status == 200
    service.remove(file_id)
    assert download(service, url).status == 404


def test_text_is_compressed_unless_identity_is_asked_for() -> None:
    """Text may come gzipped and without a length, to who does not send `Accept-Encoding: identity`."""
    service = store()
    url = signed(service, add(service, "t2a_async_input", "a.txt"))
    unsaid: dict[str, str] = {}
    for headers in (unsaid, {"accept-encoding": "gzip, deflate"}):
        reply = download(service, url, headers)
        assert (reply.body, reply.sized) == (Gzipped(Inline(b"abc")), False)
    assert download(service, url, {"accept-encoding": "identity"}).body == Slice(Inline(b"abc"), 0, 3)
    assert download(service, url, {"range": "bytes=0-1"}).status == 206
    service.settings = Settings(gzip_text=False)
    assert isinstance(download(service, url).body, Slice)


def test_the_storage_may_redirect() -> None:
    """A redirect goes to another host name, which serves."""
    service = store(Settings(redirects=True))
    reply = download(service, signed(service, add(service)))
    assert reply.status == 302
    location = dict(reply.headers)["location"]
    assert location.startswith("http://localhost:9/cdn/")
    assert download(service, location).status == 200
