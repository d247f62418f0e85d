"""What all connections share, and what other threads may touch: one lock around state that never waits."""

import itertools
import secrets
import threading
import time
from dataclasses import replace

from minimaxfs.emulator.contents import Contents
from minimaxfs.emulator.faults import Fault, FaultPlan, instead, spoil
from minimaxfs.emulator.messages import OnDisk, Operation, Reply, Request, Side
from minimaxfs.emulator.service import Service
from minimaxfs.emulator.tally import Tally

_MEASURED = {Operation.DOWNLOAD, Operation.RETRIEVE_CONTENT}


class Desk:
    """Hold `lock` around every touch of `service`, `faults` and `tally`; no holder waits for anything."""

    def __init__(self, service: Service, contents: Contents) -> None:
        self.lock = threading.Lock()
        self.service = service
        self.contents = contents
        self.faults = FaultPlan()
        self.tally = Tally()
        self._traces = itertools.count(secrets.randbits(100))

    def offer(self) -> None:
        """Take the files that lie in the contents' directory into the store."""
        for purpose, path in self.contents.offered():
            seen = path.stat()
            self.service.add(purpose, path.name, OnDisk(path, seen.st_size), int(seen.st_mtime))

    def arrived(self, head: Request) -> tuple[Operation, tuple[Fault, ...]]:
        """Count a request whose head has come; what it asks for, and the faults that it will meet."""
        with self.lock:
            operation = self.service.operation(head.side, head.method, head.target)
            self.tally.note(operation, head)
            return operation, self.faults.take(operation)

    def answer(self, request: Request, faults: tuple[Fault, ...]) -> Reply:
        """Carry out what the faults leave of the request, keep or free the bytes, and spoil the answer."""
        substitutes = [reply for reply in map(instead, faults) if reply is not None]
        with self.lock:
            if not substitutes or any(fault.executed for fault in faults):
                reply = self._carry_out(request)
            for substitute in substitutes:
                reply = substitute
            for fault in faults:
                reply = spoil(reply, fault)
            return self._traced(request.side, reply)

    def sent(self, operation: Operation, count: int) -> None:
        if operation in _MEASURED:
            with self.lock:
                self.tally.bytes_sent += count

    def _carry_out(self, request: Request) -> Reply:
        reply = self.service.answer(request, time.time())
        if reply.stored is not None:
            self.service.settle(reply.stored, self.contents.keep(reply.stored))
        if reply.deleted is not None:
            self.contents.free(reply.deleted)
        return reply

    def _traced(self, side: Side, reply: Reply) -> Reply:
        name = "trace-id" if side is Side.API else "x-oss-request-id"
        return replace(reply, headers=(*reply.headers, (name, f"{next(self._traces):032x}")))
