"""Draws how a training went: loss, learning rate, throughput and validation, over the steps."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from indexer import storage
from indexer.errors import UsageError
from rag.evaluation.plots import COLOURS, INK, drawing, panel

log = logging.getLogger(__name__)

PANELS = (("loss", "loss"), ("lr", "learning rate"), ("seconds", "seconds a step"))


def draw_log(file: Path, picture: Path, scores: Sequence[str] = ("em", "f1"), unit: str = "per cent") -> None:
    """Draw the log of a training; without matplotlib the picture is left out, with a warning."""
    try:
        draw_training([json.loads(line) for line in file.read_text().splitlines()], picture, scores, unit)
    except UsageError as error:
        log.warning("%s %s", error.message, error.hint)


def draw_training(
    rows: Sequence[Mapping[str, Any]], file: Path, scores: Sequence[str] = ("em", "f1"), unit: str = "per cent"
) -> None:
    """Write the four curves of a training log as SVG; of the validation, those of the `scores` that it has.

    Raises UsageError when matplotlib is not installed.
    """
    with drawing(8.4, 5.2) as figure:
        panels = figure.subplots(2, 2).ravel()
        for axes, (name, label) in zip(panels, PANELS, strict=False):
            points = [(row["step"], row[name]) for row in rows if name in row]
            if points:
                axes.plot(*zip(*points, strict=True), color=COLOURS[0], linewidth=1)
            panel(axes, "step", label)
        validated = [(row["step"], row["validation"]) for row in rows if "validation" in row]
        drawn_scores = [name for name in scores if any(name in found for _, found in validated)]
        for colour, name in zip(COLOURS, drawn_scores, strict=False):
            points = [(step, found[name]) for step, found in validated if name in found]
            panels[3].plot(*zip(*points, strict=True), color=colour, marker="o", markersize=3, label=name.upper())
        if drawn_scores:
            panels[3].legend(frameon=False, labelcolor=INK)
        panel(panels[3], "step", f"validation, {unit}")
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    storage.write_file(file, drawn.getvalue())
