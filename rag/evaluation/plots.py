"""Draws what a confidence is worth, as SVG. Knows numbers, and nothing of where they were measured.

The ground is transparent and the ink a middle grey, so that a picture reads on a light page and on a dark one.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from indexer import storage
from indexer.errors import UsageError
from rag.evaluation import metrics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#808080"
COLOURS = ("#2f81c7", "#d9822b", "#3f9e5f", "#b0599e")
WIDTH, HEIGHT = 8.4, 3.8
"""Of the picture, in inches."""

Judged = tuple[Sequence[float], Sequence[bool]]
"""Confidences, and whether each answer was right; -inf where there was nothing to say."""


@contextlib.contextmanager
def drawing(width: float, height: float) -> Iterator[Figure]:
    """Give a figure of this size, in inches, to draw on. Raises UsageError when matplotlib is not installed."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("Drawing needs matplotlib, which is not installed.", "Run: pip install matplotlib") from error
    with matplotlib.rc_context({"svg.hashsalt": "footnote", "svg.fonttype": "none", "text.color": INK, "font.size": 9}):
        yield Figure(figsize=(width, height), layout="constrained")


def panel(axes: Axes, x: str, y: str) -> None:
    """Label the axes, and draw them in the ink."""
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.tick_params(colors=INK)
    axes.grid(color=INK, alpha=0.2, linewidth=0.6)
    for side, spine in axes.spines.items():
        spine.set_color(INK)
        spine.set_visible(side in ("left", "bottom"))


def draw_confidence(judged: Mapping[str, Judged], file: Path, title: str = "", bins: int = 15) -> None:
    """Write a reliability curve and a risk-coverage curve side by side, one line for each name in `judged`.

    A point of the left one is a bin of `metrics.reliability`, the larger the more questions lie in it; on the dotted
    line a confidence means what it says. The right one is `metrics.risk_coverage`. The same numbers give the same
    bytes. Raises UsageError when matplotlib is not installed.
    """
    with drawing(WIDTH, HEIGHT) as figure:
        figure.suptitle(title)
        left, right = figure.subplots(1, 2)
        panel(left, "confidence", "share right")
        panel(right, "share answered", "share wrong")
        left.set_xlim(0, 1)
        right.set_xlim(0, 1)
        left.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":")
        for colour, (name, (confidences, is_right)) in zip(itertools.cycle(COLOURS), judged.items()):
            _reliability(left, confidences, is_right, bins, colour)
            _risk_coverage(right, confidences, is_right, name, colour)
        right.set_ylim(bottom=0)
        right.legend(frameon=False, labelcolor=INK, loc="upper left")
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    storage.write_file(file, drawn.getvalue())


def _reliability(axes: Axes, confidences: Sequence[float], right: Sequence[bool], bins: int, colour: str) -> None:
    said = [place for place, confidence in enumerate(confidences) if confidence > -math.inf]
    if not said:
        return
    found = metrics.reliability([confidences[place] for place in said], [right[place] for place in said], bins)
    filled = [each for each in found if each.count]
    x, y = [each.confidence for each in filled], [each.right for each in filled]
    axes.plot(x, y, color=colour, linewidth=1.2)
    axes.scatter(x, y, s=[8 + 240 * each.count / len(said) for each in filled], color=colour, alpha=0.7, linewidths=0)
    axes.set_ylim(0, 1)


def _risk_coverage(axes: Axes, confidences: Sequence[float], right: Sequence[bool], name: str, colour: str) -> None:
    points = metrics.risk_coverage(confidences, right)
    axes.plot([point.coverage for point in points], [point.risk for point in points], color=colour, label=name)
