"""Scores of answers and of confidences: pure functions, one place each, with the formula and its source.

Answers are compared as SQuAD compares them; confidences are judged against whether each answer was right. A question
for which there is nothing to say has confidence -inf: it is never answered, and still counted among the questions.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


# Answers


def normalized(text: str) -> str:
    """Return text as SQuAD compares it: lower case, no ASCII punctuation, no articles, single spaces.

    Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250, as in the official evaluation scripts.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(said: str, golds: Sequence[str]) -> float:
    """Return 1.0 when the normalized answer is one of the normalized golds, else 0.0.

    Without golds the question has no answer, and only saying nothing is right (SQuAD v2.0, Rajpurkar et al. 2018,
    https://arxiv.org/abs/1806.03822). Golds of which normalizing leaves nothing do not count, as v2.0 has it.
    """
    return float(normalized(said) in _counted(golds))


def f1(said: str, golds: Sequence[str]) -> float:
    """Return the best F1 over the golds: 2c / (s + g) for s words said, g words of the gold and c in common.

    Words are those of the normalized texts, each as often as it stands there. Golds as in `exact_match`; where either
    side has no word, it is 1.0 when neither has.
    """
    words = normalized(said).split()
    return max(_overlap(words, gold.split()) for gold in _counted(golds))


def holds(text: str, golds: Sequence[str]) -> bool:
    """Return whether one of the golds stands in `text`, whole words, both normalized.

    The share of questions for which a passage read does is answer recall (Chen et al. 2017,
    https://arxiv.org/abs/1704.00051).
    """
    around = f" {normalized(text)} "
    return any(gold and f" {gold} " in around for gold in _counted(golds))


def _counted(golds: Sequence[str]) -> list[str]:
    return [gold for gold in map(normalized, golds) if gold] or [""]


def _overlap(said: Sequence[str], gold: Sequence[str]) -> float:
    if not said or not gold:
        return float(said == gold)
    return 2 * (Counter(said) & Counter(gold)).total() / (len(said) + len(gold))


# Calibration: does a confidence of 0.7 mean seven right in ten?


@dataclass(frozen=True, slots=True)
class Bin:
    """The questions whose confidence lies above `low` and not above `high`; the lowest bin holds 0 as well."""

    low: float
    high: float
    count: int
    confidence: float
    """Their mean confidence; 0 where there are none."""
    right: float
    """The share of them that was right; 0 where there are none."""


def reliability(confidences: Sequence[float], right: Sequence[bool], bins: int = 15) -> list[Bin]:
    """Return `bins` bins of equal width with what was promised and what was kept: a reliability diagram's numbers.

    Niculescu-Mizil & Caruana 2005; bins as in Guo et al. 2017, https://arxiv.org/abs/1706.04599. Raises ValueError
    for confidences outside 0 to 1.
    """
    confidence, is_right = _probabilities(confidences, right)
    edges = np.linspace(0, 1, bins + 1)
    place = np.digitize(confidence, edges[1:-1], right=True)  # (n,)
    counts = np.bincount(place, minlength=bins)
    divided = np.maximum(counts, 1)
    promised = np.bincount(place, confidence, bins) / divided
    kept = np.bincount(place, is_right, bins) / divided
    return [
        Bin(float(edges[i]), float(edges[i + 1]), int(counts[i]), float(promised[i]), float(kept[i]))
        for i in range(bins)
    ]


def expected_calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 15) -> float:
    """Return sum over bins of count / n * |share right - mean confidence|, in bins of equal width.

    Naeini et al. 2015; Guo et al. 2017, https://arxiv.org/abs/1706.04599.
    """
    found = reliability(confidences, right, bins)
    return sum(each.count * abs(each.right - each.confidence) for each in found) / len(confidences)


