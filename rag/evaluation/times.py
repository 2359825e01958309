"""The parts of a report that tell how long answers and searches took: of this run, on its machine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rag.evaluation import curves
from rag.evaluation.markup import Html, element, table
from rag.evaluation.rows import RetrievalRow, Row
from rag.evaluation.runs import Receipt


def answer_times(speed: Mapping[str, Any], rows: Sequence[Row], receipts: Sequence[Receipt] = ()) -> list[Html]:
    """Return how fast answers came: histograms of questions asked alone and in batches, and a table by stage."""
    parts = []
    facts = {
        "Questions a second, in batches": speed.get("questions_per_second"),
        "Times as many as asked alone": speed.get("batch_speedup"),
        "Peak memory, MB": speed.get("peak_memory_mb"),
        "Questions asked alone": speed.get("asked_alone"),
    }
    told = [f"{name}: {value:,}" for name, value in facts.items() if value is not None]
    if told:
        parts.append(element("p", "; ".join(told) + "."))
    latency = speed.get("latency_ms") or {}
    return [*parts, *_times(_totals(row.timings_ms for row in rows), "answer, asked alone", latency, _shares(receipts))]


def _totals(timings: Iterable[Mapping[str, float]]) -> list[float]:
    """Return the milliseconds that each question took, of those that were measured."""
    totals = (sum(each.values()) for each in timings if each)
    return [each for each in totals if math.isfinite(each) and each >= 0]


def _shares(receipts: Sequence[Receipt]) -> list[float]:
    """Return, of each question that was read with others, its share of the milliseconds that its batch took."""
    return [
        1000 * receipt.seconds / receipt.together
        for receipt in receipts
        for _ in range(receipt.together)
        if receipt.seconds > 0
    ]


def _times(
    taken: Sequence[float], end: str, latency: Mapping[str, Mapping[str, float]], shares: Sequence[float] = ()
) -> list[Html]:
    """Return histograms of how long each question took, and of its share of a batch, and what is known of medians."""
    captions = (
        (taken, f"Time from question to {end}. The last bar holds all that took longer."),
        (
            shares,
            f"The {len(shares):,} questions that were read in batches, each with an equal share of the time that its "
            "batch took: what a long run costs, and not how long anybody waits for an answer.",
        ),
    )
    figures = [
        element("figure", curves.histogram(each), element("figcaption", caption)) for each, caption in captions if each
    ]
    stages = _stage_times(latency)
    return [element("div", *figures, *stages, class_="figures")] if figures else stages


def _stage_times(latency: Mapping[str, Mapping[str, float]]) -> list[Html]:
    if not latency:
        return []
    rows = ([stage, f"{each['p50']:,.1f}", f"{each['p95']:,.1f}"] for stage, each in latency.items())
    return [table("Milliseconds", ("What took them", "Median", "95th percentile"), rows, ("", "number", "number"))]


def arm_times(speed: Mapping[str, Any], rankings: Sequence[RetrievalRow]) -> list[Html]:
    """Return how fast a search was: a histogram of its last arm, which is the fusion, and a table by arm."""
    last = rankings[-1].arm if rankings else ""
    timings = [row.timings_ms for row in rankings if row.arm == last]
    return _times(_totals(timings), f"ranking, {last}", speed.get("latency_ms") or {})
