"""Draws how a training went: loss, learning rate, throughput and validation, over the steps."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from indexer import storage
from rag.plots import COLOURS, INK, drawing, panel

PANELS = (("loss", "loss"), ("lr", "learning rate"), ("seconds", "seconds a step"))


def draw_training(rows: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Write the four curves of a training log as SVG. Raises UsageError when matplotlib is not installed."""
    with drawing(8.4, 5.2) as figure:
        panels = figure.subplots(2, 2).ravel()
        for axes, (name, label) in zip(panels, PANELS, strict=False):
            points = [(row["step"], row[name]) for row in rows if name in row]
            axes.plot(*zip(*points, strict=True), color=COLOURS[0], linewidth=1)
            panel(axes, "step", label)
        validated = [(row["step"], row["validation"]) for row in rows if "validation" in row]
        for colour, name in zip(COLOURS, ("em", "f1"), strict=False):
            points = [(step, scores[name]) for step, scores in validated if name in scores]
            if points:
                panels[3].plot(*zip(*points, strict=True), color=colour, marker="o", markersize=3, label=name.upper())
        panels[3].legend(frameon=False, labelcolor=INK)
        panel(panels[3], "step", "validation, per cent")
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    storage.write_file(file, drawn.getvalue())
