"""Sockets, plain or with TLS in themselves, that never wait. Only the standard library: for the pump, too."""

import select
import socket
import ssl


class Ended(Exception):
    """The connection is of no use any more; says why."""


class Wait(Exception):
    """Nothing can be done before the socket is ready for `events` (of epoll)."""

    def __init__(self, events: int) -> None:
        super().__init__(events)
        self.events = events

    @property
    def is_for_reading(self) -> bool:
        """Whether something has to come, or else to go."""
        return bool(self.events & select.EPOLLIN)


class Wire:
    """A connected socket. Every method raises Wait, or Ended."""

    held_back = 0
    """Bytes of the stream that may have left the socket and not been given out yet."""

    def __init__(self, plain: socket.socket) -> None:
        plain.setblocking(False)
        self.socket = plain

    @property
    def holds_more(self) -> bool:
        """Whether bytes have left the socket that were not given out yet."""
        return False

    def shake(self) -> None:
        """Be ready to speak."""

    def receive_into(self, buffer: memoryview) -> int:
        """Put what is there into the buffer, as much as fits; 0 at the end."""
        try:
            return self.socket.recv_into(buffer)
        except BlockingIOError:
            raise Wait(select.EPOLLIN) from None
        except OSError as error:
            raise Ended(f"the connection broke off: {error.strerror or error}") from error

    def send(self, data: bytes) -> int:
        """Send as much as goes."""
        try:
            return self.socket.send(data)
        except BlockingIOError:
            raise Wait(select.EPOLLOUT) from None
        except OSError as error:
            raise Ended(f"the connection broke off: {error.strerror or error}") from error

    def wake_at(self, size: int) -> None:
        """Be ready only when so many bytes are there, or the end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)


class TlsWire(Wire):
    """A connected socket that speaks TLS in itself: records are joined before anybody sees them."""

    held_back = 32 * 1024

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, name: str) -> None:
        plain.setblocking(False)
        self._secure = context.wrap_socket(plain, do_handshake_on_connect=False, server_hostname=name)
        super().__init__(self._secure)

    @property
    def holds_more(self) -> bool:
        """As `Wire` says."""
        return self._secure.pending() > 0

    def shake(self) -> None:
        """Shake hands."""
        try:
            self._secure.do_handshake()
        except OSError as error:
            raise _verdict(error) from error

    def receive_into(self, buffer: memoryview) -> int:
        """Put what is there into the buffer: one record a call would be 16 KiB."""
        received = 0
        try:
            while received < len(buffer) and (count := self._secure.recv_into(buffer[received:])):
                received += count
        except OSError as error:
            if not received:
                raise _verdict(error) from error
        return received

    def send(self, data: bytes) -> int:
        """Send as much as goes."""
        try:
            return self._secure.send(data)
        except OSError as error:
            raise _verdict(error) from error


def _verdict(error: OSError) -> Wait | Ended:
    """What an error of the ssl module means here."""
    match error:
        case ssl.SSLWantReadError():
            return Wait(select.EPOLLIN)
        case ssl.SSLWantWriteError():
            return Wait(select.EPOLLOUT)
        case ssl.SSLCertVerificationError():
            return Ended(f"its certificate is not to be trusted: {error.verify_message}")
        case _:
            return Ended(f"TLS broke off: {error.strerror or error}")


def context_of(file: str, directory: str) -> ssl.SSLContext:
    """A context that verifies certificates by the authorities in a file or a directory."""
    context = ssl.create_default_context(cafile=file or None, capath=directory or None)
    context.set_alpn_protocols(["http/1.1"])
    return context
