"""Requests of the kernel in, answers and errnos out. Nothing is decided here.

Each request runs inside one boundary: it has a deadline, an FsError becomes its errno, and
anything else that is raised becomes EIO and a traceback in the log. So a bug never kills the
mount, and a network that hangs never leaves a caller stuck.
"""

import errno
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import pyfuse3
import trio
from pyfuse3 import (
    EntryAttributes,
    FileHandleT,
    FileInfo,
    FileNameT,
    FlagT,
    FUSEError,
    InodeT,
    ModeT,
    RequestContext,
    SetattrFields,
    StatvfsData,
    XAttrNameT,
)

from minimaxfs.core.errors import FsError, LocalFault, NotPermitted, TimedOut
from minimaxfs.core.inodes import Directory, File, Inode
from minimaxfs.fuse.answers import blank, entry, fill, statvfs
from minimaxfs.fuse.failures import report
from minimaxfs.vfs.attributes import Attributes
from minimaxfs.vfs.drive import Drive
from minimaxfs.vfs.names import DOTS

DEADLINE = 60.0
"""Seconds for a request that may have to ask the store."""

UPLOAD_DEADLINE = 24 * 3600.0
"""Seconds for a request that may have to upload: the upload has limits of its own on every standstill."""

Subject = Inode | int | tuple[int, bytes]
"""What a request is about: an inode, its number, or a directory's number and a name in it."""


