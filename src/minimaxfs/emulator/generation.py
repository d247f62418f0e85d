"""The two operations beside the file store that the official clients need around it: just enough of each.

A video task is known by the file id of its video; it has always succeeded. A cloned voice makes no sound.
"""

import json
from collections.abc import Callable
from urllib.parse import parse_qs

from minimaxfs.emulator.messages import Reply, StoredFile
from minimaxfs.emulator.purposes import Refusal
from minimaxfs.emulator.replies import refusal, success

Lookup = Callable[[int], StoredFile | None]

_BAD_VOICE = Refusal("invalid params, file_id is not a voice_clone file")


def voice_clone(body: bytes, lookup: Lookup) -> Reply:
    try:
        asked: object = json.loads(body)
    except ValueError:
        return refusal(_BAD_VOICE)
    file_id: object = asked.get("file_id") if isinstance(asked, dict) else None
    stored = lookup(file_id) if isinstance(file_id, int) else None
    if stored is None or stored.purpose != "voice_clone":
        return refusal(_BAD_VOICE)
    return success(input_sensitive=False, demo_audio="")


def query_video(query: str, lookup: Lookup) -> Reply:
    """The file id is a string here, and a number everywhere else, as in the real API."""
    task = parse_qs(query).get("task_id", [""])[0]
    stored = lookup(int(task)) if task.isascii() and task.isdigit() else None
    if stored is None or stored.purpose != "video_generation":
        return refusal(Refusal("invalid params, task_id is not valid"))
    return success(task_id=task, status="Success", file_id=task)
