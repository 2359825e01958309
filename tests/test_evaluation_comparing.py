import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import UsageError
from rag.evaluation.comparing import Comparison, compare_answers, compare_rankings, compare_runs
from rag.evaluation.rows import RetrievalRow, Row
from rag.evaluation.runs import RunFolder
from rag.evaluation.scores import answer_scores
from tests.evaluation_rows import ranked, row

patient = settings(deadline=None, max_examples=4)


def run(n: int, right: Callable[[int], bool]) -> list[Row]:
    return [row(f"q{i:03}", said="Paris" if right(i) else "330 metres", confidence=0.5 + i % 5 / 10) for i in range(n)]


def difference(found: Comparison, measure: str) -> tuple[float, float, str]:
    each = {each.measure: each for each in found.differences}[measure]
    return each.effect.difference.value, each.p, each.verdict()


def test_a_planted_regression_is_caught() -> None:
    """One question in ten, of those that were right, goes wrong."""
    before, after = run(100, lambda i: i % 2 == 0), run(100, lambda i: i % 2 == 0 and i % 10 != 0)
    found = compare_answers(before, after)
    assert found.verdict == "worse"
    effect, p, verdict = difference(found, "em")
    assert effect == pytest.approx(-0.1)
    assert p == pytest.approx(2 / 2**10)  # ten lost and none gained, gone through one by one
    assert verdict == "worse"
    assert (len(found.lost), len(found.gained), found.both_right, found.both_wrong) == (10, 0, 40, 50)


def test_the_other_way_round_it_is_better() -> None:
    before, after = run(100, lambda i: i % 2 == 0 and i % 10 != 0), run(100, lambda i: i % 2 == 0)
    found = compare_answers(before, after)
    assert found.verdict == "better"
    assert difference(found, "em")[0] == pytest.approx(0.1)


def test_a_run_is_no_different_from_itself() -> None:
    rows = run(60, lambda i: i % 3 == 0)
    found = compare_answers(rows, rows)
    assert found.verdict == "no difference shown"
    for each in found.differences:
        assert each.p == 1.0, each.measure
        assert each.effect.difference.value == each.effect.difference.low == each.effect.difference.high == 0
    assert found.gained == found.lost == ()


def test_a_change_that_moves_as_many_up_as_down_is_not_flagged() -> None:
    before, after = run(100, lambda i: i % 4 < 2), run(100, lambda i: i % 4 in (1, 2))
    found = compare_answers(before, after)
    assert found.verdict == "no difference shown"
    assert (len(found.gained), len(found.lost)) == (25, 25)
    assert difference(found, "f1")[:2] == (0.0, 1.0)


def test_one_lost_question_proves_nothing() -> None:
    before, after = run(50, lambda i: True), run(50, lambda i: i != 7)
    found = compare_answers(before, after)
    assert difference(found, "em")[1] == 1.0  # both signs of one pair are as far from zero
    assert found.verdict == "no difference shown"
    assert [flip.id for flip in found.lost] == ["q007"]


def test_flips_tell_what_was_said_before_and_after() -> None:
    before = [row("a", said="Paris"), row("b", said="330"), row("c", said="Paris")]
    after = [row("a", said="Paris", answered=False), row("b", said="Paris"), row("c", [], "Paris")]
    with pytest.raises(UsageError, match=r"1 with another text or other gold answers \('c'\)"):
        compare_answers(before, after)
    found = compare_answers([*before[:2], row("u", [])], [*after[:2], row("u", [], "Paris")])
    assert [(flip.id, flip.before, flip.after) for flip in found.lost] == [("a", "Paris", ""), ("u", "", "Paris")]
    assert [(flip.id, flip.before, flip.after) for flip in found.gained] == [("b", "330", "Paris")]


def test_where_every_question_has_an_answer_a_refusal_is_no_flip() -> None:
    """As in the scores: on SQuAD v1.1 it is the best answer that counts."""
    found = compare_answers([row("a", said="Paris")], [row("a", said="Paris", answered=False)])
    assert not found.lost
    assert difference(found, "em")[0] == 0


