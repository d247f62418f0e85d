"""What the drive shows of an inode: its attributes, and the extended ones of `user.minimax`."""

import stat
from typing import NamedTuple

from minimaxfs.core.errors import NoAttribute, NotSupported
from minimaxfs.core.inodes import Directory, File, Inode

PREFIX = "user.minimax."

STATE = f"{PREFIX}state"
"""Where a file's bytes are: `stored`, or a state of the journal."""

DOWNLOAD_URL = f"{PREFIX}download_url"
"""Answered when asked for by name, and never listed: it costs a request, and it is a secret."""

FILE_MODE = stat.S_IFREG | 0o644
DIRECTORY_MODE = stat.S_IFDIR | 0o755
"""Modes as on any disk: without --allow-other the kernel lets nobody in but who mounted."""

UNKNOWN_MODE = stat.S_IFREG | 0o600
"""Of a file whose size is not known: tar archives one of size 0 that all may read without a look."""

LONG = 3600.0
"""Seconds for which the kernel keeps attributes: a file_id's never change, and it is told of others."""

SHORT = 1.0
"""Seconds for which a directory's times are believed: they change with each file in it."""


class Attributes(NamedTuple):
    """An inode as `stat` shows it, and the seconds for which the kernel may believe its name and this."""

    number: int
    mode: int
    links: int
    size: int
    mtime_ns: int
    name_for: float
    attributes_for: float


def attributes_of(inode: Inode, name_for: float) -> Attributes:
    """What `stat` shows. A size that is not known is shown as 0, and not believed for a moment."""
    if isinstance(inode, Directory):
        return Attributes(inode.number, DIRECTORY_MODE, 2, 0, inode.mtime_ns, LONG, SHORT)
    mode = FILE_MODE if inode.mode is None else stat.S_IFREG | inode.mode
    if inode.size is None:
        return Attributes(inode.number, mode & UNKNOWN_MODE, 1, 0, inode.mtime_ns, name_for, 0.0)
    return Attributes(inode.number, mode, 1, inode.size, inode.mtime_ns, name_for, LONG)


def extended(inode: Inode) -> dict[str, str]:
    """The extended attributes of a file that can be told without a request."""
    if isinstance(inode, Directory):
        return {}
    state = "stored" if inode.draft is None else str(inode.draft.state)
    values = {"purpose": inode.purpose.name, "state": state}
    if inode.draft is not None and inode.draft.error:
        values["error"] = inode.draft.error
    if inode.remote is not None:
        values["file_id"] = str(inode.remote.file_id)
        values["uri"] = f"mm_file://{inode.remote.file_id}"
        values["filename"] = inode.remote.filename
        values["created_at"] = str(inode.remote.created_at)
    return {PREFIX + name: value for name, value in sorted(values.items())}


def extended_value(inode: Inode, name: str) -> str:
    """One extended attribute. Raises NoAttribute, or NotSupported for the namespaces of others."""
    if not name.startswith("user."):
        raise NotSupported(f"{name} is not supported")
    value = extended(inode).get(name)
    if value is None:
        label = inode.label if isinstance(inode, File) else "a directory"
        raise NoAttribute(f"{label} has no {name}")
    return value
