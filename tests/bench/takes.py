"""How each measure is taken: one candidate, mounted anew, once. The values come by the figure's key.

Before each, the file's directory is listed once, unless the listing is the measure: what a listing costs
has figures of its own. What is read is checked: in the timed passes in size or better, whole files after.
"""

import filecmp
import json
import math
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import usage
from bench.candidates import Candidate, Drive
from bench.corpus import COPIED, LARGE, LISTED, SMALL, STREAM
from bench.link import Path as Line
from bench.reader import RANDOM
from bench.running import Failed, ended, module, timed
from bench.site import Site, read

Values = Mapping[str, float]
Take = Callable[[Site, Candidate], Values]

MB, GB = 1e6, 1e9


def cold(site: Site, candidate: Candidate, *, route: str) -> Values:
    """A whole large file, never seen before."""
    with site.mounted(candidate, route) as drive:
        values = _cold(site, drive)
        read("same", _known(drive, STREAM), site.source(LARGE, STREAM))
    return values


def sequential(site: Site, candidate: Candidate, *, route: str) -> Values:
    """A large file cold, from the disk and from the page cache."""
    size = site.scale.stream
    with site.mounted(candidate, route) as drive:
        values = _cold(site, drive)
        file = _known(drive, STREAM)
        # Neither the daemon's files nor the drive's are in the page cache: the disk has to bring them.
        read("evict", *drive.cached(), file)
        from_disk = read("stream", file, str(size))[0]
        # The daemon's files are in the page cache, the drive's are not: each byte passes the daemon again.
        read("warm", *drive.cached())
        read("evict", file)
        from_cache = read("stream", file, str(size))[0]
        read("same", file, site.source(LARGE, STREAM))
    return {**values, "disk": size / from_disk / MB, "cache": size / from_cache / MB}


def _cold(site: Site, drive: Drive) -> Values:
    size, file = site.scale.stream, _known(drive, STREAM)
    mark, before = site.nginx.mark(), usage.cpu(drive.pid)
    seconds = read("stream", file, str(size))[0]
    usage.rest(drive.pid)  # what is left to do after the last byte counts, too
    used = usage.cpu(drive.pid) - before
    sent = site.nginx.since(mark)
    return {
        "cold": size / seconds / MB,
        "cpu": used / size * GB,
        "sent": sent.size / size,
        "requests": sent.requests,
    }


def scattered(site: Site, candidate: Candidate, *, route: str) -> Values:
    """64 KiB at each of 200 places, one after the other."""
    count = site.scale.random_reads
    mark = site.nginx.mark()
    with site.mounted(candidate, route) as drive:
        file = _known(drive, STREAM)
        seconds = read("scattered", file, site.source(LARGE, STREAM), str(count))
    trips = [max(1, round(one / Line().round_trip)) for one in seconds]
    # Counted after the end of the mount: rclone goes on fetching what nobody reads.
    sent = site.nginx.since(mark)
    return {
        "time": sum(seconds),
        "sent": sent.size / (count * RANDOM),
        "trips": sum(trips) / count,
    }


def first_byte(site: Site, candidate: Candidate, *, route: str) -> Values:
    """The first page of a file, each of a drive that has seen nothing."""
    values = {}
    for name in (STREAM, SMALL):
        with site.mounted(candidate, route) as drive:
            values[name] = read("first", _known(drive, name), site.source(LARGE, name))[0] * 1000
    return values


def listing(site: Site, candidate: Candidate, *, route: str) -> Values:
    """`ls -l` of many files, twice."""
    with site.mounted(candidate, route) as drive:
        mark = site.nginx.mark()
        first = _list(site, drive)
        between = site.nginx.mark()
        cold_requests = site.nginx.since(mark).requests
        second = _list(site, drive)
        warm_requests = site.nginx.since(between).requests
    return {"cold": first, "requests": cold_requests, "warm": second, "warm requests": warm_requests}


def copying(site: Site, candidate: Candidate, *, route: str) -> Values:
    """`cp -r` of a directory of small files, of a drive that has seen nothing."""
    with site.mounted(candidate, route) as drive:
        mark = site.nginx.mark()
        seconds = _copy(site, drive)
        requests = site.nginx.since(mark).requests
    return {"time": seconds, "requests": requests}


def fairness(site: Site, candidate: Candidate, *, route: str) -> Values:
    """What others wait for while a large file streams: p50, p99 and the longest, in milliseconds."""
    with site.mounted(candidate, route) as drive:
        small = _known(drive, SMALL)
        read("same", small, site.source(LARGE, SMALL))
        command = module("reader", "probe", small, site.source(LARGE, SMALL), drive / LARGE)
        probe = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with ended(probe):
            read("stream", drive / LARGE / STREAM, str(site.scale.stream))
            told, _ = probe.communicate(timeout=60)
        if probe.returncode:
            raise Failed("what was read beside the stream is wrong")
        seconds: list[float] = json.loads(told)
    values: dict[str, float] = {"probes": len(seconds) / 2}
    for name, waits in (("read", seconds[::2]), ("list", seconds[1::2])):
        values |= {f"{name} {title}": percentile(waits, share) * 1000 for title, share in SHARES.items()}
    return values


def memory(site: Site, candidate: Candidate, *, route: str) -> Values:
    """What the daemon and its children hold after a listing, copies, a stream and random reads."""
    with site.mounted(candidate, route) as drive:
        _list(site, drive)
        _copy(site, drive)
        file = _known(drive, STREAM)
        read("stream", file, str(site.scale.stream))
        read("scattered", file, site.source(LARGE, STREAM), str(site.scale.random_reads))
        usage.rest(drive.pid)
        held = usage.usage(drive.pid)
    return {"resident": held.resident / MB, "proportional": held.proportional / MB}


SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _known(drive: Drive, name: str) -> Path:
    """A large file's path, once its directory has been listed."""
    path = drive / LARGE / name
    path.stat()
    return path


def _list(site: Site, drive: Drive) -> float:
    output = site.scratch() / "ls"
    seconds = timed(["ls", "-l", drive / LISTED], output)
    lines = [line.split() for line in output.read_text().splitlines()[1:]]
    shown = {line[-1]: int(line[4]) for line in lines}
    if shown != {path.name: path.stat().st_size for path in site.source(LISTED).iterdir()}:
        raise Failed("ls shows other files or sizes than the store has")
    return seconds


def _copy(site: Site, drive: Drive) -> float:
    target, source = site.scratch(), site.source(COPIED)
    seconds = timed(["cp", "-r", drive / COPIED, target])
    names = [path.name for path in source.iterdir()]
    same, _, _ = filecmp.cmpfiles(source, target / COPIED, names, shallow=False)
    if len(same) != len(names):
        raise Failed(f"cp brought {len(same)} of {len(names)} files as they are")
    return seconds
