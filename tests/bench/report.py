"""From what the rounds gave to a table and to JSON. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.candidates import CANDIDATES, MINIMAXFS
from bench.measures import Figure, Limit, Measure, Ratio
from bench.session import Results

RIVAL = "rclone full"
"""Who the ratios are to."""

Numbers = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: the median of each candidate, and how many times as good as its rival minimaxfs is."""

    measure: str
    key: str
    figure: Figure
    rounds: Mapping[str, Numbers]

    @property
    def medians(self) -> Mapping[str, float | None]:
        return {name: median(numbers) for name, numbers in self.rounds.items()}

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios: a round's candidates met the same machine.

        Of mere counts there is none.
        """
        if not (self.figure.unit or self.figure.reach):
            return None
        ours, theirs = (self.rounds.get(name, ()) for name in (MINIMAXFS.name, RIVAL))
        return median([_ratio(self.figure, *pair) for pair in zip(ours, theirs, strict=False)])

    @property
    def met(self) -> bool | None:
        """Whether the figure reaches what it must; None where it need not, or was not taken."""
        ours, ratio = self.medians.get(MINIMAXFS.name), self.ratio
        match self.figure.reach:
            case Ratio(least) if ratio is not None:
                return ratio >= least
            case Limit(most) if ours is not None:
                return ours <= most
            case _:
                return None


def lines(results: Results, measures: Sequence[Measure]) -> list[Line]:
    """All figures of the measures, in their order."""
    return [
        Line(
            measure.name,
            key,
            figure,
            {one.name: results.of(measure.name, one.name, key) for one in CANDIDATES},
        )
        for measure in measures
        for key, figure in measure.figures.items()
    ]


def median(numbers: Numbers) -> float | None:
    """The median of those that were taken."""
    taken = [number for number in numbers if number is not None]
    return statistics.median(taken) if taken else None


def table(shown: Sequence[Line]) -> str:
    """For people: medians, the ratio, what must be reached, and whether it is."""
    head = ["", "unit", *(one.name for one in CANDIDATES), "ratio", "reach", "met"]
    rows = [head, *(_row(line) for line in shown)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "".join(_aligned(row, widths) for row in rows)


def markdown(shown: Sequence[Line]) -> str:
    """The README's table: what the plot shows, with the medians and their units."""
    head = ["", *(one.name for one in CANDIDATES), f"to {RIVAL}"]
    rows = [head, ["---"] * len(head), *(_brief(line) for line in shown if line.figure.drawn)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def as_json(shown: Sequence[Line]) -> list[dict[str, object]]:
    """For programs: the same, with each round."""
    return [
        {
            "measure": line.measure,
            "key": line.key,
            "title": line.figure.title.strip(),
            "unit": line.figure.unit,
            "rounds": dict(line.rounds),
            "medians": dict(line.medians),
            "ratio": line.ratio,
            "reach": _reach(line.figure.reach),
            "met": line.met,
        }
        for line in shown
    ]


def number(value: float | None) -> str:
    """Three digits, as many as a measurement is worth."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value == int(value) else f"{value:#.3g}"


def _ratio(figure: Figure, ours: float | None, theirs: float | None) -> float | None:
    """How many times as good ours is."""
    above, below = (ours, theirs) if figure.more_is_better else (theirs, ours)
    return above / below if above is not None and below else None


def _row(line: Line) -> list[str]:
    medians = [number(line.medians[one.name]) for one in CANDIDATES]
    ratio = "-" if line.ratio is None else f"{number(line.ratio)}x"
    met = {True: "yes", False: "NO", None: ""}[line.met]
    return [line.figure.title, line.figure.unit, *medians, ratio, _reach(line.figure.reach), met]


def _brief(line: Line) -> list[str]:
    unit = line.figure.unit or "bytes a byte"
    medians = [f"{number(value)} {unit}" for value in line.medians.values()]
    return [line.figure.drawn, *medians, "-" if line.ratio is None else f"**{number(line.ratio)}x**"]


def _reach(reach: Ratio | Limit | None) -> str:
    match reach:
        case Ratio(least):
            return f"≥ {least:g}x"
        case Limit(most):
            return f"≤ {most:g}"
        case None:
            return ""


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    words = [
        text.ljust(width) if column < 2 else text.rjust(width)
        for column, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(words).rstrip() + "\n"
