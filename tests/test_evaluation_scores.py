import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation import metrics
from rag.evaluation.judging import cited_words
from rag.evaluation.measures import measures
from rag.evaluation.rows import Cited, Row
from rag.evaluation.runs import Receipt
from rag.evaluation.scores import answer_scores, by_kind, speed
from tests.evaluation_rows import TOWER, read, row


def value(rows: Sequence[Row], name: str, precision: float = 0.9) -> float:
    measure = measures(precision)[name]
    return measure.statistic(*measure.columns(rows))


def footnoted(given: Row, *quotes: str, unsupported: Sequence[tuple[int, int]] = ()) -> Row:
    notes = tuple(Cited(0, 0, len(quote), quote) for quote in quotes)
    return replace(given, footnotes=notes, unsupported=tuple(unsupported))


NEAR = row("near", ["the old Paris"], "Paris", confidence=0.6)  # f1 = 2 * 1 / (1 + 2) = 2/3; exact it is not
RIGHT = row("right", ["Paris"], "The Paris", confidence=0.9)
HELD = row("held", ["Paris"], "Paris", answered=False, confidence=0.2)
WRONG = row("wrong", ["Paris"], "Rome", confidence=0.8)
SILENT = row("silent", ["Paris"])
REFUSED = row("refused", [], "Rome", answered=False, confidence=0.1)
FOOLED = row("fooled", [], "Rome", confidence=0.7)


# Answers


def test_where_every_question_has_an_answer_the_best_one_counts() -> None:
    rows = [RIGHT, HELD, WRONG, NEAR, SILENT]
    assert value(rows, "em") == 2 / 5
    assert value(rows, "f1") == pytest.approx((1 + 1 + 0 + 2 / 3 + 0) / 5)
    assert value(rows, "em@given") == 1 / 5
    assert value(rows, "f1@given") == pytest.approx((1 + 0 + 0 + 2 / 3 + 0) / 5)


def test_where_some_have_none_a_refusal_is_an_empty_answer() -> None:
    rows = [RIGHT, HELD, REFUSED, FOOLED]
    assert value(rows, "em") == 2 / 4  # RIGHT, and REFUSED, for which nothing is right
    assert value(rows, "f1") == 2 / 4
    assert value(rows, "em@best") == 1.0  # over RIGHT and HELD
    assert value(rows, "em@given") == 2 / 4


def test_a_sentence_that_holds_the_answer_contains_it() -> None:
    rows = [row("a", ["Paris"], "The tower is in Paris."), row("b", ["Paris"], "Parisian"), FOOLED]
    assert value(rows, "contains") == 1 / 2
    assert value(rows, "precision (contains)") == 1 / 3
    assert value(rows, "precision") == 0


def test_precision_is_that_of_given_answers() -> None:
    rows = [RIGHT, HELD, NEAR, FOOLED, SILENT]
    assert value(rows, "precision") == 1 / 3
    assert value(rows, "precision (f1>=0.5)") == 2 / 3
    assert value(rows, "answered") == 3 / 5


# Refusals


def test_refusals_are_judged_both_ways() -> None:
    rows = [RIGHT, HELD, SILENT, REFUSED, FOOLED]
    assert value(rows, "refusal_precision") == 1 / 3  # of HELD, SILENT and REFUSED
    assert value(rows, "refusal_recall") == 1 / 2  # of REFUSED and FOOLED


def test_each_outcome_is_scored_by_itself() -> None:
    shown = footnoted(row("shown", ["Paris"], "It is old.", answered=False, bears=True), "The tower of Paris is old.")
    other = footnoted(row("other", ["Paris"], "It is new.", answered=False, bears=True), "It is new.")
    asked = footnoted(row("asked", [], "It is new.", answered=False, bears=True), "It is new.")
    rows = [RIGHT, WRONG, shown, other, SILENT, asked, REFUSED, FOOLED]
    found = {
        name: value(rows, name)
        for name in measures()
        if name.partition(",")[0] in ("answer", "unsure", "none") or name in ("unsure_precision", "answered_or_shown")
    }
    assert found == {
        "answer, answerable": 2 / 5,  # RIGHT and WRONG
        "unsure, answerable": 2 / 5,
        "none, answerable": 1 / 5,
        "answer, unanswerable": 1 / 3,
        "unsure, unanswerable": 1 / 3,
        "none, unanswerable": 1 / 3,
        "unsure_precision": 1 / 3,  # shown, of it and other and asked
        "answered_or_shown": 2 / 5,  # RIGHT and shown
    }
    assert value(rows, "helpful") == (1 + 2) / 8
    assert [row.outcome for row in rows[:5]] == ["answer", "answer", "unsure", "unsure", "none"]


def test_what_is_defined_on_no_question_is_nan() -> None:
    scores = answer_scores([RIGHT], resamples=5)
    none = ("refusal_precision", "refusal_recall", "source_recall", "quote_recall", "citation_precision", "auroc")
    assert all(math.isnan(scores[name].value) for name in none)
    silent = answer_scores([SILENT, SILENT], resamples=5)
    assert math.isnan(silent["ece"].value)
    assert silent["coverage@precision=0.9"].value == 0
    assert silent["em"].value == 0


