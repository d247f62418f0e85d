"""Which error a refusal of the store is: one table for its own codes, one for HTTP's. Pure.

The codes are those of the platform's documentation; gateways and newer endpoints use HTTP's. What a
refused *parameter* means depends on what was asked (2013 is also "no such file"): a third table.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from minimaxfs.api.endpoint import Operation
from minimaxfs.core.errors import (
    AccessRefused,
    BrokenReply,
    ContentRefused,
    FsError,
    NoSuchFile,
    NotPermitted,
    NotSupported,
    QuotaSpent,
    RateLimited,
    ServerFailed,
    StoreFull,
    TimedOut,
    TooLarge,
)

PARAMETER_REFUSED = 2013

CODES: Mapping[int, type[FsError]] = MappingProxyType(
    {
        1000: ServerFailed,
        1001: TimedOut,
        1002: RateLimited,
        1004: AccessRefused,
        1008: QuotaSpent,
        1013: ServerFailed,
        1024: ServerFailed,
        1026: ContentRefused,
        1027: ContentRefused,
        1028: QuotaSpent,
        1030: QuotaSpent,
        1033: ServerFailed,
        1039: RateLimited,
        1041: RateLimited,
        1042: ContentRefused,
        2037: ContentRefused,
        2038: ContentRefused,
        2045: RateLimited,
        2048: ContentRefused,
        2049: AccessRefused,
        2056: QuotaSpent,
        2061: QuotaSpent,
    }
)
"""`base_resp.status_code` → error. Any other code is a fault of the store, whose meaning nobody recorded."""

STATUSES: Mapping[int, type[FsError]] = MappingProxyType(
    {
        401: AccessRefused,
        402: QuotaSpent,
        403: AccessRefused,
        405: NotSupported,
        408: TimedOut,
        410: NoSuchFile,
        413: TooLarge,
        415: ContentRefused,
        429: RateLimited,
        451: ContentRefused,
        504: TimedOut,
        507: StoreFull,
    }
)
"""HTTP status → error, where the body says nothing better. 5xx is ServerFailed, the rest BrokenReply."""

PARAMETERS: Mapping[Operation, type[FsError]] = MappingProxyType(
    {
        Operation.upload: ContentRefused,
        Operation.list_files: NotPermitted,
        Operation.retrieve: NoSuchFile,
        Operation.retrieve_content: NoSuchFile,
        Operation.delete: NotPermitted,
        Operation.download: BrokenReply,
    }
)
"""A refused parameter (2013, or 400 or 422 with JSON) → error. On delete it is either "no such file" or "may
not be deleted": the caller lists to learn which."""

_FULL = re.compile(
    r"(storage|capacity|space|quota)\b.*\b(full|exceed\w*|insufficient|not enough|used up|limit)"
    r"|(insufficient|not enough|no) (storage|capacity|space)",
    re.IGNORECASE,
)


def refusal_by_code(operation: Operation, code: int, said: str) -> type[FsError]:
    """The error for a `base_resp` code other than 0. `said` is what the store said with it."""
    if operation is Operation.upload and _FULL.search(said):
        return StoreFull
    if code == PARAMETER_REFUSED:
        return PARAMETERS[operation]
    return CODES.get(code, ServerFailed)


def refusal_by_status(operation: Operation, status: int, *, json: bool) -> type[FsError]:
    """The error for an HTTP status that is not a success; `json` is whether the API itself seems to speak.

    A 400 or 404 in HTML comes from something in between that knows no files: it must not look as if
    a file were gone.
    """
    if status in (400, 422):
        return PARAMETERS[operation] if json else BrokenReply
    if status == 404:
        return _unknown_path_or_file(operation, json=json)
    if status in STATUSES:
        return STATUSES[status]
    return ServerFailed if status >= 500 else BrokenReply


def _unknown_path_or_file(operation: Operation, *, json: bool) -> type[FsError]:
    names_a_file = operation in (Operation.retrieve, Operation.retrieve_content, Operation.delete)
    if operation is Operation.download or (json and names_a_file):
        return NoSuchFile
    return NotSupported