class Operations(pyfuse3.Operations):
    """The drive as pyfuse3 asks for it. `owner` is the uid and gid that every inode shows."""

    supports_dot_lookup = False
    enable_writeback_cache = False

    def __init__(self, drive: Drive, owner: tuple[int, int]) -> None:
        super().__init__()
        self._drive = drive
        self._owner = owner
        self._listings: dict[int, tuple[InodeT, list[str]]] = {}
        self._last_listing = 0

    @contextmanager
    def _request(self, operation: str, subject: Subject, deadline: float = DEADLINE) -> Iterator[None]:
        """The boundary: what leaves it is an answer, an errno, or the end of the process."""
        try:
            with trio.fail_after(deadline):
                yield
        except FUSEError:
            raise
        except FsError as error:
            raise self._failure(operation, subject, error) from error
        except trio.TooSlowError as error:
            late = TimedOut(f"no answer within {deadline:.0f} s")
            raise self._failure(operation, subject, late) from error
        except Exception as error:
            ours = LocalFault("a fault of minimaxfs")
            raise self._failure(operation, subject, ours, fault=error) from error

    def _failure(
        self, operation: str, subject: Subject, error: FsError, fault: Exception | None = None
    ) -> FUSEError:
        """Tell the log, and who asks later, of a request that failed; gives what the kernel is told."""
        path = self._path(subject)
        report(operation, path, error, fault)
        self._drive.history.note(path, operation, error)
        return FUSEError(error.errno)

    def _path(self, subject: Subject) -> str:
        """What a request was about: looked up only when something went wrong."""
        match subject:
            case (directory, name):
                return self._drive.names.path(directory, os.fsdecode(name))
            case int():
                return self._drive.names.path(subject)
            case File() | Directory():
                return subject.label

    def _entry(self, shown: Attributes) -> EntryAttributes:
        return entry(shown, self._owner)

    async def lookup(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> EntryAttributes:
        with self._request("lookup", (parent_inode, name)):
            inode = await self._drive.names.lookup(parent_inode, os.fsdecode(name))
            return self._entry(self._drive.names.shown(inode))

    async def forget(self, inode_list: Sequence[tuple[InodeT, int]]) -> None:
        with self._request("forget", pyfuse3.ROOT_INODE):
            self._drive.names.forget(inode_list)

    async def getattr(self, inode: InodeT, ctx: RequestContext) -> EntryAttributes:
        with self._request("getattr", inode):
            return self._entry(await self._drive.names.attributes(inode))

    async def setattr(
        self,
        inode: InodeT,
        attr: EntryAttributes,
        fields: SetattrFields,
        fh: FileHandleT | None,
        ctx: RequestContext,
    ) -> EntryAttributes:
        with self._request("setattr", inode, UPLOAD_DEADLINE):
            names = self._drive.names
            if fields.update_size:
                await names.set_size(inode, attr.st_size)
            if fields.update_mtime or fields.update_mode:
                names.set_times(
                    inode,
                    mtime_ns=attr.st_mtime_ns if fields.update_mtime else None,
                    mode=attr.st_mode & 0o7777 if fields.update_mode else None,
                )
            return self._entry(names.shown(names.inode(inode)))

    async def opendir(self, inode: InodeT, ctx: RequestContext) -> FileHandleT:
        with self._request("opendir", inode):
            names = await self._drive.names.listed(inode)
            self._last_listing += 1
            self._listings[self._last_listing] = inode, [*DOTS, *names]
            return FileHandleT(self._last_listing)

    async def readdir(self, fh: FileHandleT, start_id: int, token: pyfuse3.ReaddirToken) -> None:
        number, names = self._listings.get(fh, (pyfuse3.ROOT_INODE, []))
        with self._request("readdir", number):
            answer = blank(self._owner)
            for index, shown in self._drive.names.entries(number, names, start_id):
                name = FileNameT(os.fsencode(names[index]))
                if not pyfuse3.readdir_reply(token, name, fill(answer, shown), index + 1):
                    return

    async def releasedir(self, fh: FileHandleT) -> None:
        self._listings.pop(fh, None)

    async def open(self, inode: InodeT, flags: FlagT, ctx: RequestContext) -> FileInfo:
        with self._request("open", inode):
            handle = await self._drive.handles.open(self._drive.names.file(inode), flags)
            return FileInfo(fh=FileHandleT(handle), keep_cache=True)

    async def create(
        self, parent_inode: InodeT, name: FileNameT, mode: ModeT, flags: FlagT, ctx: RequestContext
    ) -> tuple[FileInfo, EntryAttributes]:
        with self._request("create", (parent_inode, name)):
            file = self._drive.changes.create(
                parent_inode, os.fsdecode(name), mtime_ns=time.time_ns(), mode=mode & 0o7777 & ~ctx.umask
            )
            handle = self._drive.handles.opened_new(file)
            info = FileInfo(fh=FileHandleT(handle), keep_cache=True)
            return info, self._entry(self._drive.names.shown(file))

    async def read(self, fh: FileHandleT, off: int, size: int) -> bytes:
        with self._request("read", self._drive.handles.file(fh)):
            data = self._drive.handles.peek(fh, off, size)
            return await self._drive.handles.read(fh, off, size) if data is None else data

    async def write(self, fh: FileHandleT, off: int, buf: bytes) -> int:
        with self._request("write", self._drive.handles.file(fh), UPLOAD_DEADLINE):
            return await self._drive.handles.write(fh, off, buf)

    async def flush(self, fh: FileHandleT) -> None:
        with self._request("close", self._drive.handles.file(fh), UPLOAD_DEADLINE):
            await self._drive.handles.flush(fh)

    async def fsync(self, fh: FileHandleT, datasync: bool) -> None:
        with self._request("fsync", self._drive.handles.file(fh), UPLOAD_DEADLINE):
            await self._drive.handles.fsync(fh)

    async def fsyncdir(self, fh: FileHandleT, datasync: bool) -> None:
        """Names are in the ledger already."""

    async def release(self, fh: FileHandleT) -> None:
        with self._request("release", self._drive.handles.file(fh), UPLOAD_DEADLINE):
            await self._drive.handles.release(fh)

    async def unlink(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> None:
        with self._request("unlink", (parent_inode, name)):
            await self._drive.changes.unlink(parent_inode, os.fsdecode(name))

    async def rename(
        self,
        parent_inode_old: InodeT,
        name_old: FileNameT,
        parent_inode_new: InodeT,
        name_new: FileNameT,
        flags: FlagT,
        ctx: RequestContext,
    ) -> None:
        with self._request("rename", (parent_inode_old, name_old), UPLOAD_DEADLINE):
            if flags & ~pyfuse3.RENAME_NOREPLACE:
                raise FUSEError(errno.EINVAL)
            await self._drive.changes.rename(
                parent_inode_old,
                os.fsdecode(name_old),
                parent_inode_new,
                os.fsdecode(name_new),
                replace=not flags & pyfuse3.RENAME_NOREPLACE,
            )

    async def _refuse(self, *words: object, **__: object) -> NoReturn:
        """Purposes are fixed directories of plain files."""
        error = NotPermitted("purposes are fixed directories of plain files")
        match words:
            case (int() as parent, bytes() as name, *_) | (int(), int() as parent, bytes() as name, *_):
                raise self._failure("create or remove", (parent, name), error)
        raise FUSEError(error.errno)

    mkdir = rmdir = symlink = link = mknod = _refuse

    async def statfs(self, ctx: RequestContext) -> StatvfsData:
        with self._request("statfs", pyfuse3.ROOT_INODE):
            return statvfs(*self._drive.names.usage())

    async def getxattr(self, inode: InodeT, name: XAttrNameT, ctx: RequestContext) -> bytes:
        with self._request("getxattr", inode):
            return os.fsencode(await self._drive.extended(inode, os.fsdecode(name)))

    async def listxattr(self, inode: InodeT, ctx: RequestContext) -> list[XAttrNameT]:
        with self._request("listxattr", inode):
            return [XAttrNameT(name.encode()) for name in self._drive.extended_names(inode)]
