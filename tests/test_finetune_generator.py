"""From data files to a model folder that can be asked, on a small random encoder."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from finetune.card import Source, parsed
from finetune.copying.examples import Encoder
from finetune.copying.generator import Options, _enough, _learn, _watched, train_generator
from finetune.copying.mixing import Mixture
from finetune.questions import Question
from finetune.schedule import Keeping
from indexer.errors import UsageError
from indexer.types import silent
from rag.copying.conversion import converted_folder
from rag.copying.folder import CHECKED, TOKENIZER, read_folder, write_sums
from rag.copying.generator import open_copying
from rag.copying.layout import Layout, Tokens
from rag.copying.model import CopyingModel
from rag.copying.reader import Reader
from tests.answers import passage
from tests.small_architectures import write_architecture
from tests.small_encoder import write_small_encoder

LAYOUT = Layout(question_tokens=12, context_tokens=4, window=60, overlap=8)


def questions_file(file: Path, documents: int = 60, each: int = 5) -> Path:
    """Write questions such as "the pump 4?" on passages such as "the pump 4 sat on mat 17. the gate 2 ..."."""
    chance = random.Random(1)
    rows = []
    for number in range(documents):
        names = chance.sample(range(10), 3)
        marks = [chance.randrange(10, 99) for _ in names]
        things = ("pump", "gate", "cat")
        context = " ".join(
            f"the {thing} {name} sat on mat {mark}." for thing, name, mark in zip(things, names, marks, strict=True)
        )
        for question in range(each):
            place = question % 3
            rows.append(
                {
                    "question": f"the {things[place]} {names[place]} sat on mat?",
                    "context": f"{context} ({number})",
                    "answers": [str(marks[place])],
                    "title": f"mat {number}",
                }
            )
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Options, Source]:
    """Return a folder, options for a small run, and its data."""
    folder = tmp_path_factory.mktemp("training")
    encoder = write_small_encoder(folder / "encoder", max_length=64)
    source = Source(questions_file(folder / "questions.jsonl"), licence="our own")
    options = Options(
        steps=8,
        batch_tokens=600,
        layout=LAYOUT,
        encoder=str(encoder),
        held_out=0.5,
        negatives=50,
        keeping=Keeping(save_every=4, validate_every=4, log_every=2),
        device="cpu",
    )
    return folder, options, source


@pytest.fixture(scope="module")
def trained(world: tuple[Path, Options, Source]) -> Path:
    """Return a model folder that was trained in one go."""
    folder, options, source = world
    announced: list[int] = []
    done = train_generator(
        [source], folder / "whole", options, home=folder, announce=lambda estimate: announced.append(estimate.steps)
    )
    assert announced == [8]
    assert done.folder == folder / "whole"
    return done.folder


def test_what_is_trained_can_be_opened_and_asked(world: tuple[Path, Options, Source], trained: Path) -> None:
    generator = open_copying(trained, world[0])
    read = [passage("the pump 4 sat on mat 17.")]
    draft = generator.generate("the pump 4 sat on mat?", read)
    assert 0.0 <= draft.confidence <= 1.0
    assert generator.threshold(None) >= 0.0


def test_an_mpnet_is_trained_converted_and_asked(world: tuple[Path, Options, Source]) -> None:
    folder, options, source = world
    encoder = write_architecture(folder / "mpnet", "mpnet", max_length=64)
    done = train_generator([source], folder / "of-mpnet", replace(options, encoder=str(encoder)), home=folder)
    assert json.loads((done.folder / "config.json").read_bytes())["encoder"]["model_type"] == "mpnet"
    model = CopyingModel.from_pretrained(done.folder)
    tokens = Tokens(done.folder / TOKENIZER, LAYOUT)
    window = tokens.windows(tokens.head("the pump 4 sat on mat?", "mat"), tokens.words("the pump 4 sat on mat 17."))[0]
    (found,) = Reader(converted_folder(read_folder(done.folder), folder)).read([window])
    with torch.no_grad():
        truth = model(torch.tensor([window.ids]), torch.tensor([window.types]), torch.ones(1, len(window.ids)))
    assert np.allclose(found.start, truth.start[0], atol=0.05)
    generator = open_copying(done.folder, folder)
    assert 0.0 <= generator.generate("the pump 4 sat on mat?", [passage("the pump 4 sat on mat 17.")]).confidence <= 1.0


def test_the_folder_says_what_it_was_made_of(trained: Path, world: tuple[Path, Options, Source]) -> None:
    card = (trained / "README.md").read_text()
    assert world[2].sha256 in card
    assert "our own" in card
    assert set(read_folder(trained).sums) == set(CHECKED)
    assert set(read_folder(trained).confidence) == {"given", "retrieved"}


def test_the_log_has_losses_and_validations(trained: Path) -> None:
    rows = [json.loads(line) for line in (trained / "training" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == [2, 4, 6, 8]
    assert [row["step"] for row in rows if "validation" in row] == [4, 8]


def test_what_is_put_out_hangs_on_the_batch_alone_and_nothing_is_when_it_is_measured(
    world: tuple[Path, Options, Source],
) -> None:
    folder, options, source = world

    def learnt_with(dropout: float) -> Any:
        given = replace(options, dropout=dropout)
        return _learn([source], folder / "none", given, folder, None, True, lambda estimate: None, silent)

    learnt = learnt_with(0.0)
    whole, half = learnt.run, learnt_with(0.5).run
    assert half._loss(0).item() == half._loss(0).item() != pytest.approx(whole._loss(0).item(), rel=1e-3)
    encoder = Encoder(Tokens(folder / "encoder" / TOKENIZER, LAYOUT), options.span_tokens)
    watched = _watched(learnt.data.validate[:20], encoder, options)
    half._model.load_state_dict(whole._model.state_dict())
    assert half._validate(watched) == half._validate(watched) == whole._validate(watched)
    assert half._model.training, "it goes on learning with dropout"


def test_asking_for_the_same_again_trains_nothing_and_gives_the_same(
    world: tuple[Path, Options, Source], trained: Path
) -> None:
    folder, options, source = world
    weights = trained / "training" / "last" / "weights.safetensors"
    before = hashlib.sha256(weights.read_bytes()).hexdigest(), (trained / "SHA256SUMS").read_text()
    train_generator([source], trained, options, home=folder)
    assert (hashlib.sha256(weights.read_bytes()).hexdigest(), (trained / "SHA256SUMS").read_text()) == before


def test_another_generator_is_mixed_into_the_weights(world: tuple[Path, Options, Source], trained: Path) -> None:
    folder, options, source = world
    other = folder / "other"
    shutil.copytree(trained, other, ignore=shutil.ignore_patterns("training"))
    learnt = load_file(trained / "model.safetensors")
    save_file({name: np.asarray(value + np.float16(1)) for name, value in learnt.items()}, other / "model.safetensors")
    write_sums(other)
    done = train_generator([source], folder / "mixed", replace(options, average=((str(other), 0.25),)), home=folder)
    mixed = load_file(done.folder / "model.safetensors")
    assert mixed.keys() == learnt.keys()
    for name, value in mixed.items():
        assert np.allclose(value.astype(np.float32), learnt[name].astype(np.float32) + 0.25, atol=2e-3), name


def test_a_generator_learns_to_say_yes_and_no_and_keeps_what_it_knows(
    world: tuple[Path, Options, Source], trained: Path
) -> None:
    folder, options, source = world
    rows = [
        {"question": f"is the pump {n} on a mat?", "context": f"the pump {n} sat on mat {n}.", "title": f"mat {n}",
         "answers": [("yes", "no")[n % 2]], "yes_no": True}
        for n in range(60)
    ]  # fmt: skip
    file = folder / "whether.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    further = replace(options, base=str(trained), average=((str(trained), 0.5),), steps=2)
    done = train_generator([source, Source(file, licence="our own")], folder / "judging", further, home=folder)
    before, after = (load_file(path / "model.safetensors") for path in (trained, done.folder))
    assert after.keys() - before.keys() == {"polarity.weight", "polarity.bias"}
    assert np.abs(after["spans.weight"].astype(np.float32) - before["spans.weight"].astype(np.float32)).max() < 0.01
    assert 0 <= done.validation["yes_no_or_neither"] <= 100
    read = [passage("the pump 4 sat on mat 4.")]
    (decoded,) = open_copying(done.folder, folder).decode_many(["is the pump 4 on a mat?"], [read])
    assert [each.scores.shape[1] for each in decoded.verdicts] == [2]


def test_a_generator_of_other_sizes_is_not_mixed_in(world: tuple[Path, Options, Source], trained: Path) -> None:
    folder, options, source = world
    smaller = replace(options, writes=False, average=((str(trained), 0.25),), steps=2)
    with pytest.raises(UsageError, match="has other sizes than the one that is trained"):
        train_generator([source], folder / "smaller", smaller, home=folder)


def test_other_options_in_the_same_folder_are_refused(world: tuple[Path, Options, Source], trained: Path) -> None:
    folder, options, source = world
    with pytest.raises(UsageError, match="other data or other options"):
        train_generator([source], trained, replace(options, seed=options.seed + 1), home=folder)


def test_a_dry_run_says_how_long_and_writes_nothing(world: tuple[Path, Options, Source]) -> None:
    folder, options, source = world
    done = train_generator([source], folder / "dry", options, home=folder, dry_run=True)
    assert done.estimate.steps == 8
    assert done.estimate.seconds > 0
    assert not (folder / "dry").exists()


def test_questions_are_edited_with_words_that_their_passages_join(
    world: tuple[Path, Options, Source], tmp_path: Path
) -> None:
    """Nothing else can be changed in them: no name, no number, no opposite, nothing to deny, no modifier."""
    folder, options, _ = world
    encoder = write_small_encoder(tmp_path / "encoder", max_length=64)
    weights = load_file(encoder / "model.safetensors")
    vocabulary = json.loads((encoder / "tokenizer.json").read_text())["model"]["vocab"]
    table = weights["embeddings.word_embeddings.weight"]
    table[[vocabulary["pump"], vocabulary["gate"]]] = 0
    table[vocabulary["pump"], :2] = 10, 0
    table[vocabulary["gate"], :2] = 5, 8.7  # 60 degrees from the other
    save_file(weights, encoder / "model.safetensors", metadata={"format": "pt"})

    def examples_a_question(name: str, end: str) -> float:
        rows = [
            {"question": "where sat the pump?", "context": f"The pump sat on mat {n}. {end}", "answers": [f"mat {n}"]}
            for n in range(300)
        ]
        file = tmp_path / name
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        edited = replace(options, encoder=str(encoder), mixture=Mixture(0, 0, 0, 1, 0, 0))
        estimate = train_generator([Source(file)], tmp_path / "out", edited, home=folder, dry_run=True).estimate
        return estimate.examples / estimate.questions

    assert examples_a_question("joined.jsonl", "Here is a pump or gate.") == 2
    assert examples_a_question("apart.jsonl", "Here is a pump. Here is a gate.") == 1


def test_too_few_questions_to_hold_out_are_refused_before_anything_slow(world: tuple[Path, Options, Source]) -> None:
    folder, options, _ = world
    few = Source(questions_file(folder / "few.jsonl", documents=4))
    with pytest.raises(UsageError, match="could be held out"):
        train_generator([few], folder / "few", options, home=folder)


@pytest.mark.parametrize(("text", "weight"), [("{}", 1.0), ("{}:0.5", 0.5), ("{}:2", 2.0)])
def test_a_weight_follows_a_colon(tmp_path: Path, text: str, weight: float) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text("")
    assert parsed(text.format(file)) == Source(file, weight)


@pytest.mark.parametrize(("text", "said"), [("{}:0", "larger than 0"), ("{}:-1", "larger than 0"), ("gone", "no file")])
def test_a_weight_or_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text("")
    with pytest.raises(UsageError, match=said):
        parsed(text.format(file))


def test_a_short_run_draws_what_its_steps_need_and_a_long_one_all() -> None:
    questions = [Question(str(n), "Why?", "t", "word " * (20 + n % 7), ("word",), "d") for n in range(1000)]
    drawn = _enough(questions, 500, random.Random(1))
    assert 2500 <= sum(len(each.passage) for each in drawn) < 2500 + 150
    assert len({each.id for each in drawn}) == len(drawn)
    assert [each.id for each in drawn] != [str(n) for n in range(len(drawn))], "by chance, not the first documents"
    assert _enough(questions, 10**6, random.Random(1)) == questions