def test_runs_over_other_questions_are_not_compared() -> None:
    rows = run(6, lambda i: True)
    with pytest.raises(UsageError, match=r"6 and 4, of them 2 only in the first \('q004', 'q005'\)") as raised:
        compare_answers(rows, rows[:4])
    assert "--limit" in raised.value.hint
    with pytest.raises(UsageError, match=r"1 only in the first \('q000'\); 1 only in the second \('q005'\)"):
        compare_answers(rows[:5], rows[1:])
    changed = [replace(rows[0], question="Where is it not?"), *rows[1:]]
    with pytest.raises(UsageError, match=r"1 with another text or other gold answers \('q000'\)"):
        compare_answers(rows, changed)


def test_runs_without_questions_or_with_one_twice_are_not_compared() -> None:
    with pytest.raises(UsageError, match="no questions"):
        compare_answers([], [])
    with pytest.raises(UsageError, match="several rows for one question"):
        compare_answers([row("a"), row("a")], [row("a"), row("a")])


def test_a_verdict_may_hang_on_other_measures() -> None:
    """The quoted sentence holds the answer, and is no exact match: only F1 and EM fall."""
    before = run(30, lambda i: True)
    after = [row(f"q{i:03}", said="Eiffel Tower in Paris", confidence=0.5 + i % 5 / 10) for i in range(30)]
    assert compare_answers(before, after).verdict == "worse"
    assert compare_answers(before, after, deciding=["contains"]).verdict == "no difference shown"
    with pytest.raises(UsageError, match="no measure 'bleu'") as raised:
        compare_answers(before, after, deciding=["bleu"])
    assert "em, f1" in raised.value.hint


def test_a_measure_of_which_less_is_more_is_worse_when_it_grows() -> None:
    # Before, what is right is said with 0.9 and what is wrong with 0.1; after, the other way round.
    sure = [(i % 2 == 0, 0.9 if i % 2 == 0 else 0.1) for i in range(40)]
    before = [row(f"q{i}", said="Paris" if right else "330", confidence=c) for i, (right, c) in enumerate(sure)]
    after = [replace(each, confidence=1 - each.confidence) for each in before]
    found = compare_answers(before, after)
    effect, _, verdict = difference(found, "brier")
    assert effect == pytest.approx(0.81 - 0.01)
    assert verdict == "worse"
    assert difference(found, "auroc")[0] == -1.0
    assert found.verdict == "no difference shown"  # the answers are the same


def test_answering_more_is_neither_better_nor_worse() -> None:
    rows = [row(f"q{i:03}", said="Paris", answered=False) for i in range(20)]
    found = compare_answers(rows, [replace(each, answered=True) for each in rows])
    effect, p, verdict = difference(found, "answered")
    assert (effect, verdict) == (1.0, "no difference shown")
    assert p < 0.001


def test_several_deciding_measures_are_corrected_for_being_several() -> None:
    # Six lost and none gained: p = 2 / 2^6 = 0.031; of two measures together it is 0.0625.
    before, after = run(60, lambda i: True), run(60, lambda i: i % 10 != 0)
    assert compare_answers(before, after, deciding=["em"]).verdict == "worse"
    assert compare_answers(before, after, deciding=["em", "contains"]).verdict == "no difference shown"
    assert compare_answers(before, after, deciding=["em", "contains"], alpha=0.1).verdict == "worse"


def test_values_and_intervals_are_those_of_the_scores() -> None:
    chance = random.Random(5)
    rows = [*run(40, lambda i: chance.random() < 0.6), row("u", []), row("v", [], "Paris"), row("w", said="")]
    scores = answer_scores(rows)
    found = compare_answers(rows, [*run(40, lambda i: True), row("u", []), row("v", []), row("w", said="Paris")])
    for each in found.differences:
        assert each.effect.before.value == pytest.approx(scores[each.measure].value), each.measure
    assert found.differences[0].effect.before == scores["em"]


