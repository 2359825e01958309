"""Rankings and their scores: values worked by hand, an obvious slow version, and searching from end to end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.collection import Collection
from indexer.errors import Busy
from indexer.sync import Given
from indexer.types import Hit
from rag.engine import Engine
from rag.evaluation.data import DataFaults, RetrievalSet
from rag.evaluation.retrieval import (
    ARMS,
    MEASURES,
    document_ranking,
    evaluate_retrieval,
    latencies,
    query_scores,
    rankings,
    retrieval_scores,
)
from rag.evaluation.rows import RetrievalRow
from tests.worlds import WordEncoder, collection_of


def row(found: Sequence[str], relevant: Mapping[str, int], query: str = "q", arm: str = "words") -> RetrievalRow:
    scored = tuple((document, 1.0 - place / 1000) for place, document in enumerate(found))
    return RetrievalRow(query, arm, scored, relevant)


# Rankings


def test_a_document_has_the_place_and_the_score_of_its_best_chunk() -> None:
    hits = [Hit(4, 0.9), Hit(1, 0.8), Hit(5, 0.7), Hit(2, 0.6), Hit(9, 0.5)]
    sources = {4: "/x/b", 5: "/x/b", 1: "/x/a", 2: "/x/a", 9: "/x/c"}
    assert document_ranking(hits, sources, {"/x/a": "a"}) == (("/x/b", 0.9), ("a", 0.8), ("/x/c", 0.5))
    assert document_ranking(hits, sources, {}, most=1) == (("/x/b", 0.9),)
    assert document_ranking([], {}, {}) == ()


# Scores


def test_what_each_measure_counts() -> None:
    """Judged: a 2, b 1, c 1, d 0. Found: d, a, x, b, and c not at all."""
    found = query_scores([row(["d", "a", "x", "b"], {"a": 2, "b": 1, "c": 1, "d": 0})])
    gained = 2 / math.log2(3) + 1 / math.log2(5)
    best = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    expected = {
        "ndcg@10": gained / best,
        "recall@10": 2 / 3,
        "recall@100": 2 / 3,
        "mrr@10": 1 / 2,
        "map": (1 / 2 + 2 / 4) / 3,
        "p@10": 2 / 10,
    }
    assert {name: values["q"] for name, values in found.items()} == pytest.approx(expected)


def test_the_eleventh_counts_only_for_what_goes_further() -> None:
    (values,) = [
        {name: each["q"] for name, each in query_scores([row([*"abcdefghij", "k"], {"k": 1})]).items()},
    ]
    assert values == pytest.approx(
        {"ndcg@10": 0, "recall@10": 0, "recall@100": 1, "mrr@10": 0, "map": 1 / 11, "p@10": 0}
    )


def test_a_query_that_finds_nothing_scores_nothing_and_still_counts() -> None:
    rows = [row(["a"], {"a": 1}, "q1"), row([], {"a": 1}, "q2"), row(["a"], {"a": 0}, "q3")]
    scores = query_scores(rows)
    assert scores["recall@10"] == {"q1": 1.0, "q2": 0.0, "q3": 0.0}
    assert scores["ndcg@10"] == {"q1": 1.0, "q2": 0.0, "q3": 0.0}
    assert retrieval_scores(rows)["words"]["mrr@10"].value == pytest.approx(1 / 3)


def test_nothing_at_all_found_scores_nothing() -> None:
    found = query_scores([row([], {"a": 1})])
    assert found == {name: {"q": 0.0} for name in MEASURES}


def test_documents_of_equal_score_keep_their_order() -> None:
    """trec_eval puts equal scores into the order of their ids, the last first; then "b" would be counted first."""
    tied = RetrievalRow("q", "words", (("a", 0.5), ("b", 0.5)), {"a": 1})
    assert query_scores([tied])["mrr@10"] == {"q": 1.0}


def test_a_grade_below_zero_is_not_relevant() -> None:
    found = query_scores([row(["a", "b"], {"a": -2, "b": 1})])
    assert found["mrr@10"]["q"] == 1 / 2
    assert found["ndcg@10"]["q"] == pytest.approx(1 / math.log2(3))


def test_each_arm_is_scored_by_itself_with_an_interval_over_queries() -> None:
    rows = [row(["a"] if n % 2 else ["b"], {"a": 1}, f"q{n}") for n in range(40)]
    rows += [row(["a"], {"a": 1}, f"q{n}", "dense") for n in range(40)]
    scores = retrieval_scores(rows)
    assert list(scores) == ["words", "dense"]
    assert list(scores["words"]) == ["ndcg@10", "recall@10", "recall@100", "mrr@10", "map", "p@10"]
    score = scores["words"]["recall@10"]
    assert score.value == 0.5
    assert 0.3 < score.low < 0.45
    assert 0.55 < score.high < 0.7
    assert scores["dense"]["recall@10"].to_json() == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_measuring_leaves_the_rows_and_gives_the_same_digits_again() -> None:
    rows = [row(["b", "a"], {"a": 1, "b": n % 2}, f"q{n}") for n in range(9)]
    before = [each.to_json() for each in rows]
    assert retrieval_scores(rows) == retrieval_scores(RetrievalRow.from_json(each.to_json()) for each in rows)
    assert [each.to_json() for each in rows] == before


documents = st.sampled_from([f"d{number}" for number in range(14)])
judged = st.tuples(
    st.lists(documents, unique=True, max_size=14), st.dictionaries(documents, st.integers(-1, 3), min_size=1)
)


def slow(found: Sequence[str], relevant: Mapping[str, int]) -> dict[str, float]:
    """Return the measures as their formulas say, one document at a time."""
    gains = [max(0, relevant.get(document, 0)) for document in found]
    ideal = sorted((max(0, grade) for grade in relevant.values()), reverse=True)
    total = sum(gain > 0 for gain in ideal)
    if not total:
        return dict.fromkeys(MEASURES, 0.0)

    def discounted(values: Sequence[int]) -> float:
        return sum(value / math.log2(rank + 1) for rank, value in enumerate(values[:10], 1))

    places = [rank for rank, gain in enumerate(gains, 1) if gain > 0]
    return {
        "ndcg@10": discounted(gains) / discounted(ideal),
        "recall@10": sum(rank <= 10 for rank in places) / total,
        "recall@100": sum(rank <= 100 for rank in places) / total,
        "mrr@10": 1 / places[0] if places and places[0] <= 10 else 0.0,
        "map": sum(number / rank for number, rank in enumerate(places, 1)) / total,
        "p@10": sum(rank <= 10 for rank in places) / 10,
    }


@settings(deadline=None)  # the first one loads ir_measures
@given(st.lists(judged, min_size=1, max_size=4))
def test_the_measures_are_what_their_formulas_say(queries: list[tuple[list[str], dict[str, int]]]) -> None:
    rows = [row(found, relevant, f"q{number}") for number, (found, relevant) in enumerate(queries)]
    scores = query_scores(rows)
    for number, (found, relevant) in enumerate(queries):
        ours = {name: values[f"q{number}"] for name, values in scores.items()}
        assert ours == pytest.approx(slow(found, relevant), abs=1e-6)


def test_latencies_are_told_by_arm() -> None:
    rows = [RetrievalRow(str(n), "dense", (), {}, {"embed": 1.0, "dense": float(n)}) for n in range(1, 101)]
    assert latencies(rows) == {"dense": {"p50": pytest.approx(51.5), "p95": pytest.approx(96.05)}}


# From end to end

WORLD = RetrievalSet(
    name="world",
    sha256="",
    corpus=None,
    queries={"tea": "How hot is green tea?", "bees": "Why do bees dance?", "nine": "When does the library open?"},
    judgements={"tea": {"deep/tea.md": 2}, "bees": {"bees.txt": 1}, "nine": {"library.md": 1, "pump.md": 0}},
)


@pytest.fixture
def world(tmp_path: Path) -> Collection:
    return collection_of(tmp_path)


def test_every_arm_is_asked_and_the_fusion_is_of_both(world: Collection) -> None:
    found = evaluate_retrieval(WORLD, world)
    assert [(each.query_id, each.arm) for each in found.rows] == [
        (query, arm) for query in WORLD.queries for arm in ARMS
    ]
    assert found.n == 3
    by_id = {each.id: each for each in found.rows}
    assert by_id["tea words"].ranking[0][0] == "deep/tea.md"
    assert by_id["nine words"].relevant == {"library.md": 1, "pump.md": 0}
    assert set(by_id["tea dense"].timings_ms) == {"embed", "dense"}
    assert set(by_id["tea hybrid"].timings_ms) == {"embed", "words", "dense", "fuse"}
    for measure in MEASURES:
        assert 0 <= found.scores["hybrid"][measure].value <= 1
    assert found.scores["words"]["recall@10"].value == 1.0
    assert found.scores == retrieval_scores(found.rows)
    assert set(found.speed) == set(ARMS)


@pytest.mark.parametrize("arm", ARMS)
def test_a_ranking_is_that_of_search(world: Collection, tmp_path: Path, arm: str) -> None:
    engine = Engine(world)
    ours = {each.id: each for each in evaluate_retrieval(WORLD, world).rows}
    for query, text in WORLD.queries.items():
        searched = dict.fromkeys(each.source for each in engine.search(text, 50, mode=arm))  # type: ignore[arg-type]
        named = [source.removeprefix(f"{tmp_path / 'files'}/") for source in searched]
        judged = {name for grades in WORLD.judgements.values() for name in grades}
        ranking = [document for document, _ in ours[f"{query} {arm}"].ranking]
        assert ranking == [short if short in judged else long for short, long in zip(named, searched, strict=True)]


def test_a_run_that_was_cut_short_goes_on_with_the_queries_that_are_missing(world: Collection) -> None:
    whole = evaluate_retrieval(WORLD, world)
    kept: list[RetrievalRow] = []
    again = evaluate_retrieval(WORLD, world, done=whole.rows[:5], keep=kept.extend)  # of the second, one arm is missing
    assert [each.id for each in kept] == [f"{query} {arm}" for query in ("bees", "nine") for arm in ARMS]
    assert again.rows[:3] == whole.rows[:3]
    assert again.scores == whole.scores


def test_what_is_done_already_is_not_asked_again(world: Collection) -> None:
    done = list(rankings(WORLD, world))
    assert [len(rows) for rows in done] == [3 * len(ARMS)]
    assert list(rankings(WORLD, world, done=set(WORLD.queries))) == []


def test_progress_is_told_by_query(world: Collection) -> None:
    seen: list[tuple[str, int, int]] = []

    def progress(what: str, done: int, total: int) -> None:
        seen.append((what, done, total))

    list(rankings(WORLD, world, done={"tea"}, progress=progress))
    assert seen == [("queries", 1, 3), ("queries", 3, 3)]


def test_a_judged_document_that_is_not_in_the_collection_is_told_before_any_query(world: Collection) -> None:
    unknown = RetrievalSet("x", "", None, {"q": "Why?"}, {"q": {"coffee.md": 1}})
    with pytest.raises(DataFaults, match=r"coffee\.md: source that is no document of the collection"):
        next(rankings(unknown, world))


def test_a_collection_that_changes_meanwhile_is_not_measured(tmp_path: Path) -> None:
    """Half of the rankings would be of other documents than the other half."""
    world = collection_of(tmp_path)
    queries = {str(number): "Why do bees dance?" for number in range(65)}
    many = RetrievalSet("many", "", None, queries, {key: {"bees.txt": 1} for key in queries})
    asked = rankings(many, world)
    assert len(next(asked)) == 64 * len(ARMS)
    Collection("world", tmp_path, encoder=WordEncoder()).add([Given("new", "Wasps sting.")])
    with pytest.raises(Busy, match="Collection 'world' changed while it was measured"):
        next(asked)


def test_a_query_longer_than_what_is_read_is_cut(world: Collection) -> None:
    long = RetrievalSet("long", "", None, {"q": "bees dance " * 1000}, {"q": {"bees.txt": 1}})
    assert evaluate_retrieval(long, world).scores["words"]["mrr@10"].value == 1.0
