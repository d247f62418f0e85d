"""What a drive gives up once it is mounted."""

import ctypes
import logging
import os

log = logging.getLogger(__name__)

_PR_SET_NO_NEW_PRIVS = 38


def forbid_new() -> None:
    """Let no program that this process starts gain privileges, where none has to.

    A user's drive is unmounted by fusermount3, whose setuid bit this would make void; root unmounts
    by itself.
    """
    if os.geteuid() != 0:
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0))) != 0:
        log.warning("new privileges are not forbidden: %s", os.strerror(ctypes.get_errno()))
