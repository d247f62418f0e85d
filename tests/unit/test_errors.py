"""The errors: each says its errno, whether to try again, and what to do."""

import errno
import re
from collections.abc import Iterator

import pytest

from minimaxfs.core import errors
from minimaxfs.core.errors import ConfigError, FsError, NoSuchFile, RateLimited, Stale


def below(base: type[FsError]) -> Iterator[type[FsError]]:
    """The kinds of this module; others, which never leave their floor, may stand beside it."""
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from below(kind)


KINDS: list[type[FsError]] = [FsError, *below(FsError)]


def test_the_docstring_draws_every_error() -> None:
    """The tree in the module's docstring is the tree of the classes, with their errnos."""
    assert errors.__doc__ is not None
    rows = re.findall(r"^( +)(\w+) +(E[A-Z]+)( +yes.*)?$", errors.__doc__, re.MULTILINE)
    drawn = [
        (len(indent) // 2 - 2, name, getattr(errno, code), bool(again)) for indent, name, code, again in rows
    ]
    assert drawn == [
        (kind.__mro__.index(FsError), kind.__name__, kind.errno, kind.retry) for kind in KINDS[1:]
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_has_advice(kind: type[FsError]) -> None:
    """Each error's advice is a sentence of its own."""
    assert kind.advice.endswith(".")
    assert [other for other in KINDS if other.advice == kind.advice] == [kind]


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_keeps_what_it_was_told(kind: type[FsError]) -> None:
    """An error reads as its message and carries what the store said with it."""
    bare = kind("no answer")
    assert (str(bare), bare.code, bare.trace_id, bare.retry_after, bare.sent) == (
        "no answer",
        None,
        None,
        None,
        False,
    )
    told = kind("too fast", code=1002, trace_id="t-1", retry_after=1.5, sent=True)
    assert (told.code, told.trace_id, told.retry_after, told.sent) == (1002, "t-1", 1.5, True)


def test_a_stale_file_is_a_missing_file() -> None:
    """Who waits for a missing file also meets one that went while it was open."""
    assert issubclass(Stale, NoSuchFile)
    assert RateLimited.retry


def test_a_configuration_error_says_what_to_do() -> None:
    """A configuration error has a message and advice, and is no failure of a request."""
    error = ConfigError("no key", "Set MINIMAX_API_KEY.")
    assert (str(error), error.advice) == ("no key", "Set MINIMAX_API_KEY.")
    assert not isinstance(error, FsError)
