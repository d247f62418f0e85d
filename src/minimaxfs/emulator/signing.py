"""Signed URLs in the style of an object store: an HMAC over the raw path and the time of expiry.

The path holds percent escapes that mean something: who normalises or re-encodes them breaks the signature.
"""

import hmac
import math
import re
from base64 import b64encode
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qs, quote, urlencode

_ACCESS_KEY_ID = "LTAI5tEmulatedAccessKey0"
_OBJECT = re.compile(r"/minimax-files%2Fprod%2F(\d+)%2Bv1/[^/?]*")


class Verdict(Enum):
    VALID = "valid"
    EXPIRED = "Request has expired."
    ALTERED = "The request signature we calculated does not match the signature you provided."


def object_path(file_id: int, filename: str) -> str:
    """The raw path of a file's object: %2F and %2B are escapes that a careless client would undo.

    No escape of a character that needs none (as %7E): the vendor's own client undoes those.
    """
    name = "object" if filename in {"", ".", ".."} else filename
    return f"/minimax-files%2Fprod%2F{file_id}%2Bv1/{quote(name, safe='', errors='replace')}"


def file_id_of(raw_path: str) -> int | None:
    found = _OBJECT.fullmatch(raw_path)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and checks with one secret; another secret makes all earlier URLs void."""

    secret: bytes

    def target(self, raw_path: str, now: float, life: float) -> str:
        """Path and query that stay valid for `life` seconds, rounded up to the next whole one."""
        expires = str(math.ceil(now + life))
        query = {
            "Expires": expires,
            "OSSAccessKeyId": _ACCESS_KEY_ID,
            "Signature": self._signature(raw_path, expires),
        }
        return f"{raw_path}?{urlencode(query)}"

    def check(self, raw_path: str, query: str, now: float) -> Verdict:
        values = parse_qs(query)
        expires = values.get("Expires", [""])[0]
        signature = values.get("Signature", [""])[0]
        if not hmac.compare_digest(signature.encode(), self._signature(raw_path, expires).encode()):
            return Verdict.ALTERED
        return Verdict.VALID if now < int(expires) else Verdict.EXPIRED

    def _signature(self, raw_path: str, expires: str) -> str:
        text = f"GET\n\n\n{expires}\n{raw_path}"
        return b64encode(hmac.digest(self.secret, text.encode(), "sha1")).decode()
