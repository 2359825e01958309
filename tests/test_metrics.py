import math
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation import metrics

words = st.lists(st.sampled_from(["the", "a", "An", "cat", "Cat!", "dog", "75,000", "—", ".", "é"]), max_size=6)
texts = words.map(" ".join)
# Few distinct confidences, so that there are ties; quarters, so that sums are exact.
judged = st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.booleans()), min_size=1, max_size=30).map(
    lambda rows: ([row[0] for row in rows], [row[1] for row in rows])
)


# Answers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Cat, a dog\nand AN owl!", "cat dog and owl"),
        ("75,000", "75000"),
        ("well-known", "wellknown"),
        ("theatre", "theatre"),
        ("the-end", "theend"),  # punctuation goes first, so this "the" is no article
        ("Arab–Israeli", "arab–israeli"),  # only ASCII punctuation counts
        (" . ", ""),
    ],
)
def test_normalizing_takes_case_punctuation_and_articles(text: str, expected: str) -> None:
    assert metrics.normalized(text) == expected


def test_an_exact_match_is_one_of_the_golds_after_normalizing() -> None:
    assert metrics.exact_match("The Eiffel Tower.", ["in Paris", "Eiffel tower"]) == 1.0
    assert metrics.exact_match("Eiffel", ["in Paris", "Eiffel tower"]) == 0.0


def test_f1_is_that_of_the_nearest_gold() -> None:
    # Words said: tall, eiffel, tower (the article goes). With "Eiffel Tower": c = 2, s = 3, g = 2: 2 * 2 / 5.
    assert metrics.f1("the tall Eiffel Tower", ["Paris", "Eiffel Tower"]) == 4 / 5
    assert metrics.f1("London", ["Paris", "Eiffel Tower"]) == 0.0


def test_a_word_said_twice_counts_only_as_often_as_in_the_gold() -> None:
    # c = 2 (one "new", one "york"), s = 4, g = 2.
    assert metrics.f1("new new york york", ["New York"]) == 2 * 2 / 6


def test_without_golds_only_saying_nothing_is_right() -> None:
    assert (metrics.exact_match("", []), metrics.f1("", [])) == (1.0, 1.0)
    assert (metrics.exact_match("Paris", []), metrics.f1("Paris", [])) == (0.0, 0.0)


def test_saying_nothing_is_wrong_where_there_is_an_answer() -> None:
    assert (metrics.exact_match("", ["Paris"]), metrics.f1("", ["Paris"])) == (0.0, 0.0)


def test_a_gold_of_which_nothing_is_left_does_not_count() -> None:
    """SQuAD's dev set has golds that are a full stop; saying nothing does not match them."""
    assert metrics.exact_match("", [".", "interventionism"]) == 0.0
    assert metrics.exact_match("the", ["."]) == 1.0  # as v2.0: with no gold left, the question has no answer


@given(texts, st.lists(texts, max_size=3))
def test_f1_is_the_harmonic_mean_of_precision_and_recall_over_bags_of_words(said: str, golds: list[str]) -> None:
    def slow(gold: str) -> Fraction:
        ours, theirs = metrics.normalized(said).split(), metrics.normalized(gold).split()
        common = sum(min(ours.count(word), theirs.count(word)) for word in set(ours))
        if not ours or not theirs:
            return Fraction(ours == theirs)
        if not common:
            return Fraction(0)
        precision, recall = Fraction(common, len(ours)), Fraction(common, len(theirs))
        return 2 * precision * recall / (precision + recall)

    kept = [gold for gold in golds if metrics.normalized(gold)] or [""]
    assert metrics.f1(said, golds) == pytest.approx(float(max(map(slow, kept))))
    assert metrics.exact_match(said, golds) <= metrics.f1(said, golds)
    assert metrics.f1(said, [said]) == 1.0


@given(texts)
def test_normalizing_adds_no_word(text: str) -> None:
    left = metrics.normalized(text).split()
    assert not Counter(left) - Counter(text.lower().replace(",", "").replace("!", "").replace(".", "").split())


