"""What `minimaxfs status` shows of a drive: rows of words, some with a bar. Made from the drive's answer."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from minimaxfs import progress, values
from minimaxfs.complaint import printable

Table = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Row:
    """A line; `size` is 0 where there is no bar, else `done` of it is through. The label may be empty."""

    label: str
    text: str
    done: int = 0
    size: int = 0

    @property
    def percent(self) -> str:
        return progress.percent(self.done, self.size)


@dataclass(frozen=True, slots=True)
class Report:
    """One drive."""

    title: str
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        """The report without bars, for files and pipes."""
        lines = (f"  {row.label:<9} {f'{row.percent:>5}  ' * bool(row.size)}{row.text}" for row in self.rows)
        return "\n".join((self.title, *lines)) + "\n"


def report(reply: Table) -> Report:
    """Read a drive's answer to `status`. Raises ValueError where it is of another version."""
    return Report(_title(values.table(reply.get("mount"))), tuple(_rows(reply)))


def _rows(reply: Table) -> Iterator[Row]:
    yield Row("store", _store(values.table(reply.get("store"))))
    yield from _labelled("uploads", map(_upload, values.tables(reply.get("uploads"))))
    yield from _labelled("reads", map(_read, values.tables(reply.get("reads"))))
    yield _blocks(values.table(reply.get("blocks")))
    yield Row("requests", _requests(values.table(reply.get("requests"))))
    yield from _labelled("errors", map(_error, values.tables(reply.get("errors"))))


def _title(mount: Table) -> str:
    words = [
        f"profile {values.text(mount.get('profile'))}",
        f"mounted for {progress.duration(values.seconds(mount.get('seconds')))}",
        f"process {values.whole(mount.get('pid'))}",
    ]
    words += [name.replace("_", "-") for name in ("read_only", "write_back") if mount.get(name)]
    return f"{printable(values.text(mount.get('mountpoint')))} ({', '.join(words)})"


def _labelled(label: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The label stands before the first; where there are none, that is said."""
    first = next(rows, None)
    if first is None:
        yield Row(label, "none")
        return
    yield Row(label, first.text, first.done, first.size)
    yield from rows


def _upload(one: Table) -> Row:
    size, why = values.whole(one.get("size")), printable(str(one.get("why", "")))
    text = (
        f"{printable(values.text(one.get('path')))}, {values.text(one.get('state'))}, {progress.size(size)}"
    )
    return Row("", f"{text}: {why}" if why else text, values.whole(one.get("sent")), size)


def _read(one: Table) -> Row:
    size = values.whole(one.get("size"))
    text = f"{printable(values.text(one.get('path')))}, {progress.size(size)}"
    return Row("", text, values.whole(one.get("reached")), size)


def _store(store: Table) -> str:
    origin, offline, answered = (store.get(name) for name in ("origin", "offline_for", "answered_before"))
    if offline is not None:
        since = progress.duration(values.seconds(offline))
        state = f"cannot be reached since {since}: {printable(values.name(store.get('why')))}"
    elif answered is not None:
        state = f"answered {progress.duration(values.seconds(answered))} ago"
    else:
        state = "was not asked yet"
    return f"{values.text(origin)}, {state}"


def _blocks(blocks: Table) -> Row:
    used, limit = values.whole(blocks.get("used")), values.whole(blocks.get("limit"))
    pinned = values.whole(blocks.get("pinned_files"))
    text = f"{progress.size(used)} of {progress.size(limit)}"
    if pinned:
        size = progress.size(values.whole(blocks.get("pinned")))
        text += f", {progress.count(pinned, 'pinned file')} of {size}"
    return Row("blocks", text, used, limit)


def _requests(by_operation: Table) -> str:
    counts = {name: values.table(one) for name, one in by_operation.items()}
    total = sum(values.whole(one.get("count")) for one in counts.values())
    if not total:
        return "none today"
    price = sum(values.dollars(one.get("price")) for one in counts.values())
    named = ", ".join(f"{name} {values.whole(one.get('count'))}" for name, one in counts.items())
    return f"{total} today ({named})" + (f", ${price:.3f}" if price else "")


def _error(one: Table) -> Row:
    name = os.strerror(values.whole(one.get("errno")))
    when = progress.duration(values.seconds(one.get("ago")))
    what = f"{printable(values.text(one.get('path')))}: {name}: {printable(values.text(one.get('error')))}"
    return Row("", f"{when} ago, {values.text(one.get('operation'))} of {what}")
