from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.numpy import load_file

from finetune.card import Source
from finetune.copying.negatives import passage_id
from finetune.questions import Question
from finetune.retrieval.mining import Mined
from finetune.retrieval.pairs import Pairs
from finetune.retrieval.ranking import ndcg
from finetune.retrieval.reranker import Options, begun_with, blends, fitted_weight, groups_of, train_reranker
from finetune.retrieval.reranker_run import _reading, cross_encoder
from finetune.schedule import Keeping, Schedule
from indexer.errors import EncoderError, UsageError
from rag.copying.folder import SHIPPED
from rag.copying.layout import Tokens
from rag.copying.model import CopyingConfig, CopyingModel
from rag.reranking.folder import read_reranker
from tests.small_encoder import write_small_encoder
from tests.small_generator import small_config, small_model, write_generator
from tests.small_pairs import write_pairs
from tests.small_reranker import write_small_reranker
from tests.small_static import write_small_static


@pytest.fixture(scope="module")
def searched_by(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an encoder that needs no conversion: here it only finds the negatives."""
    return write_small_static(tmp_path_factory.mktemp("models") / "static")


@pytest.fixture(scope="module")
def base(searched_by: Path) -> Path:
    return write_small_reranker(searched_by.with_name("base"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def options(encoder: Path, base: Path | None, **others: object) -> Options:
    made = Options(
        encoder=str(encoder), base=str(base) if base else None,
        steps=4, batch_size=4, held_out=0.3, max_tokens=48, depth=5, validation=6,
        schedule=Schedule(lr=1e-3, new_lr=1e-3, warmup=1),
        keeping=Keeping(save_every=2, validate_every=2, log_every=1), device="cpu",
    )  # fmt: skip
    return replace(made, **others)  # type: ignore[arg-type]


def test_what_is_trained_is_a_reranker_with_a_fitted_say(
    searched_by: Path, base: Path, home: Path, tmp_path: Path
) -> None:
    source = Source(write_pairs(tmp_path / "pairs.jsonl"))
    trained = train_reranker([source], tmp_path / "out", options(searched_by, base), home=home)
    folder = read_reranker(trained.folder)
    assert (folder.use.max_length, folder.use.depth) == (48, 5)
    assert folder.fingerprint(home) != read_reranker(base).fingerprint(home)
    assert trained.validation["both"] >= max(trained.validation["search"], trained.validation["reranker alone"])
    assert source.sha256 in (trained.folder / "README.md").read_text()
    assert (trained.folder / "training" / "held-out.jsonl").exists()


def test_it_begins_with_the_layers_of_an_encoder(tmp_path: Path) -> None:
    folder = write_small_encoder(tmp_path / "encoder")
    model = cross_encoder(folder, 0)
    weights = load_file(folder / "model.safetensors")
    name = "encoder.layer.1.output.dense.weight"
    assert torch.equal(model.bert.get_parameter(name), torch.from_numpy(weights[name]))
    assert model.config.num_labels == 1


def test_it_begins_with_the_layers_of_a_copying_generator(searched_by: Path, home: Path, tmp_path: Path) -> None:
    encoder = write_small_encoder(tmp_path / "encoder")
    vocabulary = len(Tokens(encoder / "tokenizer.json").never_written())
    reader = small_model(small_config(vocabulary), seed=5)
    folder = write_generator(tmp_path / "reader", reader, encoder / "tokenizer.json")
    model = cross_encoder(folder, 0)
    name = "encoder.layer.1.output.dense.weight"
    halved = reader.encoder.get_parameter(name).half().float()  # as it was saved
    assert torch.equal(model.bert.get_parameter(name), halved)
    source = Source(write_pairs(tmp_path / "pairs.jsonl"))
    trained = train_reranker([source], tmp_path / "out", options(searched_by, folder), home=home)
    assert read_reranker(trained.folder).use.depth == 5
    assert (trained.folder / "tokenizer.json").read_bytes() == (encoder / "tokenizer.json").read_bytes()


def test_by_default_it_begins_with_the_shipped_generator_where_the_tokens_are_its_own(tmp_path: Path) -> None:
    assert begun_with(Options()) == SHIPPED
    other = write_small_encoder(tmp_path / "encoder")
    assert begun_with(Options(encoder=str(other))) == other
    assert begun_with(Options(base=str(other))) == other


def test_a_run_that_was_cut_short_comes_to_the_same_weights(
    searched_by: Path, base: Path, home: Path, tmp_path: Path
) -> None:
    class Enough(Exception):
        pass

    def stop(what: str, done: int, total: int) -> None:
        if what == "training" and done == 3:
            raise Enough

    source = Source(write_pairs(tmp_path / "pairs.jsonl"))
    with pytest.raises(Enough):
        train_reranker([source], tmp_path / "cut", options(searched_by, base), home=home, progress=stop)
    for name in ("cut", "whole"):
        train_reranker([source], tmp_path / name, options(searched_by, base), home=home)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("cut", "whole")]
    assert weights[0] == weights[1]


def test_the_layers_of_an_mpnet_are_refused(tmp_path: Path) -> None:
    settings = {"model_type": "mpnet", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1}
    CopyingModel(CopyingConfig(encoder=settings, writes=False)).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="is an MPNet"):
        _reading(tmp_path, None)


def test_a_base_without_layers_is_refused(searched_by: Path, tmp_path: Path) -> None:
    for base in (None, searched_by):
        with pytest.raises(EncoderError, match="is a static encoder"):
            begun_with(options(searched_by, base))
    with pytest.raises(EncoderError, match="no reranker"):
        begun_with(options(searched_by, tmp_path))


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

    ranks = blends(knowing, pairs.held, found, pairs, 3)
    assert ndcg(ranks[0.0]) == pytest.approx(100 * (0.5 + 0.6309 + 1) / 3, abs=0.01)
    assert ranks[1.0] == [1, 1, 1]


def test_the_least_say_is_taken_that_is_as_good_as_the_best() -> None:
    """Where two of 20 questions gain and one loses, that may be chance; where all of them gain, it is none."""
    assert fitted_weight({0.0: [2, 2, 1] + [1] * 17, 1.0: [1, 1, 2] + [1] * 17}) == 0.0
    assert fitted_weight({0.0: [2] * 20, 0.5: [1] * 20, 1.0: [1] * 20}) == 0.5
    assert fitted_weight({0.0: [2] * 20, 0.5: [2] * 20, 1.0: [1] * 20}) == 1.0
