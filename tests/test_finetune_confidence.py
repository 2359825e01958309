"""Fitting how sure a generator is: which answers count as right, what is fitted, and what the curve promises."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from finetune.copying.confidence import FOLDS, Case, fit, fitted, given, given_cases, retrieved_cases
from finetune.copying.negatives import passages_collection
from finetune.copying.unanswerable import unanswerable
from finetune.questions import Question
from indexer.errors import UsageError
from rag.copying.confidence import confidence, threshold
from rag.copying.decoding import Decoded, Span
from rag.copying.generator import CopyingGenerator
from rag.evaluation import metrics
from rag.generator import Copied, Written
from rag.types import Passage
from tests.worlds import WordEncoder

TEXT = "Anna Finch led the army in 1920. The army of Bern had 75,000 men."
ASKED = Question("1", "Who led the army in 1920?", "Bern", TEXT, ("Anna Finch",), "bern")
OTHER = ("Rome", "The fleet had 12 ships.")


# Cases


def test_a_given_passage_is_cited_like_any_other() -> None:
    found = given("Bern", TEXT)
    assert (found.text, found.context, found.start, found.end) == (TEXT, "Bern", 0, len(TEXT))
    assert found.place(5) == (None, None)
    assert (found.origin.dense_rank, found.origin.words_rank) == (None, None)


def test_each_question_comes_with_and_without_its_answer() -> None:
    cases = list(given_cases([ASKED] * 50, {"1": [OTHER]}, random.Random(0)))
    assert len(cases) == 100
    edits = {
        each.question
        for seed in range(100)
        for each in unanswerable(ASKED.text, TEXT, ASKED.answers, random.Random(seed))
    }
    kinds = []
    for answered, refused in zip(cases[::2], cases[1::2], strict=True):
        assert (answered.question, answered.answers, answered.passages[0].text) == (ASKED.text, ASKED.answers, TEXT)
        assert answered.passages[0].context in ("", "Bern")
        assert refused.answers == ()
        edited = refused.passages[0].text == TEXT
        kinds.append(edited)
        assert refused.question in edits if edited else refused.question == ASKED.text
        assert refused.passages[0].text in (TEXT, OTHER[1])
        if not edited:
            assert refused.passages[0].context == ("Rome" if answered.passages[0].context else "")
    assert kinds.count(True) == pytest.approx(37, abs=10)


def test_without_a_negative_every_other_question_is_edited_and_without_an_edit_it_is_asked_elsewhere() -> None:
    assert [case.passages[0].text for case in given_cases([ASKED], {}, random.Random(0))] == [TEXT, TEXT]
    plain = Question("2", "Who?", "", "A cat.", ("A cat",), "cat")
    assert [case.answers for case in given_cases([plain], {}, random.Random(0))] == [("A cat",)]
    cases = list(given_cases([plain], {"2": [OTHER]}, random.Random(0)))
    assert [case.passages[0].text for case in cases] == ["A cat.", OTHER[1]]


def test_questions_are_edited_as_in_training() -> None:
    """With the words told apart; of the two edits the one that sometimes limps is taken 2 times in 7."""
    asked = Question(
        "1", "Who commands the army?", "", f"{TEXT} By law a free city held boats.", ("Anna Finch",), "bern"
    )
    cases = list(given_cases([asked] * 700, {}, random.Random(0), lambda word: ("navy",) if word == "army" else ()))
    edited = [case.question for case in cases if not case.answers]
    assert set(edited) == {"Who commands the navy?", "Who commands the free army?"}
    assert edited.count("Who commands the free army?") == pytest.approx(200, abs=40)


def test_of_every_third_question_the_answer_is_taken_away(tmp_path: Path) -> None:
    names = ["amber", "basalt", "cedar", "delta", "ember", "fjord"]
    asked = [
        Question(
            name, f"How high is the hill {name}?", name, f"The hill {name} is {n + 10} feet high.", (str(n + 10),), name
        )
        for n, name in enumerate(names)
    ]
    cases = list(retrieved_cases(passages_collection(asked, tmp_path, WordEncoder()), asked))
    assert [case.answers for case in cases] == [("10",), ("11",), (), ("13",), ("14",), ()]
    for each, case in zip(asked, cases, strict=True):
        assert case.question == each.text
        found = any(metrics.holds(passage.text, each.answers) for passage in case.passages)
        assert found == bool(case.answers)


# What is right


class FirstWords:
    """Answers with the first words of the first passage, as many as the question says; "0" finds nothing to copy."""

    def decode_many(self, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Decoded]:
        made = []
        for question, given_ones in zip(questions, passages, strict=True):
            words = given_ones[0].text.split()[: int(question)]
            span = Span(0, 0, len(" ".join(words)), float(len(words)), 0, 0, 0)
            made.append(Decoded((span,) if words else (), (span,) if words else (), -0.1, -0.2))
        return made

    def pieces(self, decoded: Decoded) -> tuple[Copied | Written, ...]:
        return tuple(Copied(0, each.start, each.end) for each in decoded.actions if isinstance(each, Span))


def test_an_answer_is_right_by_its_overlap_and_never_where_there_is_none() -> None:
    """Of the text 1 word has F1 2/3, 2 have 1, 3 have 4/5, 4 have 2/3, 7 have 4/9; where nothing is right, none is.

    SQuAD compares without articles: "The", said where there is no answer, would be as right as saying nothing.
    """
    text = "Anna Finch led it north once more"
    cases = [Case(count, [given("", text)], ("Anna Finch",)) for count in ("1", "2", "3", "4", "7")]
    cases += [Case("2", [given("", text)], ()), Case("0", [given("", text)], ("Anna Finch",))]
    cases += [Case("1", [given("", "The army")], ())]
    done: list[int] = []
    model = fit(cast(CopyingGenerator, FirstWords()), cases * 30, lambda what, now, total: done.append(now))
    assert model["fitted_on"]["questions"] == 210  # where nothing was found, nothing is said
    assert model["fitted_on"]["right"] == 120
    assert done == [64, 128, 192, 240]


# Fitting

COUNT = 4000


def drawn(seed: int, count: int = COUNT) -> tuple[list[dict[str, float]], list[bool]]:
    """Return rows whose chance of being right is logistic: 2 x - y - 0.5; z says nothing, and c never changes."""
    chance = np.random.default_rng(seed)
    rows = [{"x": float(x), "y": float(3 * y), "z": float(z), "c": 0.1} for x, y, z in chance.normal(size=(count, 3))]
    odds = np.array([2 * row["x"] - row["y"] - 0.5 for row in rows])
    return rows, list((chance.random(count) < 1 / (1 + np.exp(-odds))).tolist())


def test_the_weights_that_made_the_data_are_found() -> None:
    model = fitted(*drawn(0))
    assert model["bias"] == pytest.approx(-0.5, abs=0.15)
    assert model["weights"] == {
        "x": pytest.approx(2.0, abs=0.2), "y": pytest.approx(-1.0, abs=0.1), "z": pytest.approx(0.0, abs=0.1),
        "c": pytest.approx(0.0, abs=0.01),
    }  # fmt: skip


def test_the_confidence_means_what_it_says_on_other_data() -> None:
    model, (rows, right) = fitted(*drawn(0)), drawn(1)
    sure = [confidence(model, row) for row in rows]
    assert metrics.expected_calibration_error(sure, right) < 0.03
    assert model["fitted_on"]["brier"] == pytest.approx(metrics.brier(sure, right), abs=0.01)
    for max_error in (0.05, 0.1, 0.2):
        least = threshold(model, max_error)
        wrong = [not each for each, confident in zip(right, sure, strict=True) if confident >= least]
        assert sum(wrong) / len(wrong) == pytest.approx(max_error, abs=0.03)


def test_the_default_threshold_is_the_most_careful_of_those_that_cannot_be_told_from_the_best() -> None:
    rows, right = drawn(0)
    model = fitted(rows, right)
    sure = np.array([confidence(model, row) for row in rows])
    least, signs = threshold(model, None), np.where(right, 1, -1)

    def gain(bound: float) -> float:
        return float(signs[sure >= bound].sum()) / len(signs)

    error = float(np.where(sure >= 0.5, signs, 0).std()) / math.sqrt(len(signs))
    assert gain(least) == pytest.approx(gain(0.5) - error, abs=0.2 * error)
    assert 0.55 < least < 0.7, "right and wrong are as likely at 0.5"


def test_the_default_threshold_hangs_less_on_chance_than_that_of_the_largest_gain() -> None:
    def of(seed: int) -> tuple[float, float]:
        rows, right = drawn(seed, 1000)
        model = fitted(rows, right)
        curve = metrics.risk_coverage([confidence(model, row) for row in rows], right)
        return max(curve, key=lambda at: at.coverage * (1 - 2 * at.risk)).threshold, model["threshold"]

    largest, careful = np.std([of(seed) for seed in range(1, 21)], axis=0)
    assert careful < 0.75 * largest


def test_the_curve_rises_in_coverage_and_ends_with_every_question() -> None:
    curve = fitted(*drawn(0))["risk_coverage"]
    assert 80 <= len(curve) <= 102
    coverages, thresholds = [row["coverage"] for row in curve], [row["threshold"] for row in curve]
    assert coverages == sorted(set(coverages))
    assert thresholds == sorted(thresholds, reverse=True)
    assert coverages[0] == pytest.approx(0.01, abs=0.001)
    right = drawn(0)[1]
    assert (coverages[-1], curve[-1]["error"]) == (1.0, pytest.approx(1 - sum(right) / len(right), abs=1e-4))


def test_what_is_predicted_of_a_question_was_not_fitted_on_it() -> None:
    """With a number for each row that gives it away, a fit on the row itself would be nearly always right."""
    rows = [{f"is {n}": float(n == row) for n in range(40)} for row in range(40)]
    right = [bool(value) for value in np.random.default_rng(0).integers(0, 2, 40)]
    assert fitted(rows, right)["fitted_on"]["brier"] > 0.2


@pytest.mark.parametrize("value", [True, False])
def test_all_right_and_all_wrong_can_be_fitted(value: bool) -> None:
    rows, _ = drawn(0, 50)
    model = fitted(rows, [value] * 50)
    sure = [confidence(model, row) for row in rows]
    assert min(sure) > 0.8 if value else max(sure) < 0.2
    assert threshold(model, 0.01) == (pytest.approx(min(sure), abs=0.1) if value else math.inf)


def test_where_answering_only_loses_nothing_is_answered() -> None:
    """The default threshold once was the highest confidence: its one wrong answer was still given."""
    rows = [{"x": float(n)} for n in range(50)]
    assert threshold(fitted(rows, [False] * 50), None) == 1.0
    # of equal confidence all are answered or none: four right do not pay for six wrong
    assert threshold(fitted([{"x": 1.0}] * 10, [True] * 4 + [False] * 6), None) == 1.0


def test_too_few_answers_to_fit_on_are_refused() -> None:
    with pytest.raises(UsageError, match="Only 4 held-out questions could be answered"):
        fitted([{"x": 1.0}] * (FOLDS - 1), [True] * (FOLDS - 1))
    with pytest.raises(UsageError, match="Only 0 held-out questions"):
        fit(cast(CopyingGenerator, FirstWords()), [Case("0", [given("", "a")], ("a",))] * 9)


@settings(deadline=None, max_examples=40)
@for_all(st.lists(st.tuples(st.sampled_from([-12.0, 0.0, 0.5, 12.0]), st.booleans()), min_size=FOLDS, max_size=30))
def test_whatever_is_fitted_gives_chances_and_a_falling_promise(seen: list[tuple[float, bool]]) -> None:
    rows, right = [{"x": x, "two": 2 * x} for x, _ in seen], [each for _, each in seen]
    model = fitted(rows, right)
    assert all(0 <= confidence(model, row) <= 1 for row in rows)
    assert 0 <= model["threshold"] <= 1
    least = [threshold(model, error) for error in (0.0, 0.2, 0.5, 1.0)]
    assert least == sorted(least, reverse=True)
    assert least[-1] <= 1
    assert model == fitted(rows, right)
