"""The scores of a run's rows: every measure of `measures.py` with its interval, and what the run took."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rag.evaluation.intervals import Score, bootstrap
from rag.evaluation.measures import ANSWERS, EVIDENCE, GIVEN, PRECISION, Measure, measures
from rag.evaluation.rows import Row
from rag.evaluation.runs import Receipt

RESAMPLES = 1000


def answer_scores(
    rows: Sequence[Row], precision: float = PRECISION, resamples: int = RESAMPLES, promised: float | None = None
) -> dict[str, Score]:
    """Return all measures of these rows by name, each with its interval by `resamples` resamples of the questions.

    The coverage is that at `precision`; `promised` is the confidence from which on the generator promises it. What is
    defined on no question is nan, in JSON null.
    """
    found: dict[str, Score] = {}
    for name, measure in measures(precision, promised).items():
        columns = measure.columns(rows)
        there = len(columns) > 0 and len(columns[0]) > 0
        found[name] = (
            bootstrap(measure.statistic, *(column.tolist() for column in columns), resamples=resamples)
            if there
            else Score(math.nan, math.nan, math.nan)
        )
    return found


BY_KIND: Mapping[str, Measure] = {
    **{name: EVIDENCE[name] for name in ("source_recall", "quote_recall")},
    **{name: ANSWERS[name] for name in ("answered", "helpful")},
    **GIVEN,
}
"""What is told of each kind of question; EM and F1 of what is given, over those with an answer."""


def by_kind(rows: Sequence[Row]) -> dict[str, tuple[int, dict[str, float]]]:
    """Return, by kind of question, how many there are and what `BY_KIND` measures of them; nan where it is not defined.

    The largest kind comes first, then "all answerable"; nothing where the questions are of one kind.
    """
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        kinds[row.kind].append(row)
    if len(kinds) < 2:
        return {}
    named = {kind or "(none)": kinds[kind] for kind in sorted(kinds, key=lambda kind: (-len(kinds[kind]), kind))}
    named["all answerable"] = [row for row in rows if row.answerable]
    return {
        kind: (len(own), {name: _value(measure, own) for name, measure in BY_KIND.items()})
        for kind, own in named.items()
    }


def _value(measure: Measure, rows: Sequence[Row]) -> float:
    columns = measure.columns(rows)
    return measure.statistic(*columns) if len(columns) and len(columns[0]) else math.nan


def speed(rows: Sequence[Row], receipts: Sequence[Receipt]) -> dict[str, Any]:
    """Return latency by stage, questions a second and peak memory: of this run, on its machine.

    Latencies are of the questions that were asked alone, as a person asks; "ask" is all stages together. The rate is
    that of the questions that were answered in batches, and "batch_speedup" how many times as many that is as when each
    is asked alone. What was not measured is absent.
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
    if timed and found.get("questions_per_second"):
        found["batch_speedup"] = round(found["questions_per_second"] * float(np.mean(taken["ask"])) / 1000, 2)
    if receipts:
        found["peak_memory_mb"] = max(receipt.peak_mb for receipt in receipts)
    return found


def _quantiles(milliseconds: Sequence[float]) -> dict[str, float]:
    return {name: round(float(np.quantile(milliseconds, at)), 2) for name, at in (("p50", 0.5), ("p95", 0.95))}
