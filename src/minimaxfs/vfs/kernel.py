"""What the drive has to tell the kernel, which caches names, attributes and pages for it."""

from typing import Protocol


class Kernel(Protocol):
    """Notices to the kernel. They return at once; the kernel is told in the background."""

    def name_gone(self, directory: int, name: str, inode: int) -> None:
        """A name no longer leads to the inode."""

    def content_changed(self, inode: int) -> None:
        """Attributes and pages of the inode are not what the kernel was told."""
