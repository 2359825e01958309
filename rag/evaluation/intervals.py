"""How sure a score is: intervals by resampling questions. Knows numbers, and nothing of what they measure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np


@dataclass(frozen=True, slots=True)
class Score:
    """A score with its interval, as a share of one."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """Return the form that `--json` prints; what is not defined is null."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if math.isnan(number) else round(number, 6) for name, number in numbers.items()}


def bootstrap(
    statistic: Callable[..., float],
    *columns: Sequence[float],
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 7,
) -> Score:
    """Return `statistic(*columns)` with its percentile bootstrap interval (Efron 1979).

    The columns have one entry a question, and questions are drawn together, as many as there are, with replacement.
    Resamples for which the statistic is nan are left out.
    """
    arrays = [np.asarray(column) for column in columns]
    chance = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        chosen = chance.integers(0, len(arrays[0]), len(arrays[0]))
        drawn.append(float(statistic(*(array[chosen] for array in arrays))))
    kept = [value for value in drawn if not math.isnan(value)]
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2]) if kept else (math.nan, math.nan)
    return Score(float(statistic(*arrays)), float(low), float(high))


def share(count: int, n: int, level: float = 0.95) -> Score:
    """Return `count / n` with its Wilson score interval (Wilson 1927); nan for n = 0.

    For shares of few: the bootstrap says of two out of two that it is sure.
    """
    if not n:
        return Score(math.nan, math.nan, math.nan)
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle, half = count + z * z / 2, z * math.sqrt(count * (n - count) / n + z * z / 4)
    return Score(count / n, max(0.0, (middle - half) / (n + z * z)), min(1.0, (middle + half) / (n + z * z)))
