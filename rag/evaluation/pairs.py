"""Is a difference more than chance? Tests and intervals over pairs: the same questions, put to two systems.

Pure functions. A statistic takes columns (one entry a question) and returns one number; two systems are two sets of
columns in the same order of questions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.evaluation.intervals import Score

Column = npt.NDArray[np.float64]
Columns = Sequence[Column]
Statistic = Callable[..., float]

LEVEL = 0.95
BLOCK = 2**22
"""Signs that are held in memory at once."""
_ROUNDING = 1e-9
"""Sums of the same numbers in another order differ by less than this share of them."""


def sign_flip_test(differences: Sequence[float], resamples: int = 10_000, seed: int = 7) -> float:
    """Return the two-sided p of the mean of paired differences, by approximate randomisation.

    If the two systems do not differ, either of a pair could have come from either, so each difference might as well
    have had the other sign. p is the share of such exchanges whose mean is at least as far from zero as the real one,
    (count + 1) / (resamples + 1) of random ones (Noreen 1989, *Computer-Intensive Methods for Testing Hypotheses*;
    Smucker et al. 2007, https://doi.org/10.1145/1321440.1321528, for information retrieval). Where so few differ that
    all 2^m exchanges are no more than `resamples`, each is looked at once, and p is exact (Fisher 1935). Without any
    difference it is 1.
    """
    moved = np.asarray([difference for difference in differences if difference], dtype=np.float64)  # (m,)
    if not np.isfinite(moved).all():
        raise ValueError("a difference is not finite")
    least = abs(moved.sum()) - _ROUNDING * np.abs(moved).sum()
    if 2 ** min(len(moved), 60) <= resamples:
        patterns = np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved)) & 1  # (2^m, m)
        return float(np.mean(np.abs((1 - 2 * patterns) @ moved) >= least))
    chance = np.random.default_rng(seed)
    reached, block = 0, max(1, BLOCK // len(moved))
    for first in range(0, resamples, block):
        rows = min(block, resamples - first)
        signs = chance.integers(0, 2, (rows, len(moved)), dtype=np.int8) * 2.0 - 1  # (rows, m)
        reached += int(np.count_nonzero(np.abs(signs @ moved) >= least))
    return (reached + 1) / (resamples + 1)


def exchange_test(statistic: Statistic, before: Columns, after: Columns, resamples: int = 1000, seed: int = 7) -> float:
    """Return the two-sided p of `statistic(*after) - statistic(*before)`, by approximate randomisation.

    As `sign_flip_test`, for statistics that are no mean: each resample exchanges the two systems on a random half of
    the questions and measures both again. Exchanges for which the statistic is nan count against a difference. nan
    where it is nan for the systems themselves.
    """
    observed = statistic(*after) - statistic(*before)
    if math.isnan(observed):
        return math.nan
    chance = np.random.default_rng(seed)
    reached = 0
    for _ in range(resamples):
        exchanged = chance.integers(0, 2, len(before[0])).astype(bool)
        one = statistic(*(np.where(exchanged, new, old) for old, new in zip(before, after, strict=True)))
        other = statistic(*(np.where(exchanged, old, new) for old, new in zip(before, after, strict=True)))
        reached += not abs(other - one) < abs(observed) - _ROUNDING
    return (reached + 1) / (resamples + 1)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a statistic was, what it became and the difference, each with its interval."""

    before: Score
    after: Score
    difference: Score


def paired_bootstrap(
    statistic: Statistic, before: Columns, after: Columns, resamples: int = 1000, seed: int = 7
) -> Effect:
    """Return both statistics and after minus before, with 95 % percentile intervals from the same resamples.

    Questions are drawn with replacement, and with a question what both systems made of it (Efron & Tibshirani 1993,
    *An Introduction to the Bootstrap*, chapters 8 and 13; for systems compared on a test set, Koehn 2004,
    https://aclanthology.org/W04-3250). Both being measured on the same draws is what makes the interval of the
    difference narrower than those of the two apart suggest. Resamples for which either is nan are left out.
    """
    chance = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        chosen = chance.integers(0, len(before[0]), len(before[0]))
        drawn.append((statistic(*(old[chosen] for old in before)), statistic(*(new[chosen] for new in after))))
    both = np.asarray(drawn, dtype=np.float64)  # (resamples, 2)
    both = both[~np.isnan(both).any(axis=1)]
    old, new = float(statistic(*before)), float(statistic(*after))
    return Effect(_interval(old, both[:, 0]), _interval(new, both[:, 1]), _interval(new - old, both[:, 1] - both[:, 0]))


def _interval(value: float, drawn: Column) -> Score:
    if not len(drawn):
        return Score(value, math.nan, math.nan)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Score(value, float(low), float(high))


def holm(ps: Sequence[float]) -> list[float]:
    """Return each p as it is to be read when all of them are looked at, in their order (Holm 1979).

    The k-th smallest of m is multiplied by m - k + 1, and none becomes smaller than one before it. One p stays as it
    is. Calling those below a level significant is then wrong about any of them at most that often.
    """
    adjusted = [math.nan] * len(ps)
    least = 0.0
    told = [place for place, p in enumerate(ps) if not math.isnan(p)]
    for rank, place in enumerate(sorted(told, key=lambda place: ps[place])):
        least = max(least, min(1.0, ps[place] * (len(told) - rank)))
        adjusted[place] = least
    return adjusted
