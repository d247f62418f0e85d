"""The README's plot: how many times as good as rclone minimaxfs is, on a logarithmic scale."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.report import RIVAL, Line, number

BAR = "#2f81f7"
INK = "#768390"
"""Both stand out on white and on a dark page (4:1 at least); the background is the page's."""


def draw(shown: Sequence[Line], path: Path) -> None:
    """Write an SVG of the figures that have a title for it and a ratio."""
    bars = [(line.figure.drawn, line.ratio) for line in shown if line.figure.drawn and line.ratio]
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "minimaxfs", "font.family": "sans-serif"})
    figure = Figure(figsize=(8, 0.8 + 0.32 * len(bars)), layout="constrained")
    axes = figure.subplots()
    titles = [title for title, _ in reversed(bars)]
    ratios = [ratio for _, ratio in reversed(bars)]
    drawn = axes.barh(titles, [ratio - 1 for ratio in ratios], left=1, color=BAR, height=0.6)
    axes.bar_label(drawn, [f"{number(ratio)}x" for ratio in ratios], padding=4, color=INK)
    axes.set_xscale("log")
    axes.axvline(1, color=INK)
    axes.set_title(f"times as fast, or as little, as {RIVAL}", loc="left", color=INK)
    axes.margins(x=0.15)
    axes.tick_params(colors=INK, which="both", left=False)
    for side in axes.spines.values():
        side.set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", transparent=True, metadata={"Date": None})