@patient
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_second_run_changes_nothing(chance: random.Random) -> None:
    before, after = run(12, lambda i: i % 3 == 0), run(12, lambda i: i % 4 == 0)
    shuffled = list(after)
    chance.shuffle(shuffled)
    assert compare_answers(before, shuffled).to_json() == compare_answers(before, after).to_json()


def test_its_json_form_is_json_and_gives_as_many_examples_as_wanted() -> None:
    found = compare_answers(run(30, lambda i: True), run(30, lambda i: i > 9))
    told = json.loads(json.dumps(found.to_json(3), allow_nan=False))
    assert told["verdict"] == "worse"
    assert told["flips"] == {"gained": 0, "lost": 10, "both_right": 20, "both_wrong": 0}
    assert [flip["id"] for flip in told["lost"]] == ["q000", "q001", "q002"]
    assert told["scores"]["em"]["before"] == {"value": 1.0, "low": 1.0, "high": 1.0}


# Searches


def searched(places: Sequence[int], arm: str = "hybrid") -> list[RetrievalRow]:
    """Return rankings in which the one relevant document stands at these ranks; 0 is nowhere."""
    others = [f"d{i}" for i in range(15)]
    return [
        ranked(f"q{i}", [*others[: place - 1], "gold", *others[place - 1 :]] if place else others, {"gold": 1}, arm)
        for i, place in enumerate(places)
    ]


def test_searches_are_compared_query_by_query() -> None:
    found = compare_rankings(searched([1, 2, 12, 0]), searched([1, 1, 2, 11]))
    # Reciprocal ranks: 1, 1/2, 0, 0 and 1, 1, 1/2, 0.
    effect, p, _ = difference(found, "mrr@10")
    assert effect == pytest.approx((2.5 - 1.5) / 4)
    assert p == 0.5  # two pairs moved, both up: two of four exchanges
    assert [(flip.id, flip.before, flip.after) for flip in found.gained] == [("q2", "rank 12", "rank 2")]
    assert found.verdict == "no difference shown"
    assert found.deciding == ("ndcg@10",)


def test_a_planted_regression_of_a_search_is_caught_and_a_no_op_is_not() -> None:
    before, after = searched([1, 2, 3] * 10), searched([2, 3, 4] * 10)
    assert compare_rankings(before, after).verdict == "worse"
    assert compare_rankings(before, before).verdict == "no difference shown"


def test_searches_with_other_judgements_are_not_compared() -> None:
    before, after = searched([1, 2]), searched([1, 2])
    after[1] = replace(after[1], relevant={"gold": 2})
    with pytest.raises(UsageError, match=r"1 with another text or other judgements \('q1'\)"):
        compare_rankings(before, after)


# Folders


def folder(path: Path, rows: Sequence[Row] | Sequence[RetrievalRow], command: str) -> RunFolder:
    made = RunFolder.create(path, {"command": command})
    with made.writing():
        made.append(rows)
    return made


def test_runs_are_compared_from_their_folders(tmp_path: Path) -> None:
    one = folder(tmp_path / "a", run(20, lambda i: True), "qa")
    other = folder(tmp_path / "b", run(20, lambda i: i > 9), "qa")
    assert compare_runs(one, other).verdict == "worse"
    search = folder(tmp_path / "c", searched([1]), "retrieval")
    with pytest.raises(UsageError, match=r"is a run of eval qa and .* one of eval retrieval"):
        compare_runs(one, search)


def test_two_arms_of_one_search_can_be_compared(tmp_path: Path) -> None:
    both = folder(tmp_path / "a", searched([2] * 12, "words") + searched([1] * 12, "dense"), "retrieval")
    assert compare_runs(both, both, arms=("words", "dense")).verdict == "better"
    with pytest.raises(UsageError, match="no questions"):
        compare_runs(both, both)