def test_no_rows_have_no_scores() -> None:
    assert all(math.isnan(score.value) for score in answer_scores([]).values())


# What was read


def test_an_answer_in_a_passage_is_recalled() -> None:
    rows = [
        row("a", ["330 metres"], passages=["It is old.", "It is 330 metres tall."]),
        row("b", ["331 metres"], passages=["It is 330 metres tall."]),
        row("c", [], passages=["It is old."]),
    ]
    assert value(rows, "answer_recall") == 1 / 2


def test_gold_sources_are_found_by_their_end_and_by_near_duplicates() -> None:
    copied = replace(read("text", "/files/copy.md"), also_in=("/files/data/b.md",))
    found = row(
        "a", passages=[read("text", "/files/data/a.md"), copied], sources=["data/a.md", "b.md", "c.md", "ta/a.md"]
    )
    assert value([found, row("b", sources=[])], "source_recall") == 2 / 4


def test_gold_quotes_are_found_however_their_lines_end() -> None:
    found = row("a", passages=["It is tall,\nand  old."], quotes=["is tall, and old", "It is new."])
    assert value([found], "quote_recall") == 1 / 2


# What was cited


def test_a_footnote_is_right_when_its_quote_holds_a_gold_answer() -> None:
    rows = [
        footnoted(RIGHT, "The tower stands in Paris.", "The tower is tall."),
        footnoted(WRONG, "Rome was not built in a day."),
        footnoted(FOOLED, "Rome was not built in a day."),
        footnoted(HELD, "In Paris."),  # held back, so nobody sees it
    ]
    assert value(rows, "citation_precision") == 1 / 4


def test_words_that_no_passage_bears_out_are_not_cited() -> None:
    said = row("a", ["x"], "It is tall. And green, I think.")
    assert cited_words(footnoted(said, "It is tall.", unsupported=[(12, 31)])) == (3, 7)
    assert cited_words(footnoted(said, "It is tall.")) == (7, 7)
    assert cited_words(said) == (0, 7)
    assert cited_words(SILENT) == (0, 0)
    rows = [footnoted(said, "It is tall.", unsupported=[(12, 31)]), footnoted(RIGHT, "In Paris.")]
    assert value(rows, "citation_recall") == (3 + 2) / (7 + 2)


def test_each_of_several_same_words_is_looked_at_in_its_own_place() -> None:
    said = row("a", ["x"], "no no no")
    assert cited_words(footnoted(said, "no", unsupported=[(3, 5)])) == (2, 3)


# What the confidence is worth


def test_confidences_are_judged_by_exact_matches_of_best_answers() -> None:
    rows = [RIGHT, HELD, WRONG, FOOLED, REFUSED]
    said, right = [0.9, 0.2, 0.8, 0.7, 0.1], [True, True, False, False, False]
    assert value(rows, "ece") == metrics.expected_calibration_error(said, right)
    assert value(rows, "brier") == pytest.approx((0.1**2 + 0.8**2 + 0.8**2 + 0.7**2 + 0.1**2) / 5)
    assert value(rows, "auroc") == (3 + 1) / (2 * 3)  # 0.9 beats all three wrong ones, 0.2 beats 0.1
    assert value(rows, "aurc") == pytest.approx((0 / 1 + 1 / 2 + 2 / 3 + 2 / 4 + 3 / 5) / 5)
    assert value(rows, "coverage@precision=0.9") == 1 / 5
    assert value(rows, "coverage@precision=0.9, answerable") == 1 / 3
    assert value(rows, "coverage@precision=0.5", 0.5) == 4 / 5  # two of the four surest are right
    assert value(rows, "coverage@precision=0.5, answerable", 0.5) == 3 / 3


def test_what_said_nothing_promised_nothing_but_counts_as_not_covered() -> None:
    assert value([RIGHT, SILENT], "brier") == pytest.approx(0.01)
    assert value([RIGHT, SILENT], "coverage@precision=0.9") == 1 / 2


def test_a_lenient_criterion_has_its_own_scores() -> None:
    assert value([NEAR, RIGHT], "brier") == pytest.approx((0.6**2 + 0.1**2) / 2)
    assert value([NEAR, RIGHT], "brier (f1>=0.5)") == pytest.approx((0.4**2 + 0.1**2) / 2)


rows_of_all_sorts = st.lists(
    st.builds(
        lambda said, golds, answered, sure: row("q", golds, said, answered=answered and bool(said), confidence=sure),
        st.sampled_from(["", "Paris", "the Paris", "old Paris", "Rome"]),
        st.sampled_from([[], ["Paris"], ["old Paris", "Lyon"]]),
        st.booleans(),
        st.floats(0, 1),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=15)
@given(rows_of_all_sorts)
def test_scores_are_shares_with_intervals(rows: list[Row]) -> None:
    scores = answer_scores(rows, resamples=20)
    for name, score in scores.items():
        assert math.isnan(score.value) or 0 <= score.value <= 1, name
        assert math.isnan(score.low) or score.low <= score.high, name


@settings(deadline=None, max_examples=10)
@given(rows_of_all_sorts)
def test_the_same_rows_have_the_same_scores_to_the_last_digit(rows: list[Row]) -> None:
    assert repr(answer_scores(rows, resamples=20)) == repr(answer_scores(list(rows), resamples=20))


def test_a_share_has_the_interval_of_its_bootstrap() -> None:
    rows = [replace(RIGHT if number % 2 else WRONG, id=str(number)) for number in range(100)]
    score = answer_scores(rows, resamples=400)["em"]
    assert score.value == 0.5
    # Of a hundred, the standard error is sqrt(0.25 / 100) = 0.05.
    assert score.low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.02)
    assert score.high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.02)


