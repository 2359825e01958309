"""The scores of a run's rows: every measure of `measures.py` with its interval, and what the run took."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rag.evaluation.measures import PRECISION, measures
from rag.evaluation.rows import Row
from rag.evaluation.runs import Receipt
from rag.intervals import Score, bootstrap

RESAMPLES = 1000


def answer_scores(rows: Sequence[Row], precision: float = PRECISION, resamples: int = RESAMPLES) -> dict[str, Score]:
    """Return all measures of these rows by name, each with its interval by `resamples` resamples of the questions.

    The coverage is that at `precision`. What is defined on no question is nan, in JSON null.
    """
    found: dict[str, Score] = {}
    for name, measure in measures(precision).items():
        columns = measure.columns(rows)
        there = len(columns) > 0 and len(columns[0]) > 0
        found[name] = (
            bootstrap(measure.statistic, *(column.tolist() for column in columns), resamples=resamples)
            if there
            else Score(math.nan, math.nan, math.nan)
        )
    return found


def speed(rows: Sequence[Row], receipts: Sequence[Receipt]) -> dict[str, Any]:
    """Return latency by stage, questions a second and peak memory: of this run, on its machine.

    Latencies are of the questions that were asked alone, as a person asks; "ask" is all stages together. The rate is
    that of the questions that were answered in batches. What was not measured is absent.
    """
    timed = [row.timings_ms for row in rows if row.timings_ms]
    stages = list(dict.fromkeys(stage for timings in timed for stage in timings))
    taken = {stage: [timings.get(stage, 0.0) for timings in timed] for stage in stages}
    seconds = sum(receipt.seconds for receipt in receipts)
    found: dict[str, Any] = {}
    if timed:
        taken["ask"] = [sum(timings.values()) for timings in timed]
        found["asked_alone"] = len(timed)
        found["latency_ms"] = {stage: _quantiles(each) for stage, each in taken.items()}
    if seconds > 0:
        found["questions_per_second"] = round(sum(receipt.together for receipt in receipts) / seconds, 2)
    if receipts:
        found["peak_memory_mb"] = max(receipt.peak_mb for receipt in receipts)
    return found


def _quantiles(milliseconds: Sequence[float]) -> dict[str, float]:
    return {name: round(float(np.quantile(milliseconds, at)), 2) for name, at in (("p50", 0.5), ("p95", 0.95))}
