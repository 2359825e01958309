"""What is measured of answers: each measure as columns, with what a question adds to it, and a statistic of them.

    em, f1                  of SQuAD: where every question has an answer, of the best answer whatever its confidence;
                            else (v2.0) of what is given at the run's threshold, a refusal being an empty answer
    em@best, f1@best        of the best answer whatever its confidence, over the answerable questions
    em@given, f1@given      of what is given at the run's threshold, over all questions
    contains                share of the answerable whose best answer holds a gold one, whole words
    answered                share of all questions that is answered at the run's threshold
    helpful                 share of all questions to which the given answer holds a gold one, or which have no answer
                            and are refused
    precision               share of the given answers that is right
    answer_recall           share of the answerable for which a passage that was read holds a gold answer (Chen et al.
                            2017, https://arxiv.org/abs/1704.00051)
    source_recall           share of the gold sources of which a passage was read, mean over the questions that name any
    quote_recall            the same of gold quotes that stand in a passage
    citation_precision      share of the footnotes of given answers whose quote holds a gold answer
    citation_recall         share of the words of given answers that stand under a footnote
    offsets                 share of the best answers whose words are, letter by letter, what stands in the passages at
                            the offsets that they give
    refusal_precision       share of the refused questions that has no answer; refused is what is no answer, but unsure
                            or none
    refusal_recall          share of the questions without an answer that is refused
    answer, answerable      of the questions with an answer, the share that is answered; likewise unsure and none; and
                            likewise of those without an answer ("answer, unanswerable"). The three add up to one
    unsure_precision        share of the unsure whose shown quotes hold a gold answer
    answered_or_shown       share of the answerable whose given answer holds a gold one, or that are unsure with quotes
                            that do
    ece, brier, auroc,      what the confidence is worth, by `metrics`: the event is that the best answer is right,
    aurc, coverage@...      and to a question without an answer none is. Where nothing was said, nothing was promised:
                            calibration is over the others, while risk and coverage count all. Coverage is a share of
                            all questions, with ", answerable" of those
    answered@max_error=..., what the generator promises: the share of the questions, and with ", answerable" of those,
    precision@max_error=... that it would answer if at most so many of the answers may be wrong, and how many are right

Right is an exact match; a name that ends in " (f1>=0.5)" or " (contains)" says which other criterion it is by.
Citations are judged as by Gao et al. 2023, https://arxiv.org/abs/2305.14627, with two differences that need no judge:
a footnote is right when it quotes a gold answer, and what an answer claims is its words.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from rag.evaluation import metrics
from rag.evaluation.judging import (
    RIGHT,
    answer_read,
    cited_words,
    confidence_of,
    helpful,
    lies_at_its_offsets,
    quotes_read,
    right_footnotes,
    shows_evidence,
    sources_read,
)
from rag.evaluation.manifest import at_most
from rag.evaluation.pairs import Column, Columns, Statistic
from rag.evaluation.rows import Row
from rag.types import Outcome

PRECISION = 0.9
"""At which coverage is measured where nobody says."""


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


def _said(row: Row) -> str:
    return row.said


def _given(row: Row) -> str:
    return row.given


# Statistics


def mean(values: Column) -> float:
    """Return the mean; nan of nothing."""
    return float(np.mean(values)) if len(values) else math.nan


def _ratio(parts: Column, wholes: Column) -> float:
    total = float(np.sum(wholes))
    return float(np.sum(parts)) / total if total else math.nan


def _over_said(statistic: Callable[..., float], confidences: Column, right: Column) -> float:
    """Return a statistic of those questions for which something was said."""
    said = confidences >= 0
    return statistic(confidences[said], right[said]) if said.any() else math.nan


def _coverage(confidences: Any, right: Any, of: Any = None, *, precision: float) -> float:
    return metrics.coverage_at_precision(confidences, right, precision, of)


# Columns


def _columns(rows: Sequence[Row], of: Callable[[Row], tuple[float, ...]]) -> Columns:
    return list(np.array([of(row) for row in rows], dtype=np.float64).T)


def _of_all(of: Callable[[Row], tuple[float, ...]]) -> Callable[[Sequence[Row]], Columns]:
    return functools.partial(_columns, of=of)


def _of_those(counts: Callable[[Row], object], of: Callable[[Row], float]) -> Callable[[Sequence[Row]], Columns]:
    def columns(rows: Sequence[Row]) -> Columns:
        return [np.array([of(row) for row in rows if counts(row)], dtype=np.float64)]

    return columns


def _of_answerable(of: Callable[[Row], float]) -> Callable[[Sequence[Row]], Columns]:
    return _of_those(lambda row: row.answerable, of)


def _text_score(score: Callable[[str, Sequence[str]], float]) -> Callable[[Sequence[Row]], Columns]:
    def columns(rows: Sequence[Row]) -> Columns:
        told = counted(rows)
        return _columns(rows, lambda row: (score(told(row), row.answers),))

    return columns


# The measures


ANSWERS: Mapping[str, Measure] = {
    "em": Measure(_text_score(metrics.exact_match), mean),
    "f1": Measure(_text_score(metrics.f1), mean),
    "em@best": Measure(_of_answerable(lambda row: metrics.exact_match(row.said, row.answers)), mean),
    "f1@best": Measure(_of_answerable(lambda row: metrics.f1(row.said, row.answers)), mean),
    "em@given": Measure(_of_all(lambda row: (metrics.exact_match(row.given, row.answers),)), mean),
    "f1@given": Measure(_of_all(lambda row: (metrics.f1(row.given, row.answers),)), mean),
    "contains": Measure(_of_answerable(lambda row: metrics.holds(row.said, row.answers)), mean),
    "answered": Measure(_of_all(lambda row: (row.answered,)), mean, 0),
    "helpful": Measure(_of_all(lambda row: (helpful(row),)), mean),
}
GIVEN: Mapping[str, Measure] = {
    "em": Measure(_of_answerable(lambda row: metrics.exact_match(row.given, row.answers)), mean),
    "f1": Measure(_of_answerable(lambda row: metrics.f1(row.given, row.answers)), mean),
}
"""Of what is given of the answerable: a refusal counts as wrong."""
EVIDENCE: Mapping[str, Measure] = {
    "answer_recall": Measure(_of_answerable(answer_read), mean),
    "source_recall": Measure(_of_those(lambda row: row.gold_sources, sources_read), mean),
    "quote_recall": Measure(_of_those(lambda row: row.gold_quotes, quotes_read), mean),
    "citation_precision": Measure(_of_all(lambda row: right_footnotes(row) if row.answered else (0, 0)), _ratio),
    "citation_recall": Measure(_of_all(lambda row: cited_words(row) if row.answered else (0, 0)), _ratio),
    "offsets": Measure(_of_all(lambda row: (bool(row.said) and lies_at_its_offsets(row), bool(row.said))), _ratio),
}
REFUSALS: Mapping[str, Measure] = {
    "refusal_precision": Measure(
        _of_all(lambda row: (not row.answered and not row.answerable, not row.answered)), _ratio
    ),
    "refusal_recall": Measure(
        _of_all(lambda row: (not row.answered and not row.answerable, not row.answerable)), _ratio
    ),
}


def _share_of(outcome: Outcome, is_answerable: bool) -> Measure:
    """Return the share of the questions with an answer, or of those without one, that come to this outcome."""
    columns = _of_those(lambda row: row.answerable is is_answerable, lambda row: row.outcome == outcome)
    return Measure(columns, mean, 0)


OUTCOMES: Mapping[str, Measure] = {
    **{f"{outcome}, answerable": _share_of(outcome, True) for outcome in get_args(Outcome)},
    **{f"{outcome}, unanswerable": _share_of(outcome, False) for outcome in get_args(Outcome)},
    "unsure_precision": Measure(_of_all(lambda row: (shows_evidence(row), row.outcome == "unsure")), _ratio),
    "answered_or_shown": Measure(
        _of_answerable(lambda row: metrics.holds(row.given, row.answers) or shows_evidence(row)), mean
    ),
}
"""Each outcome by itself. How much of the answers is right is "precision", by each criterion."""


def judged_by(criterion: str = "", precision: float = PRECISION) -> dict[str, Measure]:
    """Return the measures that hang on what counts as right, by their names; `criterion` is a key of `RIGHT`."""
    is_right = RIGHT[criterion]
    judged = _of_all(lambda row: (confidence_of(row), is_right(row)))
    told = _of_all(lambda row: (confidence_of(row), is_right(row), row.answerable))
    coverage = functools.partial(_coverage, precision=precision)
    found = {
        "precision": Measure(_of_all(lambda row: (row.answered and is_right(row), row.answered)), _ratio),
        "ece": Measure(judged, functools.partial(_over_said, metrics.expected_calibration_error), -1),
        "brier": Measure(judged, functools.partial(_over_said, metrics.brier), -1),
        "auroc": Measure(judged, functools.partial(_over_said, metrics.auroc)),
        "aurc": Measure(judged, metrics.area_under_risk_coverage, -1),
        f"coverage@precision={precision:g}": Measure(judged, coverage),
        f"coverage@precision={precision:g}, answerable": Measure(told, coverage),
    }
    return {f"{name}{criterion}": measure for name, measure in found.items()}


def promised_by(precision: float, least: float) -> dict[str, Measure]:
    """Return what is measured of the answers at confidence `least`, with which so much precision is promised."""
    error = f"@max_error={at_most(precision)}"

    def given(row: Row) -> bool:
        return confidence_of(row) >= least

    def share_right(is_right: Callable[[Row], bool]) -> Measure:
        return Measure(_of_all(lambda row: (given(row) and is_right(row), given(row))), _ratio)

    return {
        f"answered{error}": Measure(_of_all(lambda row: (given(row),)), mean, 0),
        f"answered{error}, answerable": Measure(_of_answerable(given), mean, 0),
        **{f"precision{error}{criterion}": share_right(is_right) for criterion, is_right in RIGHT.items()},
    }


def measures(precision: float = PRECISION, promised: float | None = None) -> dict[str, Measure]:
    """Return all measures of answers, by name.

    `promised` is the confidence from which on the generator promises that precision; None: it promises nothing.
    """
    by_right = [judged_by(criterion, precision) for criterion in RIGHT]
    found = {
        **ANSWERS,
        **EVIDENCE,
        **REFUSALS,
        **OUTCOMES,
        **{name: each for own in by_right for name, each in own.items()},
    }
    return found if promised is None else {**found, **promised_by(precision, promised)}


ANSWER_MEASURES: Mapping[str, Measure] = {
    name: each
    for name, each in {**ANSWERS, **EVIDENCE, **REFUSALS, **OUTCOMES, **judged_by()}.items()
    if "@best" not in name and "@given" not in name and ", " not in name
}
"""Those that two runs are compared by, and no two that say nearly the same."""
