"""A kernel that writes down what it is told."""

from dataclasses import dataclass, field


@dataclass
class RecordingKernel:
    """`gone` are the names that were taken away, as (directory, name, inode); `changed` are inodes."""

    gone: list[tuple[int, str, int]] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)

    def name_gone(self, directory: int, name: str, inode: int) -> None:
        self.gone.append((directory, name, inode))

    def content_changed(self, inode: int) -> None:
        self.changed.append(inode)
