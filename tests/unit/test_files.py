"""Purposes and remote files: the documented facts, and what a printed value shows."""

from minimaxfs.core.files import FILE_LIMIT, PURPOSES, RemoteFile, Retrieved

FILE = RemoteFile(7, "voice_clone", "a.mp3", 10, 5)


def test_a_signed_url_is_never_printed() -> None:
    """What a retrieve answered can be logged: whether there is a URL is shown, and nothing of it."""
    assert repr(Retrieved(FILE, "https://host/a.mp3?Signature=secret")) == (
        f"Retrieved({FILE!r}, download_url=…)"
    )
    assert repr(Retrieved(FILE)) == f"Retrieved({FILE!r}, download_url=None)"


def test_the_documented_purposes() -> None:
    """A purpose takes uploads or is generated, never both, and no limit is over the store's own."""
    assert len({purpose.name for purpose in PURPOSES}) == len(PURPOSES) == 7
    for purpose in PURPOSES:
        assert purpose.uploads is not purpose.generated
        assert 0 < purpose.limit <= FILE_LIMIT
        assert all(kind == kind.lower().strip(".") for kind in purpose.extensions)
        assert bool(purpose.extensions) is purpose.uploads
