"""Links to bytes: where an answer leads to, and which https link an http one stands for."""

import pytest

from minimaxfs.api.links import host_of, redirection, refuse_inward, secured
from minimaxfs.core.errors import BrokenReply

BASE = "https://store.example/a/b?Signature=x"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://store.example/a", "https://store.example/a"),
        ("HTTP://store.example/a", "https://store.example/a"),
        ("http://store.example:80/a", "https://store.example/a"),
        ("http://store.example:/a", "https://store.example/a"),
        ("http://store.example:0080/a", "https://store.example/a"),
        ("http://store.example:80", "https://store.example"),
        ("http://store.example?Signature=a%2Fb", "https://store.example?Signature=a%2Fb"),
        ("http://store.example/a:80/b?c:80", "https://store.example/a:80/b?c:80"),
        ("http://store.example#a/b", "https://store.example#a/b"),
        ("http://[2001:db8::80]/a", "https://[2001:db8::80]/a"),
        ("http://[2001:db8::1]:80/a", "https://[2001:db8::1]/a"),
        ("http://store.example:8080/a", None),
        ("http://store.example:443/a", None),
        ("http://store.example:many/a", None),
        ("http://store.example:99999/a", None),
        ("https://store.example/a", None),
        ("HTTPS://store.example/a", None),
        ("ftp://store.example/a", None),
        ("store.example/a", None),
        ("", None),
    ],
)
def test_an_http_link_has_an_https_one(url: str, expected: str | None) -> None:
    """The rest of the link stays byte for byte; a port of its own has no other that is known."""
    assert secured(url) == expected


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://cdn.example/a%2fb/../c?x=%7E", "https://cdn.example/a%2fb/../c?x=%7E"),
        ("HTTP://cdn.example/a", "HTTP://cdn.example/a"),
        ("/a%2fb/../c", "https://store.example/a%2fb/../c"),
        ("//cdn.example/c", "https://cdn.example/c"),
        ("c?d", "https://store.example/a/c?d"),
        ("?d", "https://store.example/a/b?d"),
        ("ftp://cdn.example/a", "ftp://cdn.example/a"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_leads_on(status: int, link: str, expected: str) -> None:
    """A link with a whole path goes out as it came: a signature covers it."""
    assert redirection(status, {"location": link}, BASE) == expected


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"location": "/c"}),
        (300, {"location": "/c"}),
        (304, {"location": "/c"}),
        (403, {"location": "/c"}),
        (302, {}),
    ],
)
def test_other_answers_lead_nowhere(status: int, headers: dict[str, str]) -> None:
    """Only the five redirections with a place to go to are followed."""
    assert redirection(status, headers, BASE) is None


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Store.example:444/a", "store.example"),
        ("http://[::1]/a", "::1"),
        ("http://[::1/a", ""),
        ("a", ""),
    ],
)
def test_the_host_of_a_link(url: str, host: str) -> None:
    """It is named without its port; what is no link has none."""
    assert host_of(url) == host


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "a.localhost",
        "[::1]",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
    ],
)
async def test_links_inward_are_refused(host: str) -> None:
    """No redirect from outside reaches this machine or its neighbours; the signature stays unsaid."""
    with pytest.raises(BrokenReply, match="not public") as caught:
        await refuse_inward(f"http://{host}/a?Signature=secret")
    assert "secret" not in str(caught.value)


async def test_a_public_address_is_let_through() -> None:
    """What is public is no matter of ours."""
    await refuse_inward("https://1.1.1.1/a")
