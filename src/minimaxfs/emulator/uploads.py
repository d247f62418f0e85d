"""An upload's form on its way in: fields to memory, the file's bytes to a file on disk."""

from collections.abc import Callable
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from minimaxfs.emulator.messages import Form, OnDisk
from minimaxfs.emulator.multipart import MultipartError, Parser, PartData, PartEnd, PartStart

_FIELD_LIMIT = 64 * 1024
_FILE_PART = "file"


class FormReader:
    """Feed it the body of an upload; `finish` gives the form. The context closes the file, whatever comes."""

    def __init__(self, boundary: bytes, path: Path) -> None:
        self._parser = Parser(boundary)
        self._path = path
        self._file: FileIO | None = None
        self._fields: dict[str, bytes] = {}
        self._filename: str | None = None
        self._take: Callable[[bytes], object] = self._refuse

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def feed(self, data: bytes) -> None:
        for event in self._parser.feed(data):
            match event:
                case PartStart():
                    self._begin(event)
                case PartData(data=piece):
                    self._take(piece)
                case PartEnd():
                    self._take = self._refuse

    def finish(self) -> Form:
        """The whole form, or MultipartError where it is not whole."""
        self._parser.finish()
        try:
            fields = {name: value.decode() for name, value in self._fields.items()}
        except UnicodeDecodeError as error:
            raise MultipartError("a field is not UTF-8") from error
        if self._file is None:
            return Form(fields)
        return Form(fields, self._filename, OnDisk(self._path, self._file.tell()))

    def _begin(self, part: PartStart) -> None:
        if part.name != _FILE_PART:
            self._fields[part.name] = b""
            self._take = lambda data: self._extend(part.name, data)
            return
        if self._file is not None:
            raise MultipartError("the form has two files")
        self._filename = part.filename
        self._file = FileIO(self._path, "xb")
        self._take = self._file.write

    def _extend(self, name: str, data: bytes) -> None:
        self._fields[name] += data
        if len(self._fields[name]) > _FIELD_LIMIT:
            raise MultipartError(f"the field {name[:80]!r} is too long")

    @staticmethod
    def _refuse(data: bytes) -> None:
        raise AssertionError(f"{len(data)} bytes outside a part")
