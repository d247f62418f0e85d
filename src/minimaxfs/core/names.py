"""Names of files in directories, from names that the store's users and its own machines chose.

A remote filename may be hostile (`/`, NUL, `..`, control characters, too long) and need not
be unique. Here it becomes a name that a directory can hold. The store's own name is never
lost by it: it stays in `RemoteFile.filename`, shown as `user.minimax.filename`.
"""

from collections.abc import Iterable, Mapping

from minimaxfs.core.files import RemoteFile

NAME_MAX = 255
"""Bytes of one name, in UTF-8: the limit of Linux (NAME_MAX), which FUSE keeps."""

_ID_ROOM = len("~") + 19
"""Bytes that `~<file_id>` takes at most: ids have up to 19 digits."""


def display_name(filename: str, file_id: int) -> str:
    """The name that a directory shows for a remote file, before duplicates are told apart.

    What no directory may hold is percent-escaped; what is too long loses its middle and gets
    its `file_id` in exchange; a file without a name is called by its id.
    """
    name = "".join(_escaped(character) for character in filename)
    if name in {".", ".."}:
        name = name.replace(".", "%2E")
    if not name:
        return f"file~{file_id}"
    if len(name.encode()) > NAME_MAX:
        return tilde_name(name, file_id)
    return name


def _escaped(character: str) -> str:
    if character == "/" or not _is_printable(ord(character)):
        return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
    return character


def _is_printable(point: int) -> bool:
    is_control = point < 0x20 or 0x7F <= point < 0xA0
    is_surrogate = 0xD800 <= point < 0xE000
    return not is_control and not is_surrogate


def tilde_name(name: str, file_id: int) -> str:
    """`stem~<file_id>.ext`: the form that every file answers to, within 255 bytes."""
    stem, extension = split_extension(name)
    if len(extension.encode()) > NAME_MAX // 2:
        stem, extension = name, ""
    room = NAME_MAX - _ID_ROOM - len(extension.encode())
    return f"{_cut(stem, room)}~{file_id}{extension}"


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")


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
    if not tilde or not digits.isascii() or not digits.isdigit() or len(digits) > 19:
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
    names: dict[int, str] = {}
    used = set(taken)
    fresh: list[RemoteFile] = []
    for file in sorted(files, key=_age):
        name = given.get(file.file_id)
        if name is None or name in used:
            fresh.append(file)
            continue
        names[file.file_id] = name
        used.add(name)
    for file in fresh:
        name = display_name(file.filename, file.file_id)
        while name in used:
            name = tilde_name(name, file.file_id)
            if name in used:
                name = tilde_name(f"{file.file_id}-{len(used)}", file.file_id)
        names[file.file_id] = name
        used.add(name)
    return names


def _age(file: RemoteFile) -> tuple[int, int]:
    return file.created_at, file.file_id
