"""Language models trained from text and taught to answer, small enough to take seconds."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from tokenizers import Tokenizer

from finetune.card import Source
from finetune.language import pretraining, tuning
from finetune.language.architecture import sizes
from finetune.language.instructions import TOGETHER, Instruction, Instructions, Lessons, Mixing, batches
from finetune.language.models import layer_matrices, new_model, open_model, vocabulary_of
from finetune.language.objectives import IGNORED
from finetune.questions import Question
from finetune.schedule import Keeping
from indexer.errors import UsageError
from rag.generator import Written
from rag.types import given_passage
from rag.writing.prompting import INSTRUCTION, REFUSAL
from rag.writing.transformers_generator import TransformersGenerator
from tests.small_encoder import write_json

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # transformers', torch's and peft's own
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
OFTEN = Keeping(save_every=2, validate_every=3, log_every=2)
SMALL = pretraining.Options(
    depth=1, vocab_size=320, context=32, steps=6, batch_tokens=128, together_tokens=64, ngram=2, keeping=OFTEN,
    validation_tokens=128, device="cpu",
)  # fmt: skip
PLACES = ("Aston", "Bremen", "Calais", "Dover", "Exeter", "Fulda", "Genoa", "Hobart", "Izmir", "Jaffa")


class Interrupted(Exception):
    """What a person's Ctrl-C is here."""


def interrupt_at(step: int):  # type: ignore[no-untyped-def]
    def progress(what: str, done: int, total: int) -> None:
        if (what, done) == ("training", step):
            raise Interrupted

    return progress


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    for number, place in enumerate(PLACES * 4):
        told = f"The archive of {place} was opened in {1900 + number}. It is shut on Mondays.\n\n{INSTRUCTION}\n"
        (folder / f"{number}.txt").write_text(told * 3)
    return folder