def test_an_answer_lies_at_its_offsets_when_all_its_words_are_copied() -> None:
    copied = row("a", said="Paris")
    assert value([copied], "offsets") == 1.0
    moved = replace(copied, spans=(replace(copied.spans[0], start=0, end=5),))
    assert value([moved, copied], "offsets") == 1 / 2
    written = replace(copied, said="Paris, I think")
    assert value([written, row("b")], "offsets") == 0.0  # what said nothing does not count
    joined = row("c", said="Paris")
    joined = replace(joined, said="Paris - 1889.", spans=(*joined.spans, Cited(0, 48, 52, "1889")))
    assert TOWER[48:52] == "1889"
    assert value([joined], "offsets") == 1.0


def test_an_answer_helps_that_holds_a_gold_one_and_so_does_a_refusal_where_there_is_none() -> None:
    rows = [row("a", said="in Paris"), row("b", said="Rome"), row("c", []), row("d", [], said="Rome"), row("e")]
    assert value(rows, "helpful") == 2 / 5


def test_what_a_generator_promises_is_measured_at_its_own_threshold() -> None:
    rows = [
        row("a", said="Paris", confidence=0.9),
        row("b", said="Rome", confidence=0.8),
        row("c", said="Paris", confidence=0.3, answered=False),
        row("d", [], said="Rome", confidence=0.85),
    ]
    found = {name: score.value for name, score in answer_scores(rows, resamples=20, promised=0.7).items()}
    assert found["answered@max_error=0.1"] == 3 / 4
    assert found["answered@max_error=0.1, answerable"] == 2 / 3
    assert found["precision@max_error=0.1"] == 1 / 3
    assert "precision@max_error=0.1 (f1>=0.5)" in found
    assert not any("max_error" in name for name in answer_scores(rows, resamples=20))


def test_kinds_of_questions_have_their_own_numbers() -> None:
    rows = [
        row("a", said="Paris", kind="direct", sources=["tower.md"]),
        row("b", said="Rome", kind="direct", sources=["rome.md"]),
        row("c", [], kind="far"),
    ]
    found = by_kind(rows)
    assert {kind: n for kind, (n, _) in found.items()} == {"direct": 2, "far": 1, "all answerable": 2}
    assert found["direct"][1]["source_recall"] == found["direct"][1]["helpful"] == 1 / 2
    assert found["direct"][1]["em"] == 1 / 2
    assert found["far"][1]["helpful"] == 1.0
    assert math.isnan(found["far"][1]["f1"])
    assert by_kind(rows[:2]) == {}


# Speed


def test_latencies_are_those_of_questions_that_were_asked_alone() -> None:
    alone = [row(str(n), timings={"embed": 1.0, "generate": float(n)}) for n in range(11)]
    found = speed([*alone, row("batched")], [Receipt(8, 1, 6, 2.0, 300.0), Receipt(4, 1, 4, 3.0, 400.0)])
    assert found["asked_alone"] == 11
    assert found["latency_ms"]["generate"] == {"p50": 5.0, "p95": 9.5}
    assert found["latency_ms"]["embed"] == {"p50": 1.0, "p95": 1.0}
    assert found["latency_ms"]["ask"] == {"p50": 6.0, "p95": 10.5}
    assert found["questions_per_second"] == (6 + 4) / (2 + 3)
    assert found["batch_speedup"] == round(2 * 0.006, 2)  # alone, a question takes 6 ms on average
    assert found["peak_memory_mb"] == 400.0


def test_what_was_not_measured_is_absent() -> None:
    assert speed([row("a")], []) == {}
    assert speed([row("a")], [Receipt(1, 1)]) == {"peak_memory_mb": 0.0}


def test_scores_match_the_plain_definition_on_many_rows() -> None:
    chance = np.random.default_rng(3)
    golds = [["Paris"], ["old Paris", "Lyon"], []]
    rows = [
        row(
            str(n),
            golds[chance.integers(3)],
            ["Paris", "Lyon", "Rome", ""][chance.integers(4)],
            confidence=chance.random(),
        )
        for n in range(200)
    ]
    assert value(rows, "em") == pytest.approx(
        sum(metrics.exact_match(each.said if each.answered else "", each.answers) for each in rows) / 200
    )
    refused = [each for each in rows if not each.answered]
    assert value(rows, "refusal_precision") == pytest.approx(sum(not each.answers for each in refused) / len(refused))