def brier(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Return the mean of (confidence - 1)² over the right and confidence² over the wrong. Brier 1950."""
    confidence, is_right = _probabilities(confidences, right)
    return float(np.mean((confidence - is_right) ** 2))


# Ranking: are the right ones those it is surer of?


def auroc(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Return the chance that a right answer is given more confidence than a wrong one, ties counted as one half.

    It is U / (p * q), with Mann & Whitney's U over p right and q wrong ones (Hanley & McNeil 1982); nan where all or
    none are right.
    """
    confidence, is_right = _checked(confidences, right)
    positives = int(is_right.sum())
    negatives = len(is_right) - positives
    if not positives or not negatives:
        return math.nan
    _, place, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # (n,), from 1; ties share their mean
    u = ranks[is_right].sum() - positives * (positives + 1) / 2
    return float(u / (positives * negatives))


@dataclass(frozen=True, slots=True)
class Operating:
    """What comes of answering every question whose confidence is at least `threshold`."""

    threshold: float
    coverage: float
    """The share of all questions that is answered."""
    risk: float
    """The share of the answers that is wrong."""


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> list[Operating]:
    """Return one point for each confidence that occurs, highest first; questions of equal confidence come together.

    El-Yaniv & Wiener 2010. Each point can be had in use, by its threshold.
    """
    thresholds, answered, wrong = _curve(*_checked(confidences, right))
    return [
        Operating(float(threshold), int(count) / len(confidences), int(bad) / int(count))
        for threshold, count, bad in zip(thresholds, answered, wrong, strict=True)
    ]


def area_under_risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Return the mean, over k from 1 to all that can be answered, of the risk when the k surest are answered.

    Geifman et al. 2019, https://arxiv.org/abs/1805.08206. Of questions of equal confidence each is as likely to come
    next, so their order does not matter. nan where nothing can be answered.
    """
    _, answered, wrong = _curve(*_checked(confidences, right))
    if not len(answered):
        return math.nan
    counts, errors = np.diff(answered, prepend=0), np.diff(wrong, prepend=0)
    expected = np.cumsum(np.repeat(errors / counts, counts))  # (n,): wrong among the first k
    return float(np.mean(expected / np.arange(1, len(expected) + 1)))


def threshold_at_precision(confidences: Sequence[float], right: Sequence[bool], precision: float) -> float:
    """Return the least confidence from which on at least a share `precision` of the answers is right; inf if none."""
    thresholds, answered, wrong = _curve(*_checked(confidences, right))
    kept = np.flatnonzero(answered - wrong >= precision * answered - 1e-9)  # 0.9 * 10 is not always 9
    return float(thresholds[kept[-1]]) if len(kept) else math.inf


def coverage_at_precision(
    confidences: Sequence[float], right: Sequence[bool], precision: float, of: Sequence[bool] | None = None
) -> float:
    """Return the share of the questions marked in `of` (None: of all) that is answered at that precision.

    The surest questions are answered, as many as can be while at least a share `precision` of all answers is right.
    With the answerable ones marked in `of`, wrong answers to the others count against precision, and not as coverage.
    The threshold is chosen knowing what is right, so this judges the ranking; what a fitted threshold keeps of it is
    another number. 0.0 where no threshold will do, nan where `of` marks none.
    """
    confidence, _ = _checked(confidences, right)
    counted = np.ones(len(confidence), dtype=bool) if of is None else np.asarray(of, dtype=bool)
    if counted.shape != confidence.shape:
        raise ValueError(f"{confidence.shape} confidences, and of which of them to count: {counted.shape}")
    if not counted.any():
        return math.nan
    return float(np.mean(confidence[counted] >= threshold_at_precision(confidences, right, precision)))


def _curve(confidence: Floats, is_right: Flags) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the distinct confidences, highest first, with how many are answered there and how many of them wrong."""
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))  # where a run of equal ones ends
    last = last[np.isfinite(falling[last])]
    return falling[last], last + 1, np.cumsum(~is_right[order], dtype=np.int64)[last]


def _checked(confidences: Sequence[float], right: Sequence[bool]) -> tuple[Floats, Flags]:
    confidence, is_right = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=bool)
    if confidence.ndim != 1 or confidence.shape != is_right.shape or not len(confidence):
        raise ValueError(f"{confidence.shape} confidences for {is_right.shape} answers; one each, and at least one")
    if np.isnan(confidence).any():
        raise ValueError("a confidence is nan")
    return confidence, is_right


def _probabilities(confidences: Sequence[float], right: Sequence[bool]) -> tuple[Floats, Flags]:
    confidence, is_right = _checked(confidences, right)
    if confidence.min() < 0 or confidence.max() > 1:
        raise ValueError(f"confidences lie from {confidence.min()} to {confidence.max()}, not from 0 to 1")
    return confidence, is_right
