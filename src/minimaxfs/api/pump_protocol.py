"""What the drive and its pump say to each other. Pure.

The pump (`pump_process`) is a process of its own that moves bodies from sockets into files. It takes its
orders from one SOCK_SEQPACKET socket, a message at a time, and ends when that socket does. A message is
``kind line value`` (`HEADER`), a payload, and for some a descriptor:

=======  ==============================================  =============================================
order    with                                            answer
=======  ==============================================  =============================================
TRUST    payload: file and directory of CAs, by a NUL    (none)
ADOPT    a connected socket; payload: the name that a    READY
         certificate must have, or nothing: no TLS
ASK      payload: a request's head, or nothing           HEAD: the next head, with its blank line
POUR     a file; value: the offset in it; payload:       MOVED, value: bytes so far; several times,
         how many bytes of the body                      the last one with all of them
TAKE     value: at most so many bytes of the body        BYTES: some; none at the end
DROP                                                     GONE: nothing is written for it any more
=======  ==============================================  =============================================

A connection that fails is answered with ENDED and words, whatever was asked; a file that cannot be
written with FULL, whose value is the errno.
"""

import struct
from enum import IntEnum

HEADER = struct.Struct("<BIQ")
COUNT = struct.Struct("<Q")

LARGEST = 64 * 1024
"""Bytes of a payload, and so of a head: more than any server takes for one."""

END_OF_HEAD = b"\r\n\r\n"


class Say(IntEnum):
    """The kinds of message."""

    TRUST = 1
    ADOPT = 2
    ASK = 3
    POUR = 4
    TAKE = 5
    DROP = 6
    READY = 11
    HEAD = 12
    MOVED = 13
    BYTES = 14
    ENDED = 15
    FULL = 16
    GONE = 17
