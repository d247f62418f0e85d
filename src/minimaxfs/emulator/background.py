"""The emulator in a thread with a trio loop of its own, for tests, benchmarks and the demo.

::

    with running() as emulator:
        file_id = emulator.add_file("voice_clone", "a.wav", b"RIFF…")
        emulator.inject(Fault(Operation.DOWNLOAD, Kind.CUT, value=1000))
        …                                       # point a client at emulator.api_origin
        assert emulator.requests["download"] == 2

All methods of `Emulator` may be called from any thread, also from within another trio loop.
"""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import trio

from minimaxfs.emulator.contents import contents_at
from minimaxfs.emulator.desk import Desk
from minimaxfs.emulator.faults import Fault
from minimaxfs.emulator.messages import Content, Inline, OnDisk, StoredFile
from minimaxfs.emulator.server import ANY_PORTS, Ports, opened, serve
from minimaxfs.emulator.service import Service
from minimaxfs.emulator.settings import DEFAULTS, Settings
from minimaxfs.emulator.signing import Signer
from minimaxfs.emulator.tally import Seen

_PATIENCE = 10.0
"""Seconds that a change of the listeners may take before something must be wrong."""


class Emulator:
    """A running store: what a test does behind the client's back."""

    def __init__(self, desk: Desk, ports: Ports, toggle: Callable[[], None]) -> None:
        self.api_origin = ports.api_origin
        self.storage_origin = ports.storage_origin
        self._desk = desk
        self._toggle = toggle

    def add_file(
        self,
        purpose: str,
        filename: str,
        data: bytes | Path,
        created_at: int | None = None,
        file_id: int | None = None,
    ) -> int:
        """Store a file, without the rules of an upload; its id. A path is served from where it lies."""
        content: Content = Inline(data) if isinstance(data, bytes) else OnDisk(data, data.stat().st_size)
        moment = int(time.time()) if created_at is None else created_at
        with self._desk.lock:
            return self._desk.service.add(purpose, filename, content, moment, file_id).file_id

    def remove_file(self, file_id: int) -> None:
        """Delete a file as another client would: KeyError if there is none."""
        with self._desk.lock:
            removed = self._desk.service.remove(file_id)
            if removed is None:
                raise KeyError(file_id)
            self._desk.contents.free(removed)

    def files(self, purpose: str | None = None) -> list[StoredFile]:
        """What the store holds, in order of its coming, with true sizes."""
        with self._desk.lock:
            return self._desk.service.files(purpose)

    def content(self, file_id: int) -> bytes:
        """The bytes of a file: KeyError if there is none."""
        with self._desk.lock:
            stored = self._desk.service.file(file_id)
        if stored is None:
            raise KeyError(file_id)
        return stored.content.data if isinstance(stored.content, Inline) else stored.content.path.read_bytes()

    def inject(self, *faults: Fault) -> None:
        with self._desk.lock:
            for fault in faults:
                self._desk.faults.add(fault)

    def clear_faults(self) -> None:
        with self._desk.lock:
            self._desk.faults.clear()

    @property
    def settings(self) -> Settings:
        return self._desk.service.settings

    def change(self, settings: Settings) -> None:
        """Behave like this from the next request on; `replace(emulator.settings, …)` changes a part."""
        with self._desk.lock:
            self._desk.service.settings = settings

    def rotate_key(self, *keys: str) -> None:
        """From now on accept only these keys."""
        self.change(replace(self.settings, keys=frozenset(keys)))

    def expire_urls(self) -> None:
        """Make all URLs signed so far void."""
        with self._desk.lock:
            self._desk.service.signer = Signer(secrets.token_bytes())

    @property
    def requests(self) -> Counter[str]:
        """How many requests of each operation have come: `requests["list"]`; a snapshot."""
        with self._desk.lock:
            return self._desk.tally.requests.copy()

    @property
    def bytes_sent(self) -> int:
        """Bytes of the bodies of `download` and `retrieve_content`."""
        with self._desk.lock:
            return self._desk.tally.bytes_sent

    @property
    def log(self) -> list[Seen]:
        """The requests as they came, the oldest first; a snapshot."""
        with self._desk.lock:
            return list(self._desk.tally.log)

    def clear_counts(self) -> None:
        """Forget the requests and bytes counted so far, and the log."""
        with self._desk.lock:
            self._desk.tally.clear()

    @contextmanager
    def offline(self) -> Iterator[None]:
        """The network is away: connections break, new ones are refused; afterwards the same ports answer."""
        self._toggle()
        try:
            yield
        finally:
            self._toggle()


@contextmanager
def running(
    settings: Settings = DEFAULTS, *, root: Path | None = None, ports: Ports = ANY_PORTS
) -> Iterator[Emulator]:
    """An emulator that listens, until the context ends; whatever hangs in it then is dropped at once."""
    with contents_at(root) as contents, ThreadPoolExecutor(1, "emulator") as executor:
        desk = Desk(Service(time.time(), secrets.token_bytes(), settings), contents)
        desk.offer()
        up: Future[_Running] = Future()
        ended = executor.submit(trio.run, _live, desk, ports, up)
        # A loop that dies before it listens would leave `up` waiting: let it say why instead.
        ended.add_done_callback(lambda _: up.cancel())
        try:
            live = up.result(_PATIENCE)
        except CancelledError:
            ended.result()
            raise
        try:
            yield Emulator(desk, live.ports, live.toggle)
        finally:
            with suppress(trio.RunFinishedError):
                live.token.run_sync_soon(live.orders.close)
            ended.result()


@dataclass(frozen=True, slots=True)
class _Running:
    """What reaches into the loop from outside. Each order turns the listeners off, or on again."""

    ports: Ports
    token: trio.lowlevel.TrioToken
    orders: trio.MemorySendChannel["Future[_Running]"]

    def toggle(self) -> None:
        done: Future[_Running] = Future()
        self.token.run_sync_soon(self.orders.send_nowait, done)
        done.result(_PATIENCE)


async def _live(desk: Desk, ports: Ports, up: "Future[_Running]") -> None:
    """Listen, and stop and start listening again as ordered, until the orders end."""
    sender, orders = trio.open_memory_channel[Future[_Running]](1)
    token = trio.lowlevel.current_trio_token()
    with sender, orders:
        while True:
            async with opened(ports) as site, trio.open_nursery() as nursery:
                ports = site.ports
                nursery.start_soon(serve, desk, site)
                up.set_result(_Running(ports, token, sender))
                down = await _next(orders)
                nursery.cancel_scope.cancel()
            if down is None:
                return
            down.set_result(_Running(ports, token, sender))
            again = await _next(orders)
            if again is None:
                return
            up = again


async def _next(orders: trio.MemoryReceiveChannel[Future[_Running]]) -> Future[_Running] | None:
    try:
        return await orders.receive()
    except trio.EndOfChannel:
        return None
