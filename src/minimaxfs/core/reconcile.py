"""Which file of a listing an upload made whose answer was lost, if it made one."""

from collections.abc import Iterable

from minimaxfs.core.files import RemoteFile
from minimaxfs.core.inodes import Sending

SKEW = 3600.0
"""Seconds by which the store's clock may be behind this one: beyond that a file is an older one."""


def made_by(sending: Sending, size: int, listing: Iterable[RemoteFile]) -> RemoteFile | None:
    """The newest file of the name and size, of those that were not known and not made before.

    Never one that the store had before: taking that for our own would lose what was to be stored.
    """
    names = {sending.name, as_form_encodes(sending.name)}
    made = [
        file
        for file in listing
        if file.filename in names
        and file.size == size
        and file.file_id not in sending.known
        and file.file_id != sending.replaces
        and file.created_at >= sending.at - SKEW
    ]
    return max(made, key=lambda file: (file.created_at, file.file_id), default=None)


def namesakes(name: str, files: Iterable[RemoteFile]) -> tuple[int, ...]:
    """The ids of files that could later be taken for an upload of this name."""
    names = {name, as_form_encodes(name)}
    return tuple(file.file_id for file in files if file.filename in names)


def as_form_encodes(name: str) -> str:
    """The name as a form encodes it, which is how a store that does not decode it keeps it."""
    return name.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")
