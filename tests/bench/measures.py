"""What is measured, and what it must reach: the table that all else follows.

A measure yields one or more figures. Figures whose measure waits for round trips and little else vary by a
few per cent, and rclone takes minutes for them: one round in three is enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from bench import takes
from bench.corpus import SMALL, STREAM
from bench.takes import Take
from bench.uploading import upload


@dataclass(frozen=True, slots=True)
class Ratio:
    """At least so many times as good as rclone with a full cache."""

    least: float


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so much, in the figure's unit."""

    most: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. Less is better, unless the unit is a speed. `drawn`: its title in the plot."""

    title: str
    unit: str
    reach: Ratio | Limit | None = None
    drawn: str = ""

    @property
    def more_is_better(self) -> bool:
        return self.unit.endswith("/s")


@dataclass(frozen=True, slots=True)
class Measure:
    """What is done at once with one mounted drive; `figures` are by the keys of what `take` gives."""

    name: str
    take: Take
    figures: Mapping[str, Figure]
    slow: bool = field(default=False)

    def rounds(self, wanted: int) -> int:
        """How many rounds of it are made where `wanted` are."""
        return max(1, wanted // 3) if self.slow else wanted


MEASURES = (
    Measure(
        "sequential",
        partial(takes.sequential, route="http"),
        {
            "cold": Figure("512 MB, cold", "MB/s", Ratio(2.0), "512 MB, first read"),
            "cpu": Figure("  CPU seconds per GB", "s/GB", Limit(1.2), "CPU of it"),
            "sent": Figure("  bytes sent per byte read", "", None),
            "requests": Figure("  requests", "", None),
            "disk": Figure("512 MB, warm, on disk", "MB/s", Ratio(2.2), "512 MB, again, from disk"),
            "cache": Figure(
                "512 MB, warm, in the page cache", "MB/s", Ratio(2.8), "512 MB, again, from memory"
            ),
        },
    ),
    Measure(
        "https",
        partial(takes.cold, route="https"),
        {
            "cold": Figure("512 MB, cold, https", "MB/s", Ratio(1.5), "512 MB, first read, https"),
            "cpu": Figure("  CPU seconds per GB", "s/GB", None),
        },
    ),
    Measure(
        "random",
        partial(takes.scattered, route="http"),
        {
            "time": Figure("200 reads of 64 KiB, cold", "s", Ratio(6.0), "200 scattered reads"),
            "sent": Figure("  bytes sent per byte read", "", Limit(2.0), "bytes sent for them"),
        },
    ),
    Measure(
        "first-byte",
        partial(takes.first_byte, route="http"),
        {
            STREAM: Figure("first 4 KiB of 512 MB", "ms"),
            SMALL: Figure("first 4 KiB of 100 KiB", "ms"),
        },
    ),
    Measure(
        "listing",
        partial(takes.listing, route="http"),
        {
            "cold": Figure("ls -l of 10,000 files, cold", "s", Ratio(6.0), "ls -l of 10,000 files"),
            "requests": Figure("  requests", "", Limit(1)),
            "warm": Figure("ls -l of 10,000 files, warm", "s"),
            "warm requests": Figure("  requests", ""),
        },
    ),
    Measure(
        "copy",
        partial(takes.copying, route="http"),
        {
            "time": Figure("cp -r of 1,000 files of 100 KiB", "s", Ratio(1.5), "cp -r of 1,000 files"),
            "requests": Figure("  requests", ""),
        },
    ),
    Measure("upload", upload, {"speed": Figure("upload of 512 MB (to different servers)", "MB/s")}),
    Measure(
        "fairness",
        partial(takes.fairness, route="http"),
        {
            "read p50": Figure("small read during a stream, p50", "ms"),
            "read p99": Figure("  p99", "ms", Limit(10.0)),
            "read max": Figure("  longest", "ms"),
            "list p50": Figure("stat and readdir during a stream, p50", "ms"),
            "list p99": Figure("  p99", "ms", Limit(10.0)),
            "list max": Figure("  longest", "ms"),
            "probes": Figure("  how many of each", ""),
        },
    ),
    Measure(
        "memory",
        partial(takes.memory, route="http"),
        {
            "resident": Figure("resident after all of it", "MB", Limit(70.0), "memory"),
            "proportional": Figure("  shared pages once", "MB"),
        },
    ),
    Measure(
        "relay-sequential",
        partial(takes.cold, route="relay"),
        {"cold": Figure("50 ms: 512 MB, cold", "MB/s", Ratio(4.0), "512 MB at 50 ms")},
        slow=True,
    ),
    Measure(
        "relay-random",
        partial(takes.scattered, route="relay"),
        {
            "time": Figure("50 ms: 200 reads of 64 KiB, cold", "s", None, "200 scattered reads at 50 ms"),
            "trips": Figure("  round trips each", "", Limit(1.1)),
        },
        slow=True,
    ),
    Measure(
        "relay-listing",
        partial(takes.listing, route="relay"),
        {
            "cold": Figure("50 ms: ls -l of 10,000 files, cold", "s", Limit(0.5), "ls -l of 10,000 at 50 ms"),
            "requests": Figure("  requests", "", Limit(1)),
        },
        slow=True,
    ),
    Measure(
        "relay-copy",
        partial(takes.copying, route="relay"),
        {
            "time": Figure(
                "50 ms: cp -r of 1,000 of 100 KiB", "s", Ratio(6.0), "cp -r of 1,000 files at 50 ms"
            )
        },
        slow=True,
    ),
)
