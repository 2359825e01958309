import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation.pairs import exchange_test, holm, paired_bootstrap, sign_flip_test

patient = settings(deadline=None, max_examples=40)
differences = st.lists(st.integers(-4, 4).map(lambda quarters: quarters / 4), max_size=8)


def mean(values: Any) -> float:
    return float(np.mean(values))


# Sign flips


def test_five_wins_and_no_loss_are_two_of_thirty_two_exchanges() -> None:
    # Of the 2^5 ways to set the signs, all plus and all minus reach a sum of 5: McNemar's exact test says the same.
    assert sign_flip_test([1, 1, 1, 1, 1]) == 2 / 32
    assert sign_flip_test([0, 1, 1, 0, 1, 1, 1, 0]) == 2 / 32  # pairs that agree say nothing


def test_sizes_count_and_not_only_signs() -> None:
    # Sums of +-3 +-1: 4, 2, -2, -4. Observed 3 - 1 = 2: all four are at least that far; of 3 + 1 = 4: two are.
    assert sign_flip_test([3, -1]) == 1.0
    assert sign_flip_test([3, 1]) == 0.5


@pytest.mark.parametrize("n", [0, 1, 10, 5000])
def test_equal_runs_give_one(n: int) -> None:
    assert sign_flip_test([0.0] * n) == 1.0


def test_more_pairs_than_can_be_gone_through_are_sampled() -> None:
    # 40 wins, 20 losses. Exact, by McNemar: 2 * P(Binomial(60, 1/2) >= 40).
    exact = 2 * sum(math.comb(60, k) for k in range(40, 61)) / 2**60
    assert sign_flip_test([1.0] * 40 + [-1.0] * 20) == pytest.approx(exact, abs=0.004)  # 0.0134, sd 0.0012


def test_what_no_exchange_reaches_is_rare_and_never_impossible() -> None:
    assert sign_flip_test([1.0] * 100, resamples=999) == 1 / 1000


def test_the_same_seed_gives_the_same_p_and_another_nearly_so() -> None:
    values = [0.5] * 30 + [-0.25] * 28
    once = sign_flip_test(values)
    assert once == sign_flip_test(values)
    assert once == pytest.approx(sign_flip_test(values, seed=8), abs=0.03)


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        sign_flip_test([1.0, math.nan])


@patient
@given(differences)
def test_few_pairs_are_gone_through_one_by_one(found: list[float]) -> None:
    reached = [
        abs(sum(sign * each for sign, each in zip(signs, found, strict=True))) >= abs(sum(found))
        for signs in itertools.product((1, -1), repeat=len(found))
    ]
    assert sign_flip_test(found) == pytest.approx(np.mean(reached))


@patient
@given(differences)
def test_which_run_is_called_the_first_does_not_matter(found: list[float]) -> None:
    assert sign_flip_test(found) == sign_flip_test([-each for each in found])
    assert 0 < sign_flip_test(found) <= 1


def test_where_there_is_no_difference_one_is_seen_as_often_as_alpha_allows() -> None:
    chance = np.random.default_rng(1)
    ps = [sign_flip_test(chance.normal(size=30).tolist(), resamples=400) for _ in range(400)]
    # Binomial(400, 0.05): 20 expected, sd 4.4.
    assert 8 <= sum(p <= 0.05 for p in ps) <= 34


# Exchanges, for statistics that are no mean


def test_for_a_mean_both_tests_say_the_same() -> None:
    before, after = [0.0] * 30, [1.0] * 15 + [0.0] * 10 + [-1.0] * 5
    p = sign_flip_test(after)
    assert exchange_test(mean, [np.array(before)], [np.array(after)], 2000) == pytest.approx(p, abs=0.02)


def test_equal_columns_give_one_for_any_statistic() -> None:
    columns = [np.arange(9.0)]
    assert exchange_test(lambda values: float(np.median(values)), columns, columns, 50) == 1.0


def test_a_statistic_that_is_not_defined_gives_no_p() -> None:
    assert math.isnan(exchange_test(lambda values: math.nan, [np.ones(2)], [np.ones(2)], 10))


# Effects


def test_an_effect_has_the_value_of_all_questions_and_an_interval_around_it() -> None:
    before, after = np.array([0.0, 1.0] * 50), np.array([1.0, 1.0] * 50)
    effect = paired_bootstrap(mean, [before], [after])
    assert (effect.before.value, effect.after.value, effect.difference.value) == (0.5, 1.0, 0.5)
    # The difference is 0 or 1 for half of 100 questions each: sd of its mean 0.05.
    assert effect.difference.low == pytest.approx(0.4, abs=0.02)
    assert effect.difference.high == pytest.approx(0.6, abs=0.02)
    assert (effect.after.low, effect.after.high) == (1.0, 1.0)


def test_a_constant_gain_is_certain_however_hard_the_questions_vary() -> None:
    before = np.array([0.0, 0.5] * 20)
    effect = paired_bootstrap(mean, [before], [before + 0.25])
    assert (effect.difference.low, effect.difference.high) == pytest.approx((0.25, 0.25))
    assert effect.before.low < effect.before.high


def test_an_effect_that_is_never_defined_has_no_interval() -> None:
    effect = paired_bootstrap(lambda values: math.nan, [np.ones(2)], [np.ones(2)], 5)
    assert math.isnan(effect.difference.low)


# Several at once


def test_holm_multiplies_the_smallest_by_how_many_there_are() -> None:
    # Sorted .01 * 3, .03 * 2, .04 * 1 -> but never less than one before it: .03, .06, .06.
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.04]) == [0.04]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_what_is_not_defined_does_not_count_among_them() -> None:
    adjusted = holm([math.nan, 0.02])
    assert math.isnan(adjusted[0])
    assert adjusted[1] == 0.02


@patient
@given(st.lists(st.floats(0, 1), max_size=6))
def test_correcting_makes_nothing_more_significant_and_keeps_the_order(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert all(p <= corrected <= 1 for p, corrected in zip(ps, adjusted, strict=True))
    order = sorted(range(len(ps)), key=lambda place: ps[place])
    assert [adjusted[place] for place in order] == sorted(adjusted)
