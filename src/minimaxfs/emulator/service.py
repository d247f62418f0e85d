"""The store's state, and its five file operations: request, now → reply. No socket, no clock, no waiting.

The API answers HTTP 200 with a code in `base_resp` for nearly every refusal, as the real one does.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import parse_qs

from minimaxfs.emulator import generation, storage
from minimaxfs.emulator.ids import file_ids
from minimaxfs.emulator.messages import Content, Operation, Reply, Request, Side, Slice, StoredFile
from minimaxfs.emulator.purposes import NO_SUCH_PURPOSE, RULES, Refusal, Rule, refuse_upload
from minimaxfs.emulator.ranges import wanted
from minimaxfs.emulator.replies import content_type, refusal, success
from minimaxfs.emulator.settings import DEFAULTS, Settings, Unlisted, Urls
from minimaxfs.emulator.signing import Signer, object_path

_ROUTES = {
    ("POST", "/v1/files/upload"): Operation.UPLOAD,
    ("GET", "/v1/files/list"): Operation.LIST,
    ("GET", "/v1/files/retrieve"): Operation.RETRIEVE,
    ("GET", "/v1/files/retrieve_content"): Operation.RETRIEVE_CONTENT,
    ("POST", "/v1/files/delete"): Operation.DELETE,
    ("POST", "/v1/voice_clone"): Operation.VOICE_CLONE,
    ("GET", "/v1/query/video_generation"): Operation.QUERY_VIDEO,
}

_NO_KEY = Refusal(
    "login fail: carry the API secret key in the 'Authorization' field of the request header", 1004
)
_WRONG_KEY = Refusal("invalid api key", 1004)
_NO_SUCH_FILE = Refusal("invalid params, file not exist")
_BAD_ID = Refusal("invalid params, file_id is not valid")
_UNKNOWN = Rule({}, lists=False)


class Service:
    """The store. `started_at` (Unix seconds) seeds the ids; `secret` signs the URLs."""

    def __init__(self, started_at: float, secret: bytes, settings: Settings = DEFAULTS) -> None:
        self.settings = settings
        self.signer = Signer(secret)
        self.storage_origin = ""
        self._ids = file_ids(started_at)
        self._files: dict[int, StoredFile] = {}

    def add(
        self, purpose: str, filename: str, content: Content, created_at: int, file_id: int | None = None
    ) -> StoredFile:
        """Store a file of any purpose, without the rules of an upload: so generated ones come about."""
        number = next(self._ids) if file_id is None else file_id
        stored = StoredFile(number, purpose, filename, created_at, content)
        self._files[number] = stored
        return stored

    def settle(self, stored: StoredFile, content: Content) -> None:
        """Say where the bytes of a file have come to lie; nothing if it is gone by now."""
        if stored.file_id in self._files:
            self._files[stored.file_id] = replace(stored, content=content)

    def remove(self, file_id: int) -> StoredFile | None:
        return self._files.pop(file_id, None)

    def file(self, file_id: int) -> StoredFile | None:
        return self._files.get(file_id)

    def files(self, purpose: str | None = None) -> list[StoredFile]:
        """The files, in order of their coming; all purposes, or one."""
        return [stored for stored in self._files.values() if purpose in {None, stored.purpose}]

    def operation(self, side: Side, method: str, target: str) -> Operation:
        if side is Side.STORAGE:
            return Operation.DOWNLOAD
        path = target.partition("?")[0]
        if not path.startswith(self.settings.prefix):
            return Operation.UNKNOWN
        return _ROUTES.get((method, path.removeprefix(self.settings.prefix)), Operation.UNKNOWN)

    def answer(self, request: Request, now: float) -> Reply:
        """Carry the request out at this Unix time."""
        operation = self.operation(request.side, request.method, request.target)
        if operation is Operation.DOWNLOAD:
            return storage.answer(request, now, self.file, self.signer, self.settings, self.storage_origin)
        if operation is Operation.UNKNOWN:
            return Reply(404, (("content-type", "text/plain"),), b"404 page not found")
        if problem := self._refuse_key(request.headers.get("authorization", "")):
            return refusal(problem)
        return self._operate(operation, request, now)

    def _operate(self, operation: Operation, request: Request, now: float) -> Reply:
        match operation:
            case Operation.UPLOAD:
                return self._upload(request, now)
            case Operation.LIST:
                return self._list(request)
            case Operation.RETRIEVE:
                return self._retrieve(request, now)
            case Operation.RETRIEVE_CONTENT:
                return self._retrieve_content(request)
            case Operation.DELETE:
                return self._delete(request)
            case _:
                return self._generate(operation, request)

    def _generate(self, operation: Operation, request: Request) -> Reply:
        if operation is Operation.VOICE_CLONE:
            return generation.voice_clone(request.body, self.file)
        return generation.query_video(request.query, self.file)

    def _refuse_key(self, authorization: str) -> Refusal | None:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return _NO_KEY
        return _WRONG_KEY if self.settings.keys and key.strip() not in self.settings.keys else None

    def _upload(self, request: Request, now: float) -> Reply:
        form = request.form
        if form is None or form.problem:
            return refusal(Refusal(f"invalid params, {form.problem if form else 'no form'}"))
        purpose = form.fields.get("purpose", "")
        if form.filename is None or form.content is None:
            return refusal(Refusal("invalid params, file is required"))
        if problem := refuse_upload(purpose, form.filename, form.content.size):
            return refusal(problem)
        stored = self.add(purpose, form.filename, form.content, int(now))
        return replace(success(file=self._describe(stored)), stored=stored)

    def _list(self, request: Request) -> Reply:
        purpose = parse_qs(request.query).get("purpose", [""])[0]
        if not purpose:
            return self._listing(file for file in self._files.values() if self._lists(file.purpose))
        if purpose not in RULES:
            return refusal(NO_SUCH_PURPOSE)
        if self._lists(purpose):
            return self._listing(self.files(purpose))
        return self._listing(()) if self.settings.unlisted is Unlisted.EMPTY else refusal(NO_SUCH_PURPOSE)

    def _lists(self, purpose: str) -> bool:
        return self.settings.unlisted is Unlisted.LISTED or RULES.get(purpose, _UNKNOWN).lists

    def _listing(self, files: Iterable[StoredFile]) -> Reply:
        return success(files=[self._describe(stored) for stored in files])

    def _retrieve(self, request: Request, now: float) -> Reply:
        stored = self._asked(request)
        if isinstance(stored, Refusal):
            return refusal(stored)
        generated = RULES.get(stored.purpose, _UNKNOWN).generated
        urls = self.settings.generated_urls if generated else self.settings.uploaded_urls
        return success(file={**self._describe(stored), **self._urls(stored, urls, now)})

    def _urls(self, stored: StoredFile, urls: Urls, now: float) -> dict[str, object]:
        match urls:
            case Urls.ABSENT:
                return {}
            case Urls.EMPTY:
                return {"download_url": ""}
            case Urls.SIGNED:
                path = object_path(stored.file_id, stored.filename)
                url = self.storage_origin + self.signer.target(path, now, self.settings.url_life)
                return {"download_url": url, "backup_download_url": url}

    def _retrieve_content(self, request: Request) -> Reply:
        stored = self._asked(request)
        if isinstance(stored, Refusal):
            return refusal(stored)
        line = request.headers.get("range") if self.settings.content_ranges else None
        part = wanted(line, stored.size)
        sized = self.settings.content_length
        headers = (("content-type", content_type(stored.filename)),)
        if part is None:
            return Reply(200, headers, Slice(stored.content, 0, stored.size), sized)
        extent = ("content-range", f"bytes {part[0]}-{part[1] - 1}/{stored.size}")
        return Reply(206, (*headers, extent), Slice(stored.content, *part), sized)

    def _asked(self, request: Request) -> StoredFile | Refusal:
        text = parse_qs(request.query).get("file_id", [""])[0]
        if not (text.isascii() and text.isdigit()):
            return _BAD_ID
        return self._files.get(int(text), _NO_SUCH_FILE)

    def _delete(self, request: Request) -> Reply:
        asked = _json_object(request.body)
        file_id = asked.get("file_id")
        # A string is refused (recorded live), and so is `true`, which Python counts among the integers.
        if not isinstance(file_id, int) or isinstance(file_id, bool):
            return refusal(_BAD_ID)
        stored = self._files.get(file_id)
        if stored is None or asked.get("purpose", stored.purpose) != stored.purpose:
            return refusal(_NO_SUCH_FILE)
        if not RULES.get(stored.purpose, _UNKNOWN).deletes:
            return refusal(Refusal(f"invalid params, files of {stored.purpose} cannot be deleted"))
        return replace(success(file_id=file_id), deleted=self._files.pop(file_id))

    def _describe(self, stored: StoredFile) -> dict[str, object]:
        hidden = RULES.get(stored.purpose, _UNKNOWN).generated and not self.settings.true_sizes
        return {
            "file_id": stored.file_id,
            "bytes": 0 if hidden else stored.size,
            "created_at": stored.created_at,
            "filename": stored.filename,
            "purpose": stored.purpose,
        }


def _json_object(body: bytes) -> dict[str, object]:
    try:
        value: object = json.loads(body)
    except ValueError:
        return {}
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}
