from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from finetune.card import Source
from finetune.retrieval.encoder import Estimate, Options, train_encoder
from finetune.schedule import Keeping, Schedule
from indexer.collection import Collection
from indexer.encoder import open_encoder
from indexer.errors import UsageError
from indexer.sync import Given
from tests.small_encoder import write_small_encoder
from tests.small_pairs import write_pairs

KEEPING = Keeping(save_every=2, validate_every=3, log_every=1)
SCHEDULE = Schedule(lr=1e-3, new_lr=1e-3, warmup=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_encoder(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def options(base: Path, **others: object) -> Options:
    made = Options(
        encoder=str(base),
        steps=4,
        batch_size=4,
        held_out=0.3,
        keep=0.0,
        schedule=SCHEDULE,
        keeping=KEEPING,
        device="cpu",
    )
    return replace(made, **others)  # type: ignore[arg-type]


def test_what_is_trained_is_an_encoder_that_a_collection_can_be_indexed_with(
    base: Path, home: Path, tmp_path: Path
) -> None:
    told: list[Estimate] = []
    source = Source(write_pairs(tmp_path / "pairs.jsonl"))
    trained = train_encoder([source], tmp_path / "out", options(base), home=home, announce=told.append)
    assert told[0].steps == 4
    assert told[0].questions < 60  # some were held out
    assert set(trained.validation) == {"before", "after"}
    encoder = open_encoder(str(trained.folder), home)
    before = open_encoder(str(base), home)
    assert encoder.fingerprint != before.fingerprint
    assert np.abs(encoder.embed_queries(["the pump"]) - before.embed_queries(["the pump"])).max() > 1e-3
    collection = Collection("new", home, encoder)
    collection.add([Given("a", "The pump stands in the yard.")])
    assert collection.made.fingerprint == encoder.fingerprint
    card = (trained.folder / "README.md").read_text()
    assert source.sha256 in card
    assert before.fingerprint in card
    assert (trained.folder / "training" / "held-out.jsonl").exists()


def test_a_run_that_was_cut_short_comes_to_the_same_weights(base: Path, home: Path, tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop(what: str, done: int, total: int) -> None:
        if what == "training" and done == 3:
            raise Enough

    source = Source(write_pairs(tmp_path / "pairs.jsonl"))
    with pytest.raises(Enough):
        train_encoder([source], tmp_path / "cut", options(base), home=home, progress=stop)
    train_encoder([source], tmp_path / "cut", options(base), home=home)
    train_encoder([source], tmp_path / "whole", options(base), home=home)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("cut", "whole")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("others", [{"cached": 2}, {"dimensions": (8, 16)}, {"negatives": 0}])
def test_other_losses_learn_too(base: Path, home: Path, tmp_path: Path, others: dict[str, object]) -> None:
    source = Source(write_pairs(tmp_path / "pairs.jsonl"))
    trained = train_encoder([source], tmp_path / "out", options(base, steps=2, **others), home=home)
    assert (trained.folder / "model.safetensors").read_bytes() != (base / "model.safetensors").read_bytes()


def test_a_dry_run_writes_nothing(base: Path, home: Path, tmp_path: Path) -> None:
    told: list[Estimate] = []
    source = Source(write_pairs(tmp_path / "pairs.jsonl"))
    train_encoder([source], tmp_path / "out", options(base), home=home, dry_run=True, announce=told.append)
    assert told[0].seconds > 0
    assert not (tmp_path / "out").exists()


def test_dimensions_beyond_the_encoders_are_refused(base: Path, home: Path, tmp_path: Path) -> None:
    source = Source(write_pairs(tmp_path / "pairs.jsonl"))
    with pytest.raises(UsageError, match="vectors have 32 numbers"):
        train_encoder([source], tmp_path / "out", options(base, dimensions=(64,)), home=home, dry_run=True)