@pytest.fixture(scope="module")
def base(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small left-to-right model that has read the instruction."""
    out = tmp_path_factory.mktemp("model") / "base"
    options = pretraining.Options(
        depth=1, vocab_size=500, context=512, steps=3, batch_tokens=1024, ngram=0, device="cpu"
    )
    return pretraining.train([texts], out, options).folder


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("questions") / "questions.jsonl"
    rows = [
        {
            "question": f"When was the archive of {place} opened?", "title": place,
            "context": f"The archive of {place} was opened in {1900 + number}. It is shut on Mondays.",
            "answers": [str(1900 + number)],
        }
        for number, place in enumerate(PLACES * 4)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def taught(base: Path, **others: object) -> tuning.Options:
    given: dict[str, object] = {
        "base": str(base), "steps": 3, "batch_size": 4, "held_out": 0.5, "validation": 8, "asked": 2, "device": "cpu",
        "keeping": Keeping(save_every=1, validate_every=2, log_every=1),
    }  # fmt: skip
    return tuning.Options(**{**given, **others})  # type: ignore[arg-type]


# From text


@pytest.mark.parametrize(("arch", "depth"), [("gpt", 1), ("llama", 1), ("bert", 1), ("t5", 2), ("copy", 1)])
def test_each_architecture_becomes_a_model_folder(arch: str, depth: int, texts: Path, tmp_path: Path) -> None:
    told: list[pretraining.Estimate] = []
    out = tmp_path / "out"
    trained = pretraining.train([texts], out, replace(SMALL, arch=arch, depth=depth), announce=told.append)
    saved = load_file(out / "model.safetensors")
    assert told == [trained.estimate]
    assert told[0].steps == 6
    assert told[0].batch_tokens == 128
    assert all(weight.dtype == torch.float32 and weight.isfinite().all() for weight in saved.values())
    assert 1 < trained.scores["perplexity"] < 400
    assert ("bits_per_byte" in trained.baseline) == (arch in ("gpt", "llama"))
    card = (out / "README.md").read_text()
    assert "A language model" in card
    assert sorted(path.name for path in (out / "training" / "samples").iterdir()) == ["0000003.txt", "0000006.txt"]
    if arch == "copy":
        from indexer.encoders.model_folder import inspect_model_folder

        assert inspect_model_folder(out).transformer == out
    elif arch != "bert":
        from rag.writing.language_model import kind_of

        assert kind_of(out) == ("seq2seq" if arch == "t5" else "causal")


def test_a_run_that_was_stopped_ends_with_the_same_bytes(texts: Path, tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    pretraining.train([texts], whole, SMALL)
    with pytest.raises(Interrupted):
        pretraining.train([texts], stopped, SMALL, progress=interrupt_at(5))
    assert not (stopped / "model.safetensors").exists()
    pretraining.train([texts], stopped, SMALL)
    assert (stopped / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_step_in_parts_has_the_gradient_of_the_whole(texts: Path) -> None:
    from finetune.language.corpus import read_corpus
    from finetune.language.run import Run, prepared
    from indexer.types import silent

    found = []
    for together in (32, 128):
        options = replace(SMALL, together_tokens=together)
        run = Run(prepared(read_corpus([texts], 0.1), options, silent), options)
        learner = run._learner
        learner.model.float()
        loss = run._loss(0)
        loss.backward()  # type: ignore[no-untyped-call]
        gradient = torch.cat([p.grad.flatten() for p in learner.model.parameters()])
        found.append((float(loss.detach()), gradient))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    assert torch.allclose(found[0][1], found[1][1], rtol=1e-3, atol=1e-6)


def test_an_encoder_goes_on_by_filling_masks_and_stays_an_encoder(texts: Path, tmp_path: Path) -> None:
    from indexer.encoders.model_folder import inspect_model_folder

    pretraining.train([texts], tmp_path / "encoder", replace(SMALL, arch="copy"))
    file = tmp_path / "encoder" / "tokenizer.json"
    cutting = Tokenizer.from_file(str(file))  # as those of sentence-transformers are kept
    cutting.enable_truncation(8)
    cutting.enable_padding(length=8)
    cutting.save(str(file))
    options = replace(SMALL, start=str(tmp_path / "encoder"), ngram=0, depth=6)
    told: list[pretraining.Estimate] = []
    pretraining.train([texts], tmp_path / "on", options, announce=told.append)
    assert told[0].tokens > 40 * 50, "whole texts"
    assert (told[0].arch, told[0].layers, told[0].steps) == ("copy", 1, 6)
    assert inspect_model_folder(tmp_path / "on").transformer == tmp_path / "on"
    old, new = (load_file(tmp_path / name / "model.safetensors") for name in ("encoder", "on"))
    assert old.keys() == new.keys(), "the head that fills masks is left behind"
    assert any(not torch.equal(old[name], new[name]) for name in old)
    with pytest.raises(Interrupted):
        pretraining.train([texts], tmp_path / "stopped", options, progress=interrupt_at(4))
    pretraining.train([texts], tmp_path / "stopped", options)
    stopped = load_file(tmp_path / "stopped" / "model.safetensors")
    assert all(torch.equal(new[name], stopped[name]) for name in new)


def test_models_are_opened_without_dropout(tmp_path: Path) -> None:
    import transformers

    config = transformers.GPT2Config(vocab_size=64, n_embd=8, n_layer=1, n_head=1, n_positions=16)
    assert config.resid_pdrop == 0.1
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    model = open_model(tmp_path)
    assert [part.p for part in model.modules() if isinstance(part, torch.nn.Dropout)] == [0.0] * 4


def test_it_goes_on_from_a_model(base: Path, texts: Path, tmp_path: Path) -> None:
    options = replace(SMALL, start=str(base), context=64, steps=12, batch_tokens=512, ngram=0)
    before = json.loads((base / "config.json").read_text())
    trained = pretraining.train([texts], tmp_path / "out", options)
    after = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (after["vocab_size"], after["hidden_size"]) == (before["vocab_size"], before["hidden_size"])
    assert trained.estimate.arch == "llama"
    assert f"Parent: {base.name}, weights `" in (tmp_path / "out" / "README.md").read_text()


def test_a_dry_run_writes_nothing(texts: Path, tmp_path: Path) -> None:
    trained = pretraining.train([texts], tmp_path / "out", SMALL, dry_run=True)
    assert trained.estimate.seconds > 0
    assert trained.estimate.memory > 20 * trained.estimate.parameters
    assert not (tmp_path / "out").exists()


def test_no_model_to_go_on_from(texts: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no model folder nowhere"):
        pretraining.train([texts], tmp_path / "out", replace(SMALL, start="nowhere"))


# Taught to answer


def test_what_is_trained_is_what_is_asked_and_only_the_answer_is_learnt(base: Path) -> None:
    from finetune.language.tuning_run import TuningRun

    own = Question("1", "When was it opened?", "Dover", "The archive was opened in 1921. It is shut.", ("1921",), "d")
    run = TuningRun(tuning.Data((own,), (own,), {"1": 1.0}), taught(base, steps=1, mixing=Mixing(1, 0.0)))
    generator = TransformersGenerator(str(base), device="cpu")
    prompt = generator.ids(generator.prompt(own.text, [given_passage(own.passage, own.title)]))
    ids, labels = run._held[0].ids[0].tolist(), run._held[0].labels[0].tolist()
    assert ids[: len(prompt)] == prompt
    assert labels[: len(prompt)] == [IGNORED] * len(prompt)
    assert labels[len(prompt) :] == ids[len(prompt) :]
    assert run.tokenizer.decode(ids[len(prompt) :]) == " 1921 [1]<|end|>"
    assert run._held[0].predicted == len(run.tokenizer(" 1921 [1]").input_ids) + 1


def test_passages_that_do_not_hold_the_answer_are_refused(base: Path) -> None:
    from finetune.language.tuning_run import TuningRun

    made = [
        Question(
            str(n), f"When was {place} opened?", place, f"{place} was opened in {1900 + n}.", (str(1900 + n),), "d"
        )
        for n, place in enumerate(PLACES)
    ]
    run = TuningRun(tuning.Data(tuple(made), tuple(made), {each.id: 1.0 for each in made}), taught(base))
    maker = Instructions(made, run._tokens, Mixing(passages=3, missing=1.0))
    chance = random.Random(0)
    written = {run.tokenizer.decode(instruction.answer) for each in made if (instruction := maker.of(each, chance))}
    assert f" {REFUSAL}<|end|>" in written
    maker = Instructions(made, run._tokens, Mixing(passages=3, missing=0.0))
    for question in made:
        instruction = maker.of(question, chance)
        assert instruction is not None
        asked, said = run.tokenizer.decode(instruction.prompt), run.tokenizer.decode(instruction.answer)
        number = said[said.index("[") + 1]
        assert f"[{number}] {question.title}\n> {question.passage}" in asked
        assert said == f" {question.answers[0]} [{number}]<|end|>"


@pytest.mark.parametrize("method", ["all", "lora", "prompt"])
def test_what_was_taught_can_be_asked(method: str, base: Path, questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    trained = tuning.tune([Source(questions)], out, taught(base, method=method, rank=2, virtual_tokens=3))
    generator = TransformersGenerator(str(out), device="cpu")
    assert generator.name == "out"
    assert generator.generate("When was it opened?", [given_passage("It was opened in 1921.")]).confidence <= 1
    assert {"em", "f1", "perplexity"} <= set(trained.validation)
    assert (trained.estimate.parameters == trained.estimate.model_parameters) == (method == "all")
    if method == "prompt":
        assert trained.estimate.parameters == 3 * 64
        assert not (out / "model.safetensors").exists()
    else:
        old, new = load_file(base / "model.safetensors"), load_file(out / "model.safetensors")
        assert set(old) == set(new)
        assert any(not torch.equal(old[name], new[name]) for name in old)


def test_teaching_that_was_stopped_ends_with_the_same_bytes(base: Path, questions: Path, tmp_path: Path) -> None:
    options = taught(base, method="lora", rank=2)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    tuning.tune([Source(questions)], whole, options)
    with pytest.raises(Interrupted):
        tuning.tune([Source(questions)], stopped, options, progress=interrupt_at(3))
    tuning.tune([Source(questions)], stopped, options)
    assert (stopped / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_soft_prompt_is_read_as_peft_reads_it(base: Path, questions: Path, tmp_path: Path) -> None:
    """Ours puts the vectors before the words itself; peft, which trained them, is the oracle."""
    import peft
    import transformers

    tuning.tune([Source(questions)], tmp_path / "out", taught(base, method="prompt", virtual_tokens=3))
    generator = TransformersGenerator(str(tmp_path / "out"), device="cpu")
    ids = generator.ids(generator.prompt("When was it opened?", [given_passage("It was opened in 1921.")]))
    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    read = peft.PeftModel.from_pretrained(model, str(tmp_path / "out"))
    given = torch.tensor([ids])
    with torch.inference_mode():
        expected = read(input_ids=given, attention_mask=torch.ones_like(given)).logits[0, -1]
        assert generator._soft is not None
        vectors = torch.cat([generator._soft[None], generator._model.get_input_embeddings()(given)], dim=1)
        found = generator._model(inputs_embeds=vectors).logits[0, -1]
    assert torch.allclose(found, expected, atol=1e-4)


def test_a_small_model_learns_an_answer_by_heart(base: Path, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    rows = [
        {
            "question": "When was it opened?",
            "context": "It was opened in 1921.",
            "answers": ["1921"],
            "title": f"t{n % 5}",
        }
        for n in range(40)
    ]
    file.write_text("".join(json.dumps({**row, "id": str(n)}) + "\n" for n, row in enumerate(rows)))
    options = taught(base, steps=80, batch_size=8, lr=3e-3, mixing=Mixing(1, 0.0), keeping=Keeping(100, 100, 20))
    tuning.tune([Source(file)], tmp_path / "out", options)
    generator = TransformersGenerator(str(tmp_path / "out"), device="cpu")
    draft = generator.generate("When was it opened?", [given_passage("It was opened in 1921.", "T1")])
    assert [piece.text for piece in draft.pieces if isinstance(piece, Written)] == ["1921"]


def test_too_few_questions_and_models_that_write_nothing(base: Path, questions: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(questions.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(UsageError, match=r"Only \d questions could be held out, of 2"):
        tuning.tune([Source(few)], tmp_path / "out", taught(base))
    masked = tmp_path / "masked"
    masked.mkdir()
    for file in base.glob("*.*"):
        (masked / file.name).write_bytes(file.read_bytes())
    write_json(masked / "config.json", {"model_type": "bert", "architectures": ["BertForMaskedLM"]})
    with pytest.raises(UsageError, match="fills masks and writes no text"):
        tuning.tune([Source(questions)], tmp_path / "out", taught(masked))


def instruction(length: int) -> Instruction:
    return Instruction(tuple(range(length)), (0,))


def test_batches_hold_each_instruction_once_and_are_of_like_length() -> None:
    found = [instruction(random.Random(n).randrange(1, 500)) for n in range(200)]
    made = batches(found, 25, random.Random(1))
    assert sorted(each.length for batch in made for each in batch) == sorted(each.length for each in found)
    spread = [max(each.length for each in batch) - min(each.length for each in batch) for batch in made]
    assert sum(spread) / len(spread) < 50


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 60))
def test_no_batch_is_empty_and_their_sizes_differ_by_one_at_most(lengths: list[int], count: int) -> None:
    made = batches([instruction(length) for length in lengths], count, random.Random(2))
    sizes = [len(batch) for batch in made]
    assert len(made) == count
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1
    assert {each.length for batch in made for each in batch} == {length + 1 for length in lengths}


class Makes:
    """Makes instructions of whatever it is given, and counts them; of "no" it makes none."""

    def __init__(self) -> None:
        self.asked = 0

    def of(self, question: Question, chance: random.Random) -> Instruction | None:
        self.asked += 1
        return None if question.text == "no" else instruction(1 + chance.randrange(30))


def lessons(texts: list[str], batch: int, maker: Makes) -> Lessons:
    drawn = [Question(str(number), text, "", "", (), "") for number, text in enumerate(texts)]
    return Lessons(drawn, maker.of, batch, seed=3)


def test_instructions_are_made_when_their_steps_come() -> None:
    maker = Makes()
    made = lessons(["yes"] * 1001, 4, maker)
    assert (made.steps, maker.asked) == (251, 0)
    first = made.of(0)
    assert maker.asked == 4 * TOGETHER
    made.of(TOGETHER - 1)
    assert maker.asked == 4 * TOGETHER
    assert sum(len(made.of(step)) for step in range(made.steps)) == 1001
    assert made.of(0) == first, "by nothing but the seed and the step"


def test_questions_without_room_are_left_out_and_too_many_are_told() -> None:
    made = lessons(["yes", "no", "yes", "no", "yes", "no"], 2, Makes())
    assert made.steps == 3
    assert [len(made.of(step)) for step in range(3)] == [1, 1, 1]
    with pytest.raises(UsageError, match="None of 3 passages with its answer fits"):
        lessons(["no"] * 3, 2, Makes()).of(0)


def test_last_questions_without_room_do_not_end_a_run() -> None:
    made = lessons(["yes"] * 2 * TOGETHER + ["no"] * 3, 2, Makes())
    assert made.steps == TOGETHER + 2
    assert made.of(TOGETHER + 1) == made.of(1)


@pytest.mark.parametrize(("epochs", "times"), [(1.0, 1), (2.5, 2.5), (0.5, 0.5)])
def test_a_pass_holds_each_question_as_often_as_it_weighs(base: Path, epochs: float, times: float) -> None:
    from finetune.language.tuning_run import TuningRun

    made = tuple(Question(str(n), "When?", "t", f"In {n}.", (str(n),), "d") for n in range(100))
    data = tuning.Data(made, made[:5], {each.id: 2.0 if int(each.id) < 50 else 1.0 for each in made})
    run = TuningRun(data, taught(base, steps=None, epochs=epochs, batch_size=10))
    drawn = run._drawn(data)
    assert abs(len(drawn) - 150 * times) < 30
    assert abs(sum(int(each.id) < 50 for each in drawn) - 100 * times) < 20
    more = TuningRun(data, taught(base, steps=40, batch_size=10))._drawn(data)
    assert len(more) == 400
    assert len({each.id for each in more[:150]}) == 100, "the first pass holds all"
    light = tuning.Data(made, made[:5], {each.id: 1e-9 for each in made})
    assert len({each.id for each in TuningRun(light, taught(base, steps=10, batch_size=10))._drawn(light)}) == 100
    with pytest.raises(UsageError, match="passes over 100 questions are none"):
        TuningRun(light, taught(base, steps=None, epochs=1.0))


def test_a_model_gone_on_from_keeps_its_tokenizer(base: Path, texts: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has its own tokenizer"):
        pretraining.train([texts], tmp_path / "out", replace(SMALL, start=str(base), tokenizer=str(base)))


@pytest.mark.parametrize("arch", ["gpt", "llama", "bert", "t5"])
def test_muon_steps_the_matrices_of_the_layers_and_neither_embeddings_nor_output(arch: str) -> None:
    """Llama: four of attention and three of the feed-forward part in each layer."""
    tokenizer = [0] * 100

    class Tokens(list[int]):
        bos_token_id = eos_token_id = pad_token_id = mask_token_id = 0

    model = new_model(sizes(arch, 2), Tokens(tokenizer), 16, 0)
    chosen = layer_matrices(model)
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    assert all(len(shapes[name]) == 2 for name in chosen)
    left = {name for name, shape in shapes.items() if len(shape) == 2} - chosen
    assert left
    assert all(shapes[name][0] in (vocabulary_of(tokenizer), 2, 16, 18, 32) for name in left)
    if arch == "llama":
        assert len(chosen) == 2 * 7
