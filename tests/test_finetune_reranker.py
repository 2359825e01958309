from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from finetune.card import Source
from finetune.copying.negatives import passage_id
from finetune.questions import Question
from finetune.retrieval.mining import Mined
from finetune.retrieval.pairs import Pairs
from finetune.retrieval.reranker import Options, blends, groups_of, train_reranker
from finetune.schedule import Keeping, Schedule
from indexer.errors import EncoderError, UsageError
from rag.reranking.cross_encoder import open_cross_encoder
from rag.reranking.folder import read_reranker
from tests.small_encoder import write_small_encoder
from tests.small_pairs import write_pairs


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_encoder(tmp_path_factory.mktemp("models") / "base", max_length=64)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def options(encoder: Path, **others: object) -> Options:
    made = Options(
        encoder=str(encoder), steps=4, batch_size=4, held_out=0.3, max_tokens=48, depth=5, validation=6,
        schedule=Schedule(lr=1e-3, new_lr=1e-3, warmup=1),
        keeping=Keeping(save_every=2, validate_every=2, log_every=1), device="cpu",
    )  # fmt: skip
    return replace(made, **others)  # type: ignore[arg-type]


def test_what_is_trained_reranks(base: Path, home: Path, tmp_path: Path) -> None:
    source = Source(write_pairs(tmp_path / "pairs.jsonl"))
    trained = train_reranker([source], tmp_path / "out", options(base), home=home)
    use = read_reranker(trained.folder).use
    assert (use.max_length, use.depth) == (48, 5)
    assert trained.validation["both"] >= max(trained.validation["search"], trained.validation["reranker alone"])
    assert len(open_cross_encoder(trained.folder, home).scores("Where is the pump?", ["In the yard.", "A cat."])) == 2
    assert source.sha256 in (trained.folder / "README.md").read_text()
    again = train_reranker([source], tmp_path / "again", options(base, base=str(trained.folder), steps=1), home=home)
    assert read_reranker(again.folder).fingerprint(home) != read_reranker(trained.folder).fingerprint(home)


def test_a_base_that_is_no_reranker_is_refused(base: Path, home: Path, tmp_path: Path) -> None:
    source = Source(write_pairs(tmp_path / "pairs.jsonl"))
    with pytest.raises(EncoderError, match="no reranker"):
        train_reranker([source], tmp_path / "out", options(base, base=str(base)), home=home)


def asked(number: int, passage: str) -> Question:
    return Question(str(number), f"question {number}", "", passage, (), "document")


def world() -> tuple[Pairs, dict[str, Mined]]:
    """Return three questions on passages a, b, c; for each the search finds c, b, a with the scores 3, 2, 1."""
    questions = [asked(number, passage) for number, passage in enumerate("abc")]
    pairs = Pairs(questions, questions, {passage_id(each.passage): each for each in questions})
    found = tuple((passage_id(passage), score) for passage, score in (("c", 3.0), ("b", 2.0), ("a", 1.0)))
    return pairs, {"0": Mined(found, (passage_id("c"),)), "1": Mined(found, ()), "2": Mined(found, (passage_id("b"),))}


def test_the_right_passage_comes_first_and_negatives_are_filled_up_from_the_batch() -> None:
    pairs, found = world()
    (group,) = groups_of(pairs, [[0, 1, 2]], found, 2)
    assert group == [("question 0", ["a", "c", "b"]), ("question 1", ["b", "c", "a"]), ("question 2", ["c", "b", "a"])]


def test_a_single_question_without_a_negative_is_nothing_to_learn_from() -> None:
    pairs, found = world()
    with pytest.raises(UsageError, match="No question has a wrong passage"):
        groups_of(pairs, [[1]], found, 2)


def test_each_say_is_scored() -> None:
    """The search puts a third, b second, c first: (0.5 + 0.6309 + 1) / 3; a reranker that knows puts each first."""
    pairs, found = world()

    def knowing(question: str, texts: Sequence[str]) -> list[float]:
        return [float(text == "abc"[int(question[-1])]) for text in texts]

    scores = blends(knowing, pairs.held, found, pairs, 3)
    assert scores[0.0] == pytest.approx(100 * (0.5 + 0.6309 + 1) / 3, abs=0.01)
    assert scores[1.0] == pytest.approx(100.0)
