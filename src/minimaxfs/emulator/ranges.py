"""One Range header, as the object store takes it: whatever is not wholly inside the object is ignored."""

import re

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def wanted(header: str | None, size: int) -> tuple[int, int] | None:
    """The half-open range to answer with 206, or None for 200 with everything.

    An end past the end of the object is not clamped, several ranges are not served, and a range that
    cannot be satisfied is no error: each answers with the whole object.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None:
        return None
    first, last = found[1], found[2]
    if not first:
        start, stop = size - int(last or 0), size
    else:
        start, stop = int(first), int(last) + 1 if last else size
    return (start, stop) if 0 <= start < stop <= size else None
