"""A way into nowhere: whoever connects to a port of this machine gets no answer, not even a refusal."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from minimaxfs.emulator.background import Emulator

MOST = 64
"""Connections after which the kernel drops further ones, at the latest: it is two in fact."""


@contextmanager
def black_hole(port: int = 0) -> Iterator[int]:
    """Listen without ever accepting, the queue being full: the kernel drops what knocks. Gives the port."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(MOST):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(address)
            except TimeoutError:
                break
        else:
            raise OSError(errno.EBUSY, "the queue of the listener does not fill up")
        yield address[1]


@contextmanager
def swallowed(emulator: Emulator) -> Iterator[None]:
    """The network drops every packet to the store; afterwards the store is there again."""
    ports = [urlsplit(origin).port or 0 for origin in (emulator.api_origin, emulator.storage_origin)]
    with emulator.offline(), ExitStack() as stack:
        for port in ports:
            stack.enter_context(black_hole(port))
        yield
