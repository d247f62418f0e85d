"""What the store takes, known before a byte is copied, and which names never leave this machine."""

import fnmatch
import re
from dataclasses import dataclass, field, replace

from minimaxfs.core.errors import ContentRefused, NameRefused, NotPermitted, StoreFull, TooLarge
from minimaxfs.core.files import FILE_LIMIT, STORE_CAPACITY, Purpose
from minimaxfs.core.inodes import File
from minimaxfs.core.names import split_extension

LOCAL_ONLY = (
    ".*",
    "4913",
    "*~",
    "~$*",
    "*.part",
    "*.crdownload",
    "*.tmp",
    "sed??????",
)
"""Names that programs give to what is not finished or not meant for others, so the store never sees them.

Any dot name (vim's swap files, Emacs's `.#*`, LibreOffice's `.~lock.*#`, rsync's `.name.XXXXXX`,
GIO's `.goutputstream-*`, `.fuse_hidden*`, `.DS_Store`, `._*`), vim's probe 4913, backups, Office's
locks, downloads under way, and the files of `sed -i`.
"""


def local_only_pattern(patterns: tuple[str, ...] = LOCAL_ONLY) -> re.Pattern[str]:
    """One expression for all the patterns: a lookup asks it for each new name. No patterns match no name."""
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns) or "(?!)")


def check_name(purpose: Purpose, name: str) -> None:
    """Refuse a name that the purpose would refuse after the bytes were sent.

    Raises NotPermitted where the purpose takes no files, ContentRefused where it does not take
    this type, NameRefused where the name cannot be sent.
    """
    if not purpose.uploads:
        raise NotPermitted(f"{purpose.name} takes no uploads: its files are made by the store")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise NameRefused(f"{name!r} is not valid UTF-8") from None
    extension = split_extension(name)[1].removeprefix(".").lower()
    if purpose.extensions and extension not in purpose.extensions:
        kinds = " ".join(sorted(purpose.extensions))
        raise ContentRefused(f"{purpose.name} does not take {name!r}, but only: {kinds}")


def check_size(purpose: Purpose, size: int) -> None:
    """Refuse a size, in bytes, beyond the purpose's limit: raises TooLarge."""
    if size > purpose.limit:
        raise TooLarge(f"{size:,} bytes are over the limit of {purpose.name}: {purpose.limit:,}")


def check_room(used: int, size: int) -> None:
    """Refuse what the account has no room for, both in bytes: raises StoreFull."""
    if used + size > STORE_CAPACITY:
        raise StoreFull(f"{size:,} bytes do not fit: {used:,} of {STORE_CAPACITY:,} are used")


@dataclass(slots=True)
class Rules:
    """The rules of one mount. Whoever acts by them asks each time: a reload changes them.

    `local_only` matches the names that stay on this machine. Without `check_types` the store alone
    judges types and the limits of purposes: it may have learnt new ones. With `write_back` a close
    waits for the disk, not for the store; with `rename_uploads` a rename of a stored file makes a
    new one of that name in the store, where otherwise the name is known to this machine only. With
    `fetches_runs` small files are fetched before they are asked for, when others before them were read.
    """

    local_only: re.Pattern[str] = field(default_factory=local_only_pattern)
    check_types: bool = True
    write_back: bool = False
    rename_uploads: bool = False
    fetches_runs: bool = True

    def become(self, other: "Rules") -> None:
        """Take over the rules of another."""
        self.local_only, self.check_types = other.local_only, other.check_types
        self.write_back, self.rename_uploads = other.write_back, other.rename_uploads

    def is_local_only(self, name: str) -> bool:
        """Whether files of this name stay on this machine."""
        return self.local_only.match(name) is not None

    def keeps_here(self, file: File) -> str:
        """Why a file's draft is not for the store, in words; nothing where it is."""
        if file.name is None:
            return "it is deleted"
        if self.is_local_only(file.name):
            return "its name is one that stays on this machine"
        if file.draft is None or not file.draft.size:
            return "it is empty: bytes are waited for"
        return "it may be half a file: write it again, or retry it" if file.draft.is_half else ""

    def check_name(self, purpose: Purpose, name: str) -> None:
        """As `check_name`, but the store has no say in a name that it never sees."""
        is_judged = self.check_types and not self.is_local_only(name)
        check_name(purpose if is_judged else replace(purpose, extensions=frozenset()), name)

    def check_size(self, purpose: Purpose, size: int) -> None:
        """As `check_size`."""
        check_size(purpose if self.check_types else replace(purpose, limit=FILE_LIMIT), size)
