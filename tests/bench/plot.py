"""The README's plot: how many times as good as rclone minimaxfs is, on a logarithmic scale."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from bench.report import RIVAL, Line, number

BAR = "#2f81f7"
INK = "#768390"
"""Both can be read on a white page and on a dark one; the background is the page's own."""

TITLE = f"minimaxfs against {RIVAL}: how many times as fast, or as sparing"


def draw(shown: Sequence[Line], path: Path) -> None:
    """Write an SVG of the figures that have a title for it and a ratio, the first on top."""
    bars = [(line.figure.drawn, line.ratio) for line in reversed(shown) if line.figure.drawn and line.ratio]
    titles, ratios = [title for title, _ in bars], [ratio for _, ratio in bars]
    path.parent.mkdir(parents=True, exist_ok=True)
    # Text stays text, and the same figures make the same file.
    mpl.rc("svg", fonttype="none", hashsalt="minimaxfs")
    mpl.rc("font", family="sans-serif")
    figure = Figure(figsize=(8, 0.9 + 0.3 * len(bars)), layout="constrained")
    figure.suptitle(TITLE, color=INK)
    axes = figure.subplots()
    # Bars grow from 1, where both are alike: to the left where rclone is better.
    drawn = axes.barh(titles, [ratio - 1 for ratio in ratios], left=1, color=BAR, height=0.6)
    axes.bar_label(drawn, [f"{number(ratio)}x" for ratio in ratios], padding=4, color=INK)
    axes.axvline(1, color=INK)
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}x"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(colors=INK, which="both", length=0)
    axes.spines[:].set_visible(False)
    figure.savefig(path, format="svg", transparent=True, metadata={"Date": None})
