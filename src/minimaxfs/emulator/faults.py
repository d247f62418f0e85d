"""Faults as data: what goes wrong, with which operation, how often; and how a reply is spoilt."""

import json
from dataclasses import dataclass, replace
from enum import Enum

from minimaxfs.emulator.messages import Operation, Reply, Slice, body_size


class Kind(Enum):
    """What `value` means is said with each."""

    DELAY = "the answer comes `value` seconds late"
    STALL = "nothing more comes after `value` bytes of the body; with 0 no answer at all"
    RESET = "the connection is reset (TCP RST) before an answer; an upload is not stored"
    CUT = "the connection ends after `value` bytes of the body"
    WRONG_LENGTH = "Content-Length says `value` bytes more (or less) than there are; with 0 one more"
    WHOLE = "200 and the whole content for a range"
    WRONG_RANGE = "206 with a range that lies `value` bytes further on; with 0 one byte"
    STATUS = "HTTP status `value`; `text` is the body, HTML or JSON"
    CODE = "HTTP 200 with base_resp code `value`; `text` is its message"
    GARBAGE = "HTTP 200 with a body that is not JSON"
    LOSE_REPLY = "the request is carried out, the connection closed without an answer"
    SLOW = "the body comes at `value` bytes a second"


@dataclass(frozen=True, slots=True)
class Fault:
    """Happens to requests of one operation: `times` of them (None: all), after the first `after` ones.

    STATUS, CODE and GARBAGE answer instead of the store; with `executed` the store did the work before.
    `retry_after` (seconds) goes with STATUS.
    """

    operation: Operation
    kind: Kind
    value: float = 0
    text: str = ""
    retry_after: float | None = None
    times: int | None = 1
    after: int = 0
    executed: bool = False


class FaultPlan:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._pending.append(fault)

    def clear(self) -> None:
        self._pending.clear()

    def take(self, operation: Operation) -> tuple[Fault, ...]:
        """The faults of the next request of this operation, which thereby have happened once more."""
        mine = [fault for fault in self._pending if fault.operation is operation]
        others = [fault for fault in self._pending if fault.operation is not operation]
        counted = [_count(fault) for fault in mine]
        self._pending = others + [fault for fault in counted if fault.times != 0]
        return tuple(fault for fault in mine if fault.after == 0)


def _count(fault: Fault) -> Fault:
    if fault.after:
        return replace(fault, after=fault.after - 1)
    return fault if fault.times is None else replace(fault, times=fault.times - 1)


def instead(fault: Fault) -> Reply | None:
    """The reply of a fault that answers in the store's place, or None."""
    match fault.kind:
        case Kind.STATUS:
            return _status(fault)
        case Kind.CODE:
            message = fault.text or "emulated fault"
            return _json(200, {"base_resp": {"status_code": int(fault.value), "status_msg": message}})
        case Kind.GARBAGE:
            return Reply(200, (("content-type", "application/json"),), b'{"files": [{"file_id": 4447')
        case _:
            return None


def spoil(reply: Reply, fault: Fault) -> Reply:
    """The reply with the fault in it; faults of the transport leave it as it is."""
    match fault.kind:
        case Kind.WRONG_LENGTH:
            return replace(reply, surplus=int(fault.value) or 1)
        case Kind.WHOLE if isinstance(reply.body, Slice):
            body = Slice(reply.body.content, 0, reply.body.content.size)
            return replace(reply, status=200, headers=_without_range(reply), body=body)
        case Kind.WRONG_RANGE if isinstance(reply.body, Slice) and reply.status == 206:
            return _shifted(reply, reply.body, int(fault.value) or 1)
        case _:
            return reply


def announced(reply: Reply) -> int | None:
    """The Content-Length to send, or None for a chunked body."""
    size = body_size(reply.body) if reply.sized else None
    return None if size is None else max(0, size + reply.surplus)


def _status(fault: Fault) -> Reply:
    status = int(fault.value)
    text = fault.text or f"<html><body><center><h1>{status}</h1></center><hr>gateway</body></html>"
    kind = "text/html" if text.startswith("<") else "application/json"
    headers = [("content-type", kind)]
    if fault.retry_after is not None:
        headers.append(("retry-after", f"{fault.retry_after:g}"))
    return Reply(status, tuple(headers), text.encode())


def _shifted(reply: Reply, body: Slice, distance: int) -> Reply:
    size = body.content.size
    start = min(body.start + distance, size - 1)
    stop = min(body.stop + distance, size)
    line = ("content-range", f"bytes {start}-{stop - 1}/{size}")
    return replace(reply, headers=(*_without_range(reply), line), body=Slice(body.content, start, stop))


def _without_range(reply: Reply) -> tuple[tuple[str, str], ...]:
    return tuple(header for header in reply.headers if header[0] != "content-range")


def _json(status: int, value: object) -> Reply:
    return Reply(status, (("content-type", "application/json"),), json.dumps(value).encode())
