"""The shapes that the API answers in."""

import json
import mimetypes

from minimaxfs.emulator.messages import Reply
from minimaxfs.emulator.purposes import Refusal


def success(**fields: object) -> Reply:
    return json_reply(200, {**fields, "base_resp": {"status_code": 0, "status_msg": "success"}})


def refusal(problem: Refusal) -> Reply:
    """A code in `base_resp`; with a real HTTP error code, the other shape that newer endpoints use."""
    if problem.status == 200:
        base = {"status_code": problem.code, "status_msg": problem.message}
        return json_reply(200, {"base_resp": base})
    message = f"{problem.message} ({problem.code})"
    error = {"type": "bad_request_error", "message": message, "http_code": str(problem.status)}
    return json_reply(problem.status, {"type": "error", "error": error})


def json_reply(status: int, value: object) -> Reply:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Reply(status, (("content-type", "application/json; charset=utf-8"),), body)


def content_type(filename: str) -> str:
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"
