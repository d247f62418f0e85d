"""The demo's files: small, real, and as awkward as the store's own.

Sound is made here; two videos and the speech are package data, because nothing here can encode them.
"""

import io
import math
import tarfile
import wave
from array import array
from dataclasses import replace
from importlib import resources
from typing import Protocol

from minimaxfs.emulator.settings import DEFAULTS, Unlisted

SAMPLE_SETTINGS = replace(DEFAULTS, unlisted=Unlisted.LISTED)
"""So that the generated files can be seen in a drive that knows only what `list` answers."""

_RATE = 8000
_SPEECH_ID = 338_871_245_090_103
_HOUR = 3600


class AddFile(Protocol):
    """How a sample gets into the store: `Emulator.add_file`."""

    def __call__(self, purpose: str, filename: str, data: bytes, created_at: int | None = None) -> int: ...


def fill(add_file: AddFile, now: float) -> None:
    """Add the samples, each created some hours before this Unix time."""
    samples = (
        ("retrieval", "guide.pdf", _pdf()),
        ("voice_clone", "narrator.wav", _melody(12)),
        ("prompt_audio", "hello.wav", _melody(4)),
        ("t2a_async_input", "chapter-1.txt", _TEXT.encode()),
        ("t2a_async_input", "第二章 春天 (draft).txt", _TEXT.encode() * 3),
        ("t2a_async", f"{_SPEECH_ID}.tar", _speech_tar()),
        ("video_generation", "output_aigc.mp4", _data("landscape.mp4")),
        ("video_generation", "output_aigc.mp4", _data("portrait.mp4")),
    )
    for age, (purpose, filename, data) in zip(range(len(samples), 0, -1), samples, strict=True):
        add_file(purpose, filename, data, int(now) - age * _HOUR)


_TEXT = """\
Chapter one. The store is a drive now, and a drive is where files live.
第一章。现在,云端的文件就像本地的一样:可以读,可以写,也可以删除。
"""


def _data(name: str) -> bytes:
    return (resources.files("minimaxfs.emulator") / "samples_data" / name).read_bytes()


def _melody(seconds: int) -> bytes:
    """A playable wav, mono, 16 bits: two notes a second, each fading."""
    scale = (262, 294, 330, 392, 440, 392, 330, 294)
    samples = array("h")
    note = _RATE // 2
    for beat in range(seconds * 2):
        turn = 2 * math.pi * scale[beat % len(scale)] / _RATE
        samples.extend(int(12_000 * (1 - at / note) * math.sin(turn * at)) for at in range(note))
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(samples.tobytes())
    return out.getvalue()


def _speech_tar() -> bytes:
    """Long speech as the service packs it: sound, titles and extra, below one folder."""
    name = f"{_SPEECH_ID}/content-{_SPEECH_ID}"
    members = {
        f"{name}.mp3": _data("speech.mp3"),
        f"{name}.titles": '[{"text":"第一章。","time_begin":0,"time_end":2000}]\n'.encode(),
        f"{name}.extra": b'{"audio_length":2000,"audio_sample_rate":16000,"audio_format":"mp3"}\n',
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, data in members.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def _pdf() -> bytes:
    """One page with one line: the smallest file that PDF readers open without complaint."""
    text = b"BT /F1 24 Tf 72 720 Td (A file of the store, read through a drive.) Tj ET"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
