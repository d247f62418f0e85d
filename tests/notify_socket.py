"""A service manager's ear: the datagrams of sd_notify, as they came."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

Message = dict[str, str]


class NotifySocket:
    """All messages so far, in `messages`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.messages: list[Message] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def hear(self) -> list[Message]:
        """Take what has come by now."""
        self._socket.settimeout(0)
        try:
            while True:
                self._take()
        except BlockingIOError:
            return self.messages

    def await_message(self, fits: Callable[[Message], bool], limit: float = 20.0) -> Message:
        """Give the first message that fits, of those that have come and those that come in time."""
        deadline = time.monotonic() + limit
        for message in self._all(deadline):
            if fits(message):
                return message
        raise AssertionError(self.messages)

    def _all(self, deadline: float) -> Iterator[Message]:
        yield from tuple(self.messages)
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                self._take()
            except TimeoutError:
                return
            yield self.messages[-1]

    def _take(self) -> None:
        lines = self._socket.recv(65536).decode().split("\n")
        self.messages.append(dict(line.split("=", 1) for line in lines))


@contextmanager
def listening(place: Path) -> Iterator[NotifySocket]:
    with NotifySocket(str(place / "notify")) as ear:
        yield ear
