"""The scores of a run's rows, each with its interval: pure functions, which ask nothing and read no file.

    em, f1                  of SQuAD: where every question has an answer, of the best answer whatever its confidence;
                            else (v2.0) of what is given at the run's threshold, a refusal being an empty answer
    em@best, f1@best        of the best answer whatever its confidence, over the answerable questions
    em@given, f1@given      of what is given at the run's threshold, over all questions
    contains                share of the answerable whose best answer holds a gold one, whole words
    answered                share of all questions that is answered at the run's threshold
    precision               share of the given answers that is right; with " (f1>=0.5)" or " (contains)" right otherwise
    answer_recall           share of the answerable for which a passage that was read holds a gold answer
    source_recall           share of the gold sources of which a passage was read, mean over the questions that have any
    quote_recall            the same of gold quotes that stand in a passage
    citation_precision      share of the footnotes of given answers whose quote holds a gold answer
    citation_recall         share of the words of given answers that stand under a footnote
    refusal_precision       share of the refused questions that has no answer
    refusal_recall          share of the questions without an answer that is refused
    ece, brier, auroc,      what the confidence is worth, by `rag.metrics`: right is an exact match of the best answer;
    aurc, coverage@...      with " (f1>=0.5)" or " (contains)" another criterion. Coverage is a share of all questions,
                            with ", answerable" of those

What is defined on no question is nan, in JSON null. Intervals resample questions, by `rag.intervals`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rag import metrics
from rag.evaluation.places import same_source
from rag.evaluation.rows import Row
from rag.evaluation.runs import Receipt
from rag.intervals import Score, bootstrap

HALF = 0.5
"""The F1 from which on an answer counts as right where less than an exact match will do."""
RIGHT: Mapping[str, Callable[[Row], bool]] = {
    "": lambda row: row.answerable and metrics.exact_match(row.said, row.answers) == 1,
    " (f1>=0.5)": lambda row: row.answerable and metrics.f1(row.said, row.answers) >= HALF,
    " (contains)": lambda row: metrics.holds(row.said, row.answers),
}
"""What counts as a right best answer: the strict criterion, which is the one that is meant, and what is added to the
names of scores by others. A quoted sentence that contains the answer is right by the last alone."""

_NONE = Score(math.nan, math.nan, math.nan)


def answer_scores(rows: Sequence[Row], precision: float = 0.9) -> dict[str, Score]:
    """Return all scores of these rows by name; the coverage is that at `precision`."""
    answerable = [row for row in rows if row.answerable]
    em_best, f1_best = (_over(answerable, score, lambda row: row.said) for score in (metrics.exact_match, metrics.f1))
    em_given, f1_given = (_over(rows, score, lambda row: row.given) for score in (metrics.exact_match, metrics.f1))
    forced = len(answerable) == len(rows)
    return {
        "em": em_best if forced else em_given,
        "f1": f1_best if forced else f1_given,
        "em@best": em_best,
        "f1@best": f1_best,
        "em@given": em_given,
        "f1@given": f1_given,
        "contains": mean(metrics.holds(row.said, row.answers) for row in answerable),
        "answered": mean(row.answered for row in rows),
        **{f"precision{name}": mean(right(row) for row in rows if row.answered) for name, right in RIGHT.items()},
        **evidence_scores(rows),
        **citation_scores([row for row in rows if row.answered]),
        "refusal_precision": mean(not row.answerable for row in rows if not row.answered),
        "refusal_recall": mean(not row.answered for row in rows if not row.answerable),
        **confidence_scores(rows, precision),
    }


def mean(values: Iterable[float]) -> Score:
    """Return the mean with its bootstrap interval; nan for no values."""
    listed = [float(value) for value in values]
    return bootstrap(_mean, listed) if listed else _NONE


def _over(rows: Sequence[Row], score: Callable[[str, Sequence[str]], float], text: Callable[[Row], str]) -> Score:
    return mean(score(text(row), row.answers) for row in rows)


# What was read


def evidence_scores(rows: Sequence[Row]) -> dict[str, Score]:
    """Return how often the passages held what was needed: the answer, the gold sources, the gold quotes."""
    return {
        "answer_recall": mean(
            any(metrics.holds(passage.text, row.answers) for passage in row.passages) for row in rows if row.answerable
        ),
        "source_recall": mean(source_recall(row) for row in rows if row.gold_sources),
        "quote_recall": mean(quote_recall(row) for row in rows if row.gold_quotes),
    }


def source_recall(row: Row) -> float:
    """Return the share of the gold sources of which a passage, or its near-duplicate, was read."""
    read = [source for passage in row.passages for source in (passage.source, *passage.also_in)]
    return float(np.mean([any(same_source(each, gold) for each in read) for gold in row.gold_sources]))


def quote_recall(row: Row) -> float:
    """Return the share of the gold quotes that stand in a passage, however their spaces and line ends fall."""
    texts = [" ".join(passage.text.split()) for passage in row.passages]
    return float(np.mean([any(" ".join(quote.split()) in text for text in texts) for quote in row.gold_quotes]))


# What was cited


def citation_scores(given: Sequence[Row]) -> dict[str, Score]:
    """Return precision and recall of the footnotes of given answers.

    As citations are judged by Gao et al. 2023, https://arxiv.org/abs/2305.14627, with two differences that need no
    judge: a footnote is right when its quote holds a gold answer, and what an answer says is its words. Both are shares
    over all given answers together, so that one with three footnotes counts three times.
    """
    holding = [[metrics.holds(note.text, row.answers) for note in row.footnotes] for row in given]
    words = [cited_words(row) for row in given]
    return {
        "citation_precision": ratio([sum(each) for each in holding], [len(each) for each in holding]),
        "citation_recall": ratio([cited for cited, _ in words], [all_ for _, all_ in words]),
    }


def cited_words(row: Row) -> tuple[int, int]:
    """Return how many words of the best answer stand under a footnote, and how many it has.

    A word is under one unless a part that no passage bears out overlaps it; an answer without footnotes has none.
    """
    words, end = [], 0
    for word in row.said.split():
        start = row.said.index(word, end)
        end = start + len(word)
        words.append((start, end))
    bare = sum(any(start < last and first < end for first, last in row.unsupported) for start, end in words)
    return (len(words) - bare if row.footnotes else 0), len(words)


def ratio(parts: Sequence[float], wholes: Sequence[float]) -> Score:
    """Return the sum of `parts` over that of `wholes`, with one of each a question; nan where there is nothing."""
    return bootstrap(_ratio, parts, wholes) if len(parts) else _NONE


# What the confidence is worth


def confidence_scores(rows: Sequence[Row], precision: float = 0.9) -> dict[str, Score]:
    """Return what the confidence is worth, for each criterion of right.

    The event is that the best answer is right; to a question without an answer none is. Where nothing was said, nothing
    was promised: calibration is measured over the others, while risk and coverage count all.
    """
    sure = [confidence_of(row) for row in rows]
    answerable = [row.answerable for row in rows]
    at = f"coverage@precision={precision:g}"
    coverage = functools.partial(_coverage, precision=precision)
    found: dict[str, Score] = {}
    for name, is_right in RIGHT.items():
        right = [is_right(row) for row in rows]
        said = [(confidence, kept) for confidence, kept in zip(sure, right, strict=True) if confidence >= 0]
        promised = [row[0] for row in said], [row[1] for row in said]
        found |= {
            f"ece{name}": _bootstrapped(metrics.expected_calibration_error, *promised),
            f"brier{name}": _bootstrapped(metrics.brier, *promised),
            f"auroc{name}": _bootstrapped(metrics.auroc, *promised),
            f"aurc{name}": _bootstrapped(metrics.area_under_risk_coverage, sure, right),
            f"{at}{name}": _bootstrapped(coverage, sure, right),
            f"{at}, answerable{name}": _bootstrapped(coverage, sure, right, answerable),
        }
    return found


def confidence_of(row: Row) -> float:
    """Return the confidence as `rag.metrics` takes it: -inf where nothing was said."""
    return row.confidence if row.said and row.confidence >= 0 else -math.inf


def _bootstrapped(statistic: Callable[..., float], *columns: Sequence[float]) -> Score:
    return bootstrap(statistic, *columns) if len(columns[0]) else _NONE


def _coverage(sure: Any, right: Any, of: Any = None, *, precision: float) -> float:
    return metrics.coverage_at_precision(sure, right, precision, of)


def _mean(drawn: npt.NDArray[np.float64]) -> float:
    return float(np.mean(drawn))


def _ratio(parts: npt.NDArray[np.float64], wholes: npt.NDArray[np.float64]) -> float:
    total = float(np.sum(wholes))
    return float(np.sum(parts)) / total if total else math.nan


# Speed: what is measured and does not repeat


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
