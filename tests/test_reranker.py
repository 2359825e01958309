from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.encoders import precision
from indexer.errors import EncoderError
from indexer.types import Hit
from rag import Engine
from rag.evaluation.data import RetrievalSet
from rag.evaluation.retrieval import ARMS, evaluate_retrieval
from rag.reranking.conversion import calibration_pairs, converted_folder, likeness_of_scores
from rag.reranking.cross_encoder import open_cross_encoder
from rag.reranking.folder import read_reranker
from rag.reranking.reranker import NONE, blended, lasting_reranker, open_reranker, prepare_reranker
from tests.small_reranker import write_small_reranker
from tests.worlds import collection_of


@dataclass
class Longest:
    """Prefers the longest text, and remembers what it was asked."""

    depth: int = 3
    weight: float = 1.0
    name: str = "longest"
    asked: list[str] = field(default_factory=list)

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        self.asked += texts
        return [float(len(text)) for text in texts]


HITS = [Hit(1, 9.0), Hit(2, 7.0), Hit(3, 5.0), Hit(4, 1.0)]


def test_with_all_the_say_the_reranker_alone_orders_what_it_was_asked_about() -> None:
    found = blended(HITS, {1: 0.1, 2: 0.3, 3: 0.2}, 1.0)
    assert [hit.chunk_id for hit in found] == [2, 3, 1, 4]


def test_without_a_say_it_changes_no_order() -> None:
    assert [hit.chunk_id for hit in blended(HITS, {1: 0.1, 2: 0.3, 3: 0.2}, 0.0)] == [1, 2, 3, 4]


def test_half_a_say_adds_standard_scores() -> None:
    """Search: 9, 7, 5 are 1.22, 0, -1.22 deviations from their mean; reranker: 0, 3, 0 are -0.71, 1.41, -0.71."""
    found = blended(HITS, {1: 0.0, 2: 3.0, 3: 0.0}, 0.5)
    assert [hit.chunk_id for hit in found] == [2, 1, 3, 4]
    assert found[0].score - found[1].score == pytest.approx((0 + 1.4142 - 1.2247 + 0.7071) / 2, abs=1e-3)


def test_a_reranker_that_says_the_same_of_all_leaves_the_order() -> None:
    assert [hit.chunk_id for hit in blended(HITS, dict.fromkeys((1, 2, 3), 4.0), 0.9)] == [1, 2, 3, 4]


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8), st.floats(0, 1), st.integers(1, 8))
def test_scores_fall_from_first_to_last_and_nothing_is_lost(scores: list[float], weight: float, asked: int) -> None:
    ranking = [Hit(number, -float(number)) for number in range(len(scores))]
    found = blended(ranking, dict(enumerate(scores[:asked])), weight)
    assert {hit.chunk_id for hit in found} == set(range(len(scores)))
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


def test_a_search_asks_about_no_more_than_the_best(tmp_path: Path) -> None:
    reranker = Longest(depth=2)
    found = Engine(collection_of(tmp_path), reranker=reranker).search("green tea and books")
    assert len(reranker.asked) == 2
    assert found[0].text in max(reranker.asked, key=len)


def test_only_a_hybrid_search_is_reranked(tmp_path: Path) -> None:
    reranker = Longest()
    engine = Engine(collection_of(tmp_path), reranker=reranker)
    engine.search("green tea", mode="dense")
    engine.search("green tea", mode="words")
    assert reranker.asked == []


def test_a_question_reads_passages_in_the_rerankers_order(tmp_path: Path) -> None:
    engine = Engine(collection_of(tmp_path), "quoting", Longest(depth=4))
    (reading,) = engine.read_many(["When does the library open?"], 4)
    assert reading.passages[0].source.endswith("bees.txt")  # the longest, though the library is asked about


