"""Names of files in directories, from names that the store's users and its own machines chose.

A remote filename may be hostile (`/`, NUL, `..`, control characters, too long) and need not
be unique. Here it becomes a name that a directory can hold. The store's own name is never
lost by it: it stays in `RemoteFile.filename`, shown as `user.minimax.filename`.
"""

import re
from collections.abc import Container, Iterable, Mapping
from itertools import count
from operator import attrgetter

from minimaxfs.core.files import RemoteFile

NAME_MAX = 255
"""Bytes of one name, in UTF-8: the limit of Linux (NAME_MAX), which FUSE keeps."""

_ID_DIGITS = 19
"""Digits of the largest id, 2^63 - 1."""

_EXTENSION_MAX = NAME_MAX // 2
"""Bytes of an extension that are worth keeping: so half of a name is left for its stem and its id."""

_AGE = attrgetter("created_at", "file_id")
"""The first stored comes first."""

_HOSTILE = re.compile("[/\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no name may hold, or no terminal should show: the separator, controls, halves of surrogate pairs."""


def display_name(filename: str, file_id: int) -> str:
    """The name that a directory shows for a remote file, before duplicates are told apart.

    What no directory may hold is percent-escaped; what is too long loses its middle and gets
    its `file_id` in exchange; a file without a name is called by its id.
    """
    if (
        filename.isascii()
        and filename.isprintable()
        and 2 < len(filename) <= NAME_MAX
        and "/" not in filename
    ):
        return filename  # as nearly all are; `.` and `..` are too short to come here
    name = _HOSTILE.sub(_escaped, filename)
    if name in {".", ".."}:
        name = name.replace(".", "%2E")
    if not name:
        return f"file~{file_id}"
    if len(name.encode()) > NAME_MAX:
        return tilde_name(name, file_id)
    return name


def _escaped(hostile: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in hostile[0].encode(errors="surrogatepass"))


def tilde_name(name: str, file_id: int) -> str:
    """`stem~<file_id>.ext`: the form that every file answers to, within 255 bytes, and valid UTF-8."""
    stem, extension = split_extension(name)
    extension = _cut(extension, _EXTENSION_MAX)
    room = NAME_MAX - len("~") - _ID_DIGITS - len(extension.encode())
    return f"{_cut(stem, room)}~{file_id}{extension}"


def _cut(text: str, size: int) -> str:
    return text.encode(errors="surrogatepass")[:size].decode(errors="ignore")


def split_extension(name: str) -> tuple[str, str]:
    """The stem and the extension with its dot; a leading dot starts no extension."""
    stem, dot, extension = name.rpartition(".")
    if not stem.strip("."):
        return name, ""
    return stem, dot + extension


def tilde_id(name: str) -> int | None:
    """The `file_id` in a name of the form `stem~<file_id>.ext`, or None where it has none."""
    stem, _ = split_extension(name)
    _, tilde, digits = stem.rpartition("~")
    if not tilde or not digits.isascii() or not digits.isdigit() or len(digits) > _ID_DIGITS:
        return None
    return int(digits)


def assign(
    files: Iterable[RemoteFile], given: Mapping[int, str], taken: Iterable[str] = ()
) -> dict[int, str]:
    """A unique name for each file of one directory, by file_id, whatever their order.

    Names once `given` are kept; of two new files with one name, the first stored gets it bare,
    and the later one its `~` form. `taken` names belong to files that are not in the store.
    """
    files = list(files)
    used = set(taken)
    names = {
        file.file_id: given.get(file.file_id) or display_name(file.filename, file.file_id) for file in files
    }
    shown = set(names.values())
    if len(shown) == len(names) and used.isdisjoint(shown):
        return names
    return _told_apart(files, given, used)


def _told_apart(files: list[RemoteFile], given: Mapping[int, str], used: set[str]) -> dict[int, str]:
    """As `assign` says, where several want one name, or one that is `used`."""
    names: dict[int, str] = {}
    fresh: list[RemoteFile] = []
    for file in sorted(files, key=_AGE):
        name = given.get(file.file_id)
        if name is None or name in used:
            fresh.append(file)
            continue
        names[file.file_id] = name
        used.add(name)
    for file in fresh:
        name = _unused(display_name(file.filename, file.file_id), file.file_id, used)
        names[file.file_id] = name
        used.add(name)
    return names


def _unused(name: str, file_id: int, used: Container[str]) -> str:
    """The name itself, else its `~` form; numbered, where a hostile name has taken that one too."""
    if name not in used:
        return name
    candidate = tilde_name(name, file_id)
    numbers = count(2)
    while candidate in used:
        candidate = tilde_name(f"{next(numbers)}-{name}", file_id)
    return candidate
