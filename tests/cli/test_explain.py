"""The sentences of `minimaxfs explain`."""

import pytest

from minimaxfs.complaint import CommandFailed
from minimaxfs.explain import sentences

FAILURE = {
    "path": "voice_clone/a.wav",
    "operation": "close",
    "errno": 22,
    "error": "upload of 'a.wav' to voice_clone: the store answered 1026 (bad\x1b words)",
    "code": 1026,
    "trace_id": "04ab",
    "means": "the store does not take it",
    "advice": "Take another.",
    "ago": 180.0,
}


def test_a_failure_is_told_in_sentences() -> None:
    """What was asked, what was answered, what it means, what to do, and where the bytes are."""
    assert sentences({"failure": FAILURE, "state": "failed", "why": "x"}) == (
        "close failed 3 min ago with EINVAL (Invalid argument), because upload of 'a.wav' to voice_clone:"
        " the store answered 1026 (bad\\x1b words), trace id 04ab."
        " It means that the store does not take it. What to do: Take another."
        " The bytes are kept here (failed): `minimaxfs uploads` shows them."
    )


@pytest.mark.parametrize(
    ("state", "why", "words"),
    [
        ("", "", "nothing has failed there since the drive was mounted."),
        (
            "stored",
            "",
            "nothing has failed there since the drive was mounted. The store has a file of this name now.",
        ),
        ("failed", "no balance. Top it up.", "not stored (failed): no balance. Top it up."),
    ],
)
def test_no_failure_is_told_too(state: str, why: str, words: str) -> None:
    """What an earlier mount left is said by its own words."""
    assert sentences({"failure": None, "state": state, "why": why}) == words


@pytest.mark.parametrize("reply", [{}, {"failure": 1, "state": "", "why": ""}, {"failure": {}, "state": ""}])
def test_an_answer_of_another_version_is_refused(reply: dict[str, object]) -> None:
    """A drive that runs on after an update may speak otherwise."""
    with pytest.raises(CommandFailed, match="another version"):
        sentences(reply)
