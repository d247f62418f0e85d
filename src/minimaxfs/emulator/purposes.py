"""What each purpose takes and allows, as documented: a table, and the refusals that follow from it.

Limits are in bytes, "MB" read in the larger sense. The legacy purposes are still known to the real server;
what it does with them is not recorded, and here they list and delete like the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

MIB = 1024 * 1024
FILE_LIMIT = 512 * MIB


@dataclass(frozen=True, slots=True)
class Rule:
    """`limits` gives the bytes allowed for each extension (lower case, no dot); generated ones take none."""

    limits: Mapping[str, int]
    lists: bool = True
    deletes: bool = True
    generated: bool = False
    refusal_status: int = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused: the HTTP status, and the code and text of `base_resp`."""

    message: str
    code: int = 2013
    status: int = 200


def _limits(**words: int) -> dict[str, int]:
    """`_limits(mp3_wav=20)` allows mp3 and wav up to 20 MiB each."""
    return {extension: limit * MIB for joined, limit in words.items() for extension in joined.split("_")}


_AUDIO = _limits(mp3_m4a_wav=20)
_LEGACY = _limits(pdf_docx_txt_jsonl_json=512)

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "voice_clone": Rule(_AUDIO),
        "prompt_audio": Rule(_AUDIO),
        "t2a_async_input": Rule(_limits(txt_zip=512)),
        "video_understanding": Rule(_limits(mp4_avi_mov_mkv=512), lists=False, deletes=False),
        "video_generation_input": Rule(
            _limits(jpg_jpeg_png_webp_heic_heif=30, mp4_mov=50, wav_mp3=15),
            deletes=False,
            refusal_status=400,
        ),
        "t2a_async": Rule({}, lists=False, generated=True),
        "video_generation": Rule({}, lists=False, generated=True),
        "retrieval": Rule(_LEGACY),
        "fine-tune": Rule(_LEGACY),
        "assistants": Rule(_LEGACY),
        "role-recognition": Rule(_LEGACY),
        "batch": Rule(_LEGACY),
    }
)

NO_SUCH_PURPOSE = Refusal("invalid params, invalid file purpose")


def refuse_upload(purpose: str, filename: str, size: int) -> Refusal | None:
    """Why the store does not take this upload, or None. Texts for purpose and extension: as recorded live."""
    rule = RULES.get(purpose)
    if rule is None or rule.generated:
        return NO_SUCH_PURPOSE
    extension = PurePosixPath(filename.replace("\0", "_")).suffix.removeprefix(".").lower()
    limit = rule.limits.get(extension)
    if limit is None:
        return Refusal(f"invalid params, invalid file ext for {purpose}", status=rule.refusal_status)
    if size == 0:
        return Refusal("invalid params, file is empty", status=rule.refusal_status)
    if size > limit:
        return Refusal("invalid params, file size exceeds the limit", status=rule.refusal_status)
    return None
