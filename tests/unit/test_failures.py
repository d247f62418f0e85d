"""The record of what failed, and what each error means."""

from collections.abc import Iterator

from minimaxfs.api.content import UrlEnded
from minimaxfs.core.errors import AccessRefused, FsError, Offline
from minimaxfs.core.failures import MEANINGS, Failure, Failures, meaning


def failure(path: str, at: float = 0.0) -> Failure:
    return Failure(path, "read", Offline("no way"), at)


def kinds(kind: type[FsError]) -> Iterator[type[FsError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from kinds(one)


def test_each_error_of_the_core_has_a_meaning_of_its_own() -> None:
    """None is forgotten, and no two mean the same."""
    ours = {kind for kind in kinds(FsError) if kind.__module__ == "minimaxfs.core.errors"}
    assert set(MEANINGS) == ours
    assert len(set(MEANINGS.values())) == len(MEANINGS)


def test_an_error_of_another_floor_means_what_it_is_a_kind_of() -> None:
    """A URL that ended is a refusal."""
    assert meaning(UrlEnded("x")) == MEANINGS[AccessRefused]


def test_the_last_failure_of_a_path_counts() -> None:
    """The earlier one is forgotten."""
    failures = Failures()
    failures.note(failure("a", 1.0))
    failures.note(failure("a", 2.0))
    last = failures.last("a")
    assert last is not None
    assert last.at == 2.0
    assert failures.last("b") is None
    assert [one.at for one in failures.recent(9)] == [2.0]


def test_the_record_is_bounded() -> None:
    """The path that failed longest ago goes first; one that fails again is young."""
    failures = Failures(most=2)
    for path in ("a", "b", "a", "c"):
        failures.note(failure(path))
    assert [one.path for one in failures.recent(9)] == ["c", "a"]
    assert [one.path for one in failures.recent(1)] == ["c"]
