import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation.intervals import Score, bootstrap, share


def mean(values: list[float]) -> float:
    return float(np.mean(values))


def test_the_value_is_the_statistic_of_all_and_lies_between_the_ends() -> None:
    score = bootstrap(mean, [0.0, 1.0, 1.0, 1.0] * 25)
    assert score.value == 0.75
    # The mean of 100 draws has a standard deviation of sqrt(0.75 * 0.25 / 100) = 0.0433; 1.96 of them on either side.
    assert score.low == pytest.approx(0.75 - 0.085, abs=0.015)
    assert score.high == pytest.approx(0.75 + 0.085, abs=0.015)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [0.1 * (i % 7) for i in range(40)]
    assert bootstrap(mean, values) == bootstrap(mean, values)
    assert bootstrap(mean, values) != bootstrap(mean, values, seed=8)


def test_columns_are_drawn_together() -> None:
    """What is right stays beside its confidence, so a statistic that is constant over pairs has no spread."""

    def apart(ones: list[float], others: list[float]) -> float:
        return float(np.max(np.abs(np.asarray(ones) - np.asarray(others))))

    assert bootstrap(apart, [0.0, 1.0, 2.0, 3.0], [0.5, 1.5, 2.5, 3.5]) == Score(0.5, 0.5, 0.5)


def test_a_statistic_that_is_never_defined_has_no_interval() -> None:
    score = bootstrap(lambda _: math.nan, [1.0, 2.0], resamples=10)
    assert math.isnan(score.value)
    assert math.isnan(score.low)
    assert math.isnan(score.high)
    assert score.to_json() == {"value": None, "low": None, "high": None}


def test_resamples_without_a_value_are_left_out() -> None:
    def share_of_even(values: list[float]) -> float:
        return math.nan if 2.0 not in values else 1.0

    assert bootstrap(share_of_even, [1.0, 2.0], resamples=50) == Score(1.0, 1.0, 1.0)


def test_a_share_of_few_is_not_sure() -> None:
    # Wilson: z = 1.96; (2 + 3.84 / 2 -+ 1.96 * sqrt(0 + 3.84 / 4)) / (2 + 3.84) = (3.92 -+ 1.92) / 5.84.
    score = share(2, 2)
    assert score.value == 1.0
    assert score.low == pytest.approx(2 / 5.84, abs=1e-3)
    assert score.high == 1.0
    assert share(0, 2).high == pytest.approx(1 - score.low)
    assert math.isnan(share(0, 0).value)


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(1, 50))
def test_a_share_lies_within_its_interval(count: int, more: int) -> None:
    score = share(count, count + more)
    assert 0 <= score.low <= score.value <= score.high <= 1
