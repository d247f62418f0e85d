"""What `minimaxfs status` makes of a drive's answer."""

import io
from collections.abc import Mapping

import pytest

from minimaxfs import bars
from minimaxfs.overview import report

REPLY: Mapping[str, object] = {
    "mount": {"mountpoint": "/d\x1b", "profile": "work", "seconds": 7300.2, "pid": 42, "read_only": True},
    "store": {"origin": "https://api.minimax.io", "offline_for": None, "answered_before": 12.0, "why": ""},
    "uploads": [
        {"path": "voice_clone/a.wav", "state": "sending", "size": 4000, "sent": 1000, "why": ""},
        {"path": "voice_clone/b.wav", "state": "failed", "size": 4000, "sent": 0, "why": "refused"},
    ],
    "reads": [],
    "blocks": {"used": 2_000_000, "limit": 8_000_000, "pinned_files": 1, "pinned": 1000},
    "requests": {"list": {"count": 3, "price": 0.0}, "retrieve": {"count": 2, "price": 0.008}},
    "errors": [
        {"path": "voice_clone/b.wav", "operation": "close", "errno": 22, "error": "refused", "ago": 9.0}
    ],
}


def test_a_report_for_files_and_pipes() -> None:
    """Plain lines, nothing in which a terminal would obey."""
    assert str(report(REPLY)) == (
        "/d\\x1b (profile work, mounted for 2 h, process 42, read-only)\n"
        "  store     https://api.minimax.io, answered 12 s ago\n"
        "  uploads    25 %  voice_clone/a.wav, sending, 4 kB\n"
        "              0 %  voice_clone/b.wav, failed, 4 kB: refused\n"
        "  reads     none\n"
        "  blocks     25 %  2 MB of 8 MB, 1 pinned file of 1 kB\n"
        "  requests  5 today (list 3, retrieve 2), $0.008\n"
        "  errors    9 s ago, close of voice_clone/b.wav: Invalid argument: refused\n"
    )


def test_a_report_on_a_terminal_has_bars() -> None:
    """The same words."""
    output = io.StringIO()
    bars.draw([report(REPLY)], output)
    drawn = output.getvalue()
    assert "━" in drawn
    assert "voice_clone/a.wav, sending, 4 kB" in drawn
    assert "5 today (list 3, retrieve 2), $0.008" in drawn


@pytest.mark.parametrize("name", ["mount", "store", "uploads", "blocks", "requests", "errors"])
def test_an_answer_of_another_version_is_refused(name: str) -> None:
    """Rather than shown in part."""
    with pytest.raises(ValueError, match="a "):
        report({**REPLY, name: 5})


@pytest.mark.parametrize(
    ("offline", "answered", "words"),
    [(None, None, "was not asked yet"), (400.0, 900.0, "cannot be reached since 7 min: no route")],
)
def test_whether_the_store_can_be_reached(offline: float | None, answered: float | None, words: str) -> None:
    """As the last request found it: nobody asks for the sake of a report."""
    store = {"origin": "o", "offline_for": offline, "answered_before": answered, "why": "no route"}
    assert f"o, {words}\n" in str(report({**REPLY, "store": store}))
