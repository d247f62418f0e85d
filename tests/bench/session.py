"""Runs measures round by round, the candidates side by side, and keeps what came out."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from subprocess import TimeoutExpired

from bench.candidates import Candidate
from bench.measures import Measure
from bench.running import Failed
from bench.site import Site
from bench.takes import Values


@dataclass
class Results:
    """What each round gave: by measure and candidate, one entry a round, None where it failed."""

    values: dict[str, dict[str, list[Values | None]]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, measure: str, candidate: str, values: Values | None) -> None:
        self.values.setdefault(measure, {}).setdefault(candidate, []).append(values)

    def of(self, measure: str, candidate: str, key: str) -> list[float | None]:
        """One figure in each round."""
        rounds = self.values.get(measure, {}).get(candidate, [])
        return [None if values is None else values.get(key) for values in rounds]


def run(
    site: Site, measures: Sequence[Measure], candidates: Sequence[Candidate], rounds: int, results: Results
) -> None:
    """Take each measure so often; who begins is another candidate in each round."""
    for number in range(rounds):
        for measure in measures:
            if number >= measure.rounds(rounds):
                continue
            for candidate in rotated(candidates, number):
                results.add(measure.name, candidate.name, _take(site, measure, candidate, number, results))


def rotated(candidates: Sequence[Candidate], by: int) -> Sequence[Candidate]:
    by %= len(candidates)
    return [*candidates[by:], *candidates[:by]]


def _take(site: Site, measure: Measure, candidate: Candidate, number: int, results: Results) -> Values | None:
    what = f"{measure.name}, {candidate.name}, round {number + 1}"
    sys.stderr.write(f"{what}: ")
    sys.stderr.flush()
    try:
        values = measure.take(site, candidate)
    except (Failed, OSError, TimeoutExpired) as error:
        results.failures.append(f"{what}: {error}")
        sys.stderr.write(f"FAILED: {error}\n")
        return None
    sys.stderr.write("  ".join(f"{key} {value:.4g}" for key, value in values.items()) + "\n")
    return values
