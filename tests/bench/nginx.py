"""One nginx that serves the file API and the contents as static files, and counts what it sends."""

import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import CREATED_AT
from bench.running import Words, ended, program, wait_for

_CONFIG = """\
daemon off;
{user}
worker_processes auto;
pid {place}/nginx.pid;
error_log {place}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    log_format sent '$bytes_sent $status $request_method $request_uri';
    access_log {place}/access.log sent;
    {temporary}
    types {{ text/html html; application/json json; }}
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 600s;
    keepalive_requests 1000000;
    map_hash_max_size 65536;
    map_hash_bucket_size 128;
    map $arg_file_id $stored {{ default ""; include {root}/stored.map; }}
    map $stored $stored_path {{ default ""; "~^(?<told_path>.+):\\d+$" $told_path; }}
    map $stored $stored_size {{ default 0; "~:(?<told_size>\\d+)$" $told_size; }}
    map $stored $stored_name {{ default ""; "~/(?<told_name>[^:]+):" $told_name; }}
    server {{
        listen 127.0.0.1:{http} backlog=1024;
        listen 127.0.0.1:{https} ssl backlog=1024;
        ssl_certificate {place}/server.pem;
        ssl_certificate_key {place}/server.pem;
        root {root}/content;
        location = /v1/files/list {{
            root {root}/lists;
            try_files /$arg_purpose.json /none.json =404;
        }}
        location = /v1/files/retrieve {{
            default_type application/json;
            if ($stored = "") {{ return 404; }}
            return 200 '{retrieved}';
        }}
        location = / {{ root {root}/pages; try_files /root.html =404; }}
        location ~ ^/(?<purpose>\\w+)/$ {{ root {root}/pages; try_files /$purpose.html =404; }}
        location = /status {{ access_log off; stub_status; }}
    }}
}}
"""

_RETRIEVED = (
    '{"file":{"file_id":$arg_file_id,"bytes":$stored_size,"created_at":%d,"filename":"$stored_name",'
    '"purpose":"t2a_async_input","download_url":"$scheme://$http_host/$stored_path?Expires=4102444800"},'
    '"base_resp":{"status_code":0,"status_msg":"success"}}'
)
"""The link leads back the way that the request came: by http, https or the relay. It ends in 2100."""

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True, slots=True)
class Ports:
    http: int
    https: int


@dataclass(frozen=True, slots=True)
class Sent:
    """Answers that nginx gave: how many, and their bytes with the heads."""

    requests: int
    size: int


class Nginx:
    """The running server."""

    def __init__(self, place: Path, ports: Ports) -> None:
        self.ports = ports
        self._log = place / "access.log"

    def mark(self) -> int:
        """A point of the log, for `since`."""
        self._settle()
        return self._log.stat().st_size

    def since(self, mark: int) -> Sent:
        """What was sent since then, once nothing is on its way any more."""
        self._settle()
        with self._log.open("rb") as log:
            log.seek(mark)
            return tally(log.read().decode())

    def _settle(self) -> None:
        """Wait until no answer is under way but that of the question itself: each is logged at its end."""
        wait_for(self._is_quiet, 10.0, "nginx goes on sending")

    def _is_quiet(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports.http}/status", timeout=10) as reply:
            words: list[str] = reply.read().decode().split()
        return words[words.index("Writing:") + 1] == "1"


def tally(log: str) -> Sent:
    """Count the lines of an access log."""
    sizes = [int(line.split(maxsplit=1)[0]) for line in log.splitlines()]
    return Sent(len(sizes), sum(sizes))


def config(place: Path, root: Path, ports: Ports, *, as_root: bool) -> str:
    """The whole configuration: nothing of this machine's own is used."""
    return _CONFIG.format(
        place=place,
        root=root,
        http=ports.http,
        https=ports.https,
        user="user root;" if as_root else "",
        temporary="\n    ".join(f"{name}_temp_path {place}/temporary;" for name in _TEMPORARY),
        retrieved=_RETRIEVED % CREATED_AT,
    )


@contextmanager
def serving(place: Path, root: Path, *, as_root: bool) -> Iterator[Nginx]:
    """nginx on two free ports of loopback, with `place/server.pem` as its certificate and key."""
    ports = Ports(*free_ports(2))
    path = place / "nginx.conf"
    path.write_text(config(place, root, ports, as_root=as_root))
    command: Words = [program("nginx"), "-p", place, "-c", path, "-e", place / "error.log"]
    process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
    with ended(process):
        wait_for(lambda: accepts(ports.https), 10.0, f"nginx does not start: see {place}/error.log")
        yield Nginx(place, ports)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