def test_without_a_name_the_collections_choice_is_taken_and_none_leaves_it_out(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    assert open_reranker(None, collection) is None
    folder = write_small_reranker(tmp_path / "reranker")
    collection.choose_reranker(lasting_reranker(str(folder)))
    opened = open_reranker(None, collection)
    assert opened is not None
    assert (opened.name, opened.depth, opened.weight) == (str(folder), 3, 1.0)
    assert open_reranker(NONE, collection) is None
    collection.choose_reranker(lasting_reranker(NONE))
    assert collection.reranker is None


def test_what_is_remembered_survives_a_rebuild(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    collection.choose_reranker("/models/one")
    collection.sync([], rebuild=True)
    assert collection.reranker == "/models/one"


def test_a_folder_that_holds_no_reranker_is_refused_before_it_is_remembered(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="There is no reranker in"):
        lasting_reranker(str(tmp_path))


def test_a_reranker_that_is_gone_is_told_of_and_does_not_stop_the_indexing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    collection = collection_of(tmp_path)
    collection.choose_reranker(str(tmp_path / "gone"))
    prepare_reranker(collection)
    assert "There is no reranker in" in caplog.text
    with pytest.raises(EncoderError, match="There is no reranker in"):
        Engine(collection).search("green tea")
    assert Engine(collection, reranker=NONE).search("green tea")


def test_an_evaluation_of_the_search_has_an_arm_more_with_a_reranker(tmp_path: Path) -> None:
    collection = collection_of(tmp_path)
    gold = collection.resolve("bees.txt")
    asked = RetrievalSet("bees", "0", None, {"q": "when does the library open"}, {"q": {gold: 1}})
    assert {row.arm for row in evaluate_retrieval(asked, collection).rows} == {*ARMS}
    found = evaluate_retrieval(asked, collection, reranker=Longest(depth=4))
    ranking = {row.arm: [source for source, _ in row.ranking] for row in found.rows}
    assert ranking["hybrid"][0] != gold
    assert ranking["reranked"][0] == gold  # the longest text, whatever is asked
    assert found.scores["reranked"]["mrr@10"].value == 1.0


def test_the_likeness_of_scores_is_their_correlation_on_average() -> None:
    truth = [[np.array([0.0, 2.0])], [np.array([4.0])]]  # standard deviation sqrt(8/3)
    assert likeness_of_scores(truth, truth) == [1.0, 1.0, 1.0]
    found = [[np.array([0.0, 3.0])], [np.array([2.0])]]
    assert likeness_of_scores(truth, found) == pytest.approx([1.0, 1 - 3 / 8 / 2, 1 - 4 * 3 / 8 / 2])


def test_scores_that_are_all_the_same_are_compared_without_a_spread() -> None:
    same = [[np.array([1.0, 1.0])]]
    assert likeness_of_scores(same, same) == [1.0, 1.0]
    assert max(likeness_of_scores(same, [[np.array([1.1, 0.9])]])) < 0


def test_calibration_pairs_are_answered_and_not() -> None:
    passage = "The pump was replaced on 3 March 2021 by a new one."
    assert calibration_pairs(["Who?"], [passage]) == [
        ("Who?", passage),
        ("The pump was replaced on 3 March 2021", "by a new one."),
    ]


def test_a_reranker_runs_in_eight_bits_where_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(precision.VARIABLE, raising=False)
    path = write_small_reranker(tmp_path / "small")
    single = open_cross_encoder(path, tmp_path, precision="fp32")
    assert single.precision == "fp32"
    eight = open_cross_encoder(path, tmp_path / "other", precision="int8")  # so small a model has them only if asked
    assert eight.precision == "int8"
    measured = precision.read(converted_folder(read_reranker(path), tmp_path / "other"))
    assert measured is not None
    assert set(measured.rates) >= {"fp32", "int8"}
    texts = ["a pump", "the bees dance", "tea at eighty degrees", "a library", "nine"]
    one, other = single.scores("the pump", texts), eight.scores("the pump", texts)
    assert one != other
    assert np.corrcoef(one, other)[0, 1] > 0.95
