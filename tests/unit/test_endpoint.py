"""Hosts, keys and the URLs of operations."""

import pytest

from minimaxfs.api.endpoint import PRESETS, Endpoint, Operation, checked_key, checked_origin
from minimaxfs.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://api.minimax.io", "https://api.minimax.io"),
        (" https://API.minimax.io/ ", "https://api.minimax.io"),
        ("https://api.minimax.io/v1/", "https://api.minimax.io"),
        ("https://gateway.example/minimax/", "https://gateway.example/minimax"),
        ("https://gateway.example:8443", "https://gateway.example:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_an_origin_is_made_of_what_people_type(text: str, origin: str) -> None:
    """Slashes, spaces and a `/v1` at the end do not matter; a gateway's path stays."""
    assert checked_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.minimax.io",
        "ftp://api.minimax.io",
        "http://api.minimax.io",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "https://",
        "https://user:hunter2@api.minimax.io",
        "https://api.minimax.io?x=hunter2",
        "https://api.minimax.io#x",
        "https://api minimax.io",
        "https://[api",
        "https://api.minimax.io:port",
        "https://api.minimax.io:0",
        "https://api.minimax.io\r\nX: y",
    ],
)
def test_what_is_no_safe_origin_is_refused(text: str) -> None:
    """No host, another scheme, plain HTTP beyond this machine, credentials: refused, and not quoted."""
    with pytest.raises(ConfigError) as caught:
        checked_origin(text)
    assert "hunter2" not in str(caught.value)
    assert caught.value.advice


def test_the_gateways_extra_query_goes_with_retrieve_only() -> None:
    """CometAPI wants its model named on a retrieve, and charges for it."""
    comet = PRESETS["cometapi"]
    assert comet.url(Operation.retrieve, {"file_id": "7"}) == (
        "https://api.cometapi.com/v1/files/retrieve?model=minimax-files-retrieve&file_id=7"
    )
    assert comet.url(Operation.list_files, {}) == "https://api.cometapi.com/v1/files/list"
    assert (comet.price(Operation.retrieve), comet.price(Operation.download)) == (0.004, 0.0)


def test_a_query_is_encoded() -> None:
    """A purpose of any characters stays one value."""
    url = Endpoint("https://h").url(Operation.list_files, {"purpose": "a b&c=d/é"})
    assert url == "https://h/v1/files/list?purpose=a%20b%26c%3Dd%2F%C3%A9"


def test_a_preset_can_be_somewhere_else() -> None:
    """A host of one's own keeps what is particular to the preset."""
    here = PRESETS["cometapi"].at("http://127.0.0.1:9/")
    assert here.local
    assert here.price(Operation.retrieve) == 0.004
    assert not PRESETS["global"].local


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "\u0667"])
def test_a_key_that_no_header_holds_is_refused(key: str) -> None:
    """Spaces, line breaks and letters beyond ASCII are in no key."""
    with pytest.raises(ConfigError):
        checked_key(key)


def test_a_key_is_trimmed() -> None:
    """A line break at the end of a key file is no part of the key."""
    assert checked_key("sk-1\n") == "sk-1"