def test_a_passage_holds_an_answer_as_whole_words() -> None:
    assert metrics.holds("It was built by the Eiffel company in Paris.", ["Rome", "Eiffel Company"])
    assert not metrics.holds("The Parisians came.", ["Paris"])
    assert not metrics.holds("Anything at all", ["."])
    assert not metrics.holds("Anything at all", [])


# Calibration


def test_reliability_counts_what_was_promised_and_what_was_kept() -> None:
    # Two bins: (0, 0.5] with 0 and 0.5 in it, and (0.5, 1].
    low, high = metrics.reliability([0.0, 0.5, 0.6, 1.0], [False, True, False, True], bins=2)
    assert (low.low, low.high, low.count, low.confidence, low.right) == (0.0, 0.5, 2, 0.25, 0.5)
    assert (high.low, high.high, high.count, high.confidence, high.right) == (0.5, 1.0, 2, 0.8, 0.5)


def test_calibration_error_weighs_the_gaps_by_their_questions() -> None:
    # Bins of a quarter. 0.2: one wrong, gap 0.2. 0.9, 0.9, 0.9: two right, gap |2/3 - 0.9|.
    error = metrics.expected_calibration_error([0.2, 0.9, 0.9, 0.9], [False, True, True, False], bins=4)
    assert error == pytest.approx(1 / 4 * 0.2 + 3 / 4 * (0.9 - 2 / 3))


def test_what_keeps_its_promise_has_no_calibration_error() -> None:
    assert metrics.expected_calibration_error([0.75] * 4, [True, True, True, False]) == 0.0


@given(judged)
def test_one_bin_compares_the_means(rows: tuple[list[float], list[bool]]) -> None:
    confidences, right = rows
    gap = abs(sum(confidences) - sum(right)) / len(right)
    assert metrics.expected_calibration_error(confidences, right, bins=1) == pytest.approx(gap)
    assert sum(each.count for each in metrics.reliability(confidences, right)) == len(right)
    assert metrics.expected_calibration_error(confidences, right) <= 1


def test_brier_is_the_mean_square_of_what_was_missing() -> None:
    assert metrics.brier([0.8, 0.6], [True, False]) == pytest.approx((0.2**2 + 0.6**2) / 2)


@pytest.mark.parametrize("bad", [-0.1, 1.5, -math.inf])
def test_a_confidence_that_is_no_chance_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not from 0 to 1"):
        metrics.brier([0.5, bad], [True, False])


@pytest.mark.parametrize(("confidences", "right"), [([], []), ([0.5], []), ([0.5], [True, False])])
def test_each_answer_needs_its_confidence(confidences: list[float], right: list[bool]) -> None:
    with pytest.raises(ValueError, match="one each, and at least one"):
        metrics.auroc(confidences, right)


def test_a_confidence_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="a confidence is nan"):
        metrics.risk_coverage([math.nan], [True])


# Ranking


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    # Right: 0.9, 0.4. Wrong: 0.4, 0.1. Pairs: 0.9 wins twice, 0.4 ties once and wins once: 3.5 of 4.
    assert metrics.auroc([0.9, 0.4, 0.4, 0.1], [True, True, False, False]) == 3.5 / 4


@given(judged)
def test_auroc_is_what_comparing_all_pairs_gives(rows: tuple[list[float], list[bool]]) -> None:
    confidences, right = rows
    good = [c for c, r in zip(confidences, right, strict=True) if r]
    bad = [c for c, r in zip(confidences, right, strict=True) if not r]
    if not good or not bad:
        assert math.isnan(metrics.auroc(confidences, right))
        return
    won = sum((g > b) + (g == b) / 2 for g in good for b in bad)
    assert metrics.auroc(confidences, right) == pytest.approx(won / (len(good) * len(bad)))


