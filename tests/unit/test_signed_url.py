"""Signed URLs: when they end, when to renew them, how to show them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimaxfs.core.signed_url import DEFAULT_LIFE, SHORTEST_LIFE, SignedUrl, ends_at, redacted

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("query", "end"),
    [
        ("Expires=1790167441&OSSAccessKeyId=x&Signature=a%2Bb", 1790167441.0),
        ("expires=1790167441", 1790167441.0),
        ("x-oss-date=20261122T101500Z&x-oss-expires=3600", 1795346100.0),
        ("X-OSS-Date=20261122T101500Z&X-OSS-Expires=3600", 1795346100.0),
        ("X-Amz-Date=20261122T101500Z&X-Amz-Expires=60&X-Amz-Signature=f", 1795342560.0),
        ("Expires=soon&x-oss-date=20261122T101500Z&x-oss-expires=0", 1795342500.0),
    ],
)
def test_each_dialect_tells_when_a_url_ends(query: str, end: float) -> None:
    """The end is read from any of the three dialects, in any case of letters."""
    assert ends_at(f"https://host.example/a%2Fb.mp4?{query}") == end


@pytest.mark.parametrize(
    "url",
    [
        "https://host.example/a.mp4",
        "https://host.example/a.mp4?Expires=",
        "https://host.example/a.mp4?Expires=-5",
        "https://host.example/a.mp4?Expires=1e9",
        "https://host.example/a.mp4?Expires=999999999999999999999",
        "https://host.example/a.mp4?Expires=١٢٣",
        "https://host.example/a.mp4?x-oss-date=20261322T101500Z&x-oss-expires=3600",
        "https://host.example/a.mp4?x-oss-date=20261122T101500Z",
        "https://[host/a.mp4?Expires=1790167441",
        "",
    ],
)
def test_garbage_ends_at_no_known_time(url: str) -> None:
    """What is missing, malformed or absurd is None, so that a default can stand in."""
    assert ends_at(url) is None


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    """Any text has an end or none, and can be shown."""
    for url in (text, f"https://h/?{text}", f"https://h/?Expires={text}"):
        assert isinstance(ends_at(url), float | None)
        assert isinstance(redacted(url), str)


def test_a_url_is_renewed_at_four_fifths_of_its_life() -> None:
    """A URL of an hour is renewed after 48 minutes, while the old one still works."""
    url = SignedUrl.obtained(f"https://h/a?Expires={NOW + 3600:.0f}", NOW)
    assert url.renew_at == NOW + 2880


def test_a_url_without_an_end_is_given_the_shortest_documented_life() -> None:
    """One hour is assumed where the URL does not say."""
    assert SignedUrl.obtained("https://h/a", NOW).ends_at == NOW + DEFAULT_LIFE


def test_a_url_that_comes_ended_is_tried_all_the_same() -> None:
    """With a local clock that runs ahead, a fresh URL is used for a while, not renewed for each read."""
    url = SignedUrl.obtained(f"https://h/a?Expires={NOW - 86400:.0f}", NOW)
    assert url.ends_at == NOW + SHORTEST_LIFE
    assert url.renew_at > NOW


def test_no_form_of_a_signed_url_shows_its_query() -> None:
    """Neither repr nor str holds the signature."""
    url = SignedUrl.obtained("https://user:pass@h/a%2Fb?Signature=secret#frag", NOW)
    assert "secret" not in repr(url)
    assert str(url) == "https://h/a%2Fb?…"
