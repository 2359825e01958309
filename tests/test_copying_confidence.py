"""What a confidence is made of, worked out by hand; and the laws that hold whatever was fitted."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.copying.confidence import FAR, confidence, features, retrieved, threshold
from rag.copying.decoding import Decoded, Span
from rag.types import Origin, Passage
from tests.answers import passage

ASKED = "How many litres does the pump in hall three move?"
PASSAGES = [
    passage("The pump in hall two moves 12 litres.", dense=0.5),
    passage("It moves  12\nLitres a minute.", dense=0.8),
    passage("Nothing of the kind.", dense=0.25),
]


def span(number: int, part: str, score: float, passages: list[Passage] = PASSAGES) -> Span:
    start = passages[number].text.index(part)
    return Span(number, start, start + len(part), score, number, 0, 0)


def decoded(*spans: Span, log_answer: float = -0.1, log_actions: float = -0.5) -> Decoded:
    return Decoded(spans[:1], spans, log_answer, log_actions)


# Features


def test_every_number_by_hand() -> None:
    best = span(0, "12 litres", 3.0)
    seen = features(
        ASKED, decoded(best, span(0, "litres", 2.5), span(1, "12\nLitres", 2.0), span(2, "Nothing", -1.0)), PASSAGES
    )
    assert seen == {
        "odds": 3.0,
        "answer": -0.1,
        "actions": -0.5,
        "lead": 1.0,  # over the second passage's: "litres" of the first overlaps
        "again": 1.0,  # the second passage says the same, but for case and spaces
        "words": 2.0,
        "rank": 1.0,
        "near": 0.5,
        "ahead": pytest.approx(-0.3),
        "nearest": 0.8,
        "by_words": 0.0,
        "said": pytest.approx(4 / 6),  # litres, pump, hall, move; not many, nor three
        "around": pytest.approx(4 / 6),
        "unsaid": 2.0,
        "names": 1.0,  # three
        "denied": 0.0,
        "fits": 1.0,
    }


def test_what_is_asked_is_looked_for_where_the_answer_stands() -> None:
    text = "Voss dug it. Anna Finch rebuilt the harbour in 1802. It never burned. Arden sold the boats."
    one = [replace(passage(text), context="Kelmouth")]
    at = {word: decoded(span(0, word, 1.0, one)) for word in ("Voss", "Anna Finch", "Arden")}
    asked = "Who rebuilt the Kelmouth harbour in 1802?"
    close, far = features(asked, at["Anna Finch"], one), features(asked, at["Arden"], one)
    assert (close["said"], close["around"], close["unsaid"], close["names"]) == (1.0, 1.0, 0.0, 0.0)
    assert (far["said"], far["around"], far["names"]) == (0.25, 0.25, 1.0)  # the title counts everywhere
    beside = features(asked, at["Voss"], one)
    assert (beside["said"], beside["around"]) == (0.25, 1.0)


def test_a_denial_in_the_question_alone_is_told() -> None:
    text = "Voss sold ropes. Arden never sold boats."
    one = [passage(text)]
    assert features("What did Voss not sell?", decoded(span(0, "ropes", 1.0, one)), one)["denied"] == 1.0
    assert features("What did Arden not sell?", decoded(span(0, "boats", 1.0, one)), one)["denied"] == 0.0
    assert features("What did Voss sell?", decoded(span(0, "ropes", 1.0, one)), one)["denied"] == 0.0


def test_an_answer_of_another_kind_does_not_fit() -> None:
    one = [passage("Voss dug it in 1784.")]
    assert features("When was it dug?", decoded(span(0, "1784", 1.0, one)), one)["fits"] == 1.0
    assert features("When was it dug?", decoded(span(0, "Voss", 1.0, one)), one)["fits"] == 0.0
    assert features("Who dug it?", decoded(span(0, "Voss", 1.0, one)), one)["fits"] == 1.0


def test_the_passage_that_was_copied_from_says_where_it_stood() -> None:
    found = [*PASSAGES[:2], replace(PASSAGES[2], origin=Origin(words_rank=4, dense_score=0.25))]
    seen = features(ASKED, decoded(span(2, "Nothing", 1.0)), found)
    found_in = [seen[name] for name in ("rank", "near", "by_words", "ahead")]
    assert found_in == pytest.approx([1 / 3, 0.25, 0.25, 0.25 - 0.8])


def test_other_passages_count_once_each_however_often_they_say_it() -> None:
    texts = [passage(text) for text in ("12 litres", "12 litres and 12 litres", "12 litres", "13 litres")]
    spans = [span(0, "12 litres", 3.0, texts), span(1, "12 litres", 2.0, texts), span(2, "12 litres", 1.0, texts)]
    twice = replace(spans[1], start=14, end=23)
    assert features(ASKED, decoded(*spans, twice, span(3, "13 litres", 0.0, texts)), texts)["again"] == 2.0


def test_without_a_rival_the_lead_is_as_far_as_it_goes() -> None:
    assert features(ASKED, decoded(span(0, "12 litres", 2.0), span(0, "12", 1.0)), PASSAGES)["lead"] == FAR


def test_numbers_without_a_bound_are_cut_off() -> None:
    seen = features(
        ASKED,
        decoded(span(0, "12", 400.0), span(2, "Nothing", -400.0), log_answer=-math.inf, log_actions=-99.0),
        PASSAGES,
    )
    assert (seen["odds"], seen["answer"], seen["actions"], seen["lead"]) == (FAR, -FAR, -FAR, FAR)
    assert features(ASKED, decoded(span(0, "12", -400.0)), PASSAGES)["odds"] == -FAR
    long = passage("word " * 30)
    assert features(ASKED, decoded(span(0, long.text, 1.0, [long])), [long])["words"] == 20.0


def test_a_passage_that_was_given_has_no_retrieval_to_speak_of() -> None:
    given_one = replace(PASSAGES[0], origin=Origin())
    seen = features(ASKED, decoded(span(0, "12", 1.0)), [given_one])
    assert [seen[name] for name in ("rank", "near", "ahead", "nearest", "by_words")] == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert not retrieved([given_one])
    assert not retrieved([])
    assert retrieved([given_one, PASSAGES[0]])
    assert retrieved([replace(given_one, origin=Origin(words_rank=3))])


def test_features_are_the_same_names_whatever_was_decoded() -> None:
    names = set(features(ASKED, decoded(span(0, "12", 1.0)), PASSAGES))
    assert names == set(features(ASKED, decoded(span(1, "moves", -1.0), span(0, "12", -2.0)), PASSAGES))
    assert len(names) == 17


# Confidence

MODEL: dict[str, Any] = {"bias": 1.0, "weights": {"odds": 0.5, "rank": -2.0}, "threshold": 0.4}


def test_a_logistic_model_by_hand() -> None:
    """1 + 0.5 * 3 - 2 * 0.5 = 1.5."""
    assert confidence(MODEL, {"odds": 3.0, "rank": 0.5, "more": 9.0}) == pytest.approx(1 / (1 + math.exp(-1.5)))


@pytest.mark.parametrize(("odds", "expected"), [(1e4, 1.0), (-1e4, 0.0)])
def test_an_extreme_score_is_a_chance_and_no_overflow(odds: float, expected: float) -> None:
    assert confidence(MODEL, {"odds": odds, "rank": 0.0}) == expected


@pytest.mark.parametrize(
    ("chance", "expected"),
    [(0.1, 0.2), (0.2, 0.2), (0.3, 0.3), (0.4, 0.4), (0.5, 0.9), (0.6, 0.9), (0.7, 0.95), (0.9, 1.0)],
)
def test_a_table_bends_the_chance_in_straight_lines(chance: float, expected: float) -> None:
    table = [[0.2, 0.2], [0.4, 0.4], [0.5, 0.9], [0.6, 0.9], [0.8, 1.0]]
    model = {"bias": math.log(chance / (1 - chance)), "weights": {}, "table": table}
    assert confidence(model, {}) == pytest.approx(expected)


points = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6).map(
    lambda rows: list(zip(sorted(row[0] for row in rows), sorted(row[1] for row in rows), strict=True))
)


@settings(deadline=None, max_examples=100)
@given(points, st.floats(-50, 50), st.floats(0, 50))
def test_a_rising_table_keeps_chances_between_nothing_and_one_and_in_order(
    table: list[tuple[float, float]], score: float, more: float
) -> None:
    model: dict[str, Any] = {"weights": {}, "table": table}
    less, larger = (confidence({**model, "bias": bias}, {}) for bias in (score, score + more))
    assert 0.0 <= less <= larger + 1e-12
    assert larger <= 1.0


# Thresholds

CURVE = [
    {"coverage": 0.1, "threshold": 0.9, "error": 0.0},
    {"coverage": 0.4, "threshold": 0.7, "error": 0.1},
    {"coverage": 0.6, "threshold": 0.5, "error": 0.05},
    {"coverage": 1.0, "threshold": 0.2, "error": 0.3},
]


@pytest.mark.parametrize(
    ("max_error", "expected"), [(None, 0.4), (0.0, 0.9), (0.04, 0.9), (0.05, 0.5), (0.1, 0.5), (0.3, 0.2), (1.0, 0.2)]
)
def test_the_threshold_answers_as_often_as_the_promise_allows(max_error: float | None, expected: float) -> None:
    assert threshold({**MODEL, "risk_coverage": CURVE}, max_error) == expected


def test_a_promise_that_no_threshold_keeps_is_kept_by_silence() -> None:
    assert threshold({**MODEL, "risk_coverage": CURVE[1:]}, 0.01) == math.inf
    assert threshold({**MODEL, "risk_coverage": []}, 0.5) == math.inf