def test_the_curve_has_one_point_for_each_confidence() -> None:
    points = metrics.risk_coverage([0.9, 0.5, 0.5, -math.inf], [True, False, True, False])
    assert points == [metrics.Operating(0.9, 1 / 4, 0.0), metrics.Operating(0.5, 3 / 4, 1 / 3)]


@given(judged)
def test_each_point_is_what_its_threshold_gives(rows: tuple[list[float], list[bool]]) -> None:
    confidences, right = rows
    points = metrics.risk_coverage(confidences, right)
    assert [point.threshold for point in points] == sorted(set(confidences), reverse=True)
    for point in points:
        answers = [r for c, r in zip(confidences, right, strict=True) if c >= point.threshold]
        assert point.coverage == len(answers) / len(right)
        assert point.risk == answers.count(False) / len(answers)


def test_the_area_under_the_curve_is_the_mean_risk() -> None:
    # One answered: 0 of 1 wrong; two: 1 of 2; three: 1 of 3.
    area = metrics.area_under_risk_coverage([0.9, 0.8, 0.7], [True, False, True])
    assert area == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)


def test_of_equal_confidences_each_may_come_first() -> None:
    # Of the two at 0.5 one is wrong: the first answered is wrong half the time, both together hold one wrong.
    for right in ([True, False], [False, True]):
        assert metrics.area_under_risk_coverage([0.5, 0.5], right) == pytest.approx((0.5 / 1 + 1 / 2) / 2)


def test_nothing_to_answer_has_no_area() -> None:
    assert math.isnan(metrics.area_under_risk_coverage([-math.inf], [False]))


def test_coverage_is_as_much_as_the_precision_allows() -> None:
    confidences = [0.9, 0.8, 0.7, 0.6, 0.5]
    right = [True, False, True, True, False]
    # Right of the first n: 1/1, 1/2, 2/3, 3/4, 3/5. At 0.75 four are answered, though two would fall short of it.
    assert metrics.coverage_at_precision(confidences, right, 0.75) == 4 / 5
    assert metrics.threshold_at_precision(confidences, right, 0.75) == 0.6
    assert metrics.coverage_at_precision(confidences, right, 0.9) == 1 / 5
    assert metrics.coverage_at_precision([0.9, 0.8], [False, True], 0.9) == 0.0
    assert metrics.threshold_at_precision([0.9, 0.8], [False, True], 0.9) == math.inf


def test_coverage_of_the_answerable_counts_only_them() -> None:
    confidences = [0.9, 0.8, 0.7, 0.6]
    right = [True, False, True, True]
    answerable = [True, False, True, True]
    # At 0.7 all four are answered: all three that can be. At 0.9 only the first is: one of three.
    assert metrics.coverage_at_precision(confidences, right, 0.7, of=answerable) == 1.0
    assert metrics.coverage_at_precision(confidences, right, 0.9, of=answerable) == 1 / 3
    assert math.isnan(metrics.coverage_at_precision(confidences, right, 0.9, of=[False] * 4))


def test_questions_of_equal_confidence_are_answered_together_or_not() -> None:
    assert metrics.coverage_at_precision([0.5] * 10, [True] * 9 + [False], 0.9) == 1.0
    assert metrics.coverage_at_precision([0.5] * 10, [True] * 8 + [False] * 2, 0.9) == 0.0


def test_what_has_nothing_to_say_is_never_answered_and_still_counts() -> None:
    assert metrics.coverage_at_precision([0.9, -math.inf], [True, False], 0.5) == 1 / 2


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="which of them to count"):
        metrics.coverage_at_precision([0.9], [True], 0.5, of=[True, False])


@given(judged, st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_coverage_is_the_best_of_all_thresholds(rows: tuple[list[float], list[bool]], precision: float) -> None:
    confidences, right = rows
    best = max(
        [point.coverage for point in metrics.risk_coverage(confidences, right) if 1 - point.risk >= precision - 1e-9],
        default=0.0,
    )
    assert metrics.coverage_at_precision(confidences, right, precision) == pytest.approx(best)
