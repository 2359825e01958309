"""What is compared of two runs of answers: the measures of `rag.evaluation.scores`, as columns and a statistic.

A measure there is one number with an interval; to compare two runs, what each question adds to it is needed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rag import metrics
from rag.evaluation.pairs import Column, Columns, Statistic
from rag.evaluation.rows import Row
from rag.evaluation.scores import RIGHT, cited_words, confidence_of

PRECISION = 0.9


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured of each question, and what is made of all of them."""

    columns: Callable[[Sequence[Row]], Columns]
    """Which questions count hangs on the data alone, so that those of two runs are pairs."""
    statistic: Statistic
    direction: int = 1
    """1 where larger is better, -1 where smaller is, 0 where neither is."""


def counted(rows: Sequence[Row]) -> Callable[[Row], str]:
    """Return what is scored of a row: the best answer where every question has one, else the answer that is given."""
    return _said if all(row.answerable for row in rows) else _given


def mean(values: Column) -> float:
    """Return the mean; nan of nothing."""
    return float(np.mean(values)) if len(values) else math.nan


def _said(row: Row) -> str:
    return row.said


def _given(row: Row) -> str:
    return row.given


def _ratio(parts: Column, wholes: Column) -> float:
    total = float(np.sum(wholes))
    return float(np.sum(parts)) / total if total else math.nan


def _over_said(statistic: Callable[..., float], confidences: Column, right: Column) -> float:
    """Return a statistic of those questions for which something was said."""
    said = confidences >= 0
    return statistic(confidences[said], right[said]) if said.any() else math.nan


def _coverage(confidences: Any, right: Any) -> float:
    return metrics.coverage_at_precision(confidences, right, PRECISION)


def _text_score(score: Callable[[str, Sequence[str]], float]) -> Callable[[Sequence[Row]], Columns]:
    """Return what measures the best answers where every question has one, else what is given, as `scores` does."""

    def columns(rows: Sequence[Row]) -> Columns:
        told = counted(rows)
        return _columns(rows, lambda row: (score(told(row), row.answers),))

    return columns


def _columns(rows: Sequence[Row], of: Callable[[Row], tuple[float, ...]]) -> Columns:
    return list(np.array([of(row) for row in rows], dtype=np.float64).T)


def _of_answerable(of: Callable[[Row], float]) -> Callable[[Sequence[Row]], Columns]:
    def columns(rows: Sequence[Row]) -> Columns:
        return [np.array([of(row) for row in rows if row.answerable], dtype=np.float64)]

    return columns


def _of_all(of: Callable[[Row], tuple[float, ...]]) -> Callable[[Sequence[Row]], Columns]:
    return functools.partial(_columns, of=of)


def _judged(row: Row) -> tuple[float, ...]:
    return confidence_of(row), RIGHT[""](row)


def _footnotes(row: Row) -> tuple[float, ...]:
    notes = row.footnotes if row.answered else ()
    return sum(metrics.holds(note.text, row.answers) for note in notes), len(notes)


def _words_cited(row: Row) -> tuple[float, ...]:
    return cited_words(row) if row.answered else (0, 0)


ANSWER_MEASURES: Mapping[str, Measure] = {
    "em": Measure(_text_score(metrics.exact_match), mean),
    "f1": Measure(_text_score(metrics.f1), mean),
    "contains": Measure(_of_answerable(lambda row: metrics.holds(row.said, row.answers)), mean),
    "answered": Measure(_of_all(lambda row: (row.answered,)), mean, 0),
    "precision": Measure(_of_all(lambda row: (row.answered and RIGHT[""](row), row.answered)), _ratio),
    "answer_recall": Measure(
        _of_answerable(lambda row: any(metrics.holds(each.text, row.answers) for each in row.passages)), mean
    ),
    "citation_precision": Measure(_of_all(_footnotes), _ratio),
    "citation_recall": Measure(_of_all(_words_cited), _ratio),
    "refusal_precision": Measure(
        _of_all(lambda row: (not row.answered and not row.answerable, not row.answered)), _ratio
    ),
    "refusal_recall": Measure(
        _of_all(lambda row: (not row.answered and not row.answerable, not row.answerable)), _ratio
    ),
    "ece": Measure(_of_all(_judged), functools.partial(_over_said, metrics.expected_calibration_error), -1),
    "brier": Measure(_of_all(_judged), functools.partial(_over_said, metrics.brier), -1),
    "auroc": Measure(_of_all(_judged), functools.partial(_over_said, metrics.auroc)),
    "aurc": Measure(_of_all(_judged), metrics.area_under_risk_coverage, -1),
    f"coverage@precision={PRECISION:g}": Measure(_of_all(_judged), _coverage),
}
"""Under the names of `rag.evaluation.scores`, and as it defines them."""
