"""A language model taught to answer from passages: all its weights, a low-rank change of them, or a soft prompt.

    OUT/  model folder, or adapter_config.json and adapter_model.safetensors  README.md  training.svg
    OUT/training/  last/  best/  log.jsonl

Behind `train generator --base` and `train prompt`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from finetune.card import Card, Source, table, write_card
from finetune.language.architecture import checkpoint_bytes, training_memory
from finetune.language.instructions import Mixing
from finetune.language.sources import parent_of
from finetune.plots import draw_log
from finetune.questions import Question
from finetune.resources import require_free
from finetune.schedule import Keeping, Schedule
from finetune.splitting import read_split
from indexer import storage
from indexer.errors import UsageError
from indexer.types import Progress, silent

log = logging.getLogger(__name__)

Method = Literal["all", "lora", "prompt"]


@dataclass(frozen=True, slots=True)
class Options:
    """How a language model is taught to answer."""

    base: str
    """Folder of a causal or sequence-to-sequence model."""
    method: Method = "all"
    """What is learnt: all weights; a low-rank change of them (LoRA, Hu et al. 2021), which is merged at the end; or a
    soft prompt (Lester et al. 2021), which leaves the model as it is."""
    rank: int = 16
    """Of the low-rank change."""
    virtual_tokens: int = 32
    """Vectors of the soft prompt; they begin as those of the instruction's words."""
    epochs: float = 1.0
    """Passes over the questions; parts of one are allowed."""
    steps: int | None = None
    """Optimizer steps; None: as many as `epochs` make."""
    batch_size: int = 16
    """Questions in one step."""
    together_tokens: int = 4096
    """Tokens computed at once, at most; a larger step is computed in parts, whose gradients are added."""
    lr: float | None = None
    """Highest learning rate; None: by the method and the model's width."""
    warmup: float = 0.06
    """Share of the steps in which the rate rises; then it falls as a cosine."""
    mixing: Mixing = field(default_factory=Mixing)
    held_out: float = 0.09
    """Share of the questions, whole documents, that is not learnt from."""
    validation: int = 200
    """Held-out questions whose answers' probability is measured as it goes, at most."""
    asked: int = 100
    """Held-out questions that are asked at the end, at most."""
    keeping: Keeping | None = None
    """When to save and to measure; None: ten times a run."""
    seed: int = 11
    device: str = "auto"
    """"cpu", "cuda", or "auto": a GPU where there is one."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take, measured on a few steps."""

    questions: int
    examples: int
    """Questions that are learnt, all passes together."""
    steps: int
    seconds: float
    parameters: int
    """Those that are trained."""
    model_parameters: int
    memory: int
    """Bytes of working memory that training takes, about."""
    disk: int
    """Bytes on the disk, at most."""
    precision: str


@dataclass(frozen=True, slots=True)
class Trained:
    """What came out."""

    folder: Path
    estimate: Estimate
    validation: Mapping[str, float] = field(default_factory=dict)
    """Scores on held-out questions asked with their own passage: EM and F1, and answerable ones that got an answer and
    others that were refused, in per cent; and the perplexity of the right answers' tokens."""


@dataclass(frozen=True, slots=True)
class Data:
    """Questions to learn from, and those that are held out."""

    learn: tuple[Question, ...]
    held: tuple[Question, ...]
    weights: Mapping[str, float]
    """By a question's id: how often it is learnt in one pass."""


def tune(
    sources: Sequence[Source],
    out: Path,
    options: Options,
    *,
    dry_run: bool = False,
    announce: Callable[[Estimate], None] = lambda estimate: None,
    progress: Progress = silent,
) -> Trained:
    """Teach the model `options.base` the questions of `sources`, or go on with an interrupted run; leave it in `out`.

    `announce` is told beforehand what it will take. With `dry_run` nothing is written. Raises UsageError for data that
    does not read, GeneratorError for a model that must not be loaded, StorageError without enough room, Diverged where
    the loss is no number.
    """
    data = read(sources, options)
    from finetune.language.tuning_run import TuningRun  # torch begins here
    from finetune.training import leads

    run = TuningRun(data, options)
    estimate = Estimate(
        questions=len(data.learn),
        examples=run.examples,
        steps=run.steps,
        seconds=run.seconds_a_step() * run.steps,
        parameters=run.parameters,
        model_parameters=run.model_parameters,
        memory=training_memory(
            run.parameters, run.width, run.layers, run.vocabulary, options.together_tokens, bf16=run.precision == "bf16"
        )
        + 2 * (run.model_parameters - run.parameters),
        disk=checkpoint_bytes(run.parameters) + 4 * run.model_parameters * (options.method != "prompt") + 100_000_000,
        precision=run.precision,
    )
    announce(estimate)
    if dry_run:
        return Trained(out, estimate)
    require_free(out, estimate.disk)
    work = out / "training"
    storage.make_folder(work)
    best = run.train(work, {"data": [each.sha256 for each in sources], "options": plain(options)}, progress)
    if not leads():  # under torchrun the first process does what is left
        return Trained(out, estimate)
    run.save(best, out)
    scores = {**_asked(data.held[: options.asked], out, options, progress), **run.measured()}
    _write_card(out, sources, options, estimate, scores)
    draw_log(work / "log.jsonl", out / "training.svg", ("perplexity",), "perplexity of the answers")
    return Trained(out, estimate, scores)


def read(sources: Sequence[Source], options: Options) -> Data:
    """Return the questions, split by document. Raises UsageError where too few could be held out."""
    learn: list[Question] = []
    held: list[Question] = []
    weights: dict[str, float] = {}
    for number, source in enumerate(sources):
        kept, out = read_split(source, number, options.held_out)
        weights.update({each.id: source.weight for each in (*kept, *out)})
        learn += kept
        held += out
    if len(held) < 5 or not any(question.answers for question in learn):
        raise UsageError(
            f"Only {len(held)} questions could be held out, of {len(learn) + len(held)}.",
            "Give more questions, on more documents, or a larger --held-out.",
        )
    held.sort(key=lambda question: hashlib.sha256(f"{options.seed}/{question.id}".encode()).digest())
    return Data(tuple(learn), tuple(held), weights)


def schedule_of(options: Options, width: int, steps: int) -> Schedule:
    """Return how the rate goes: lower for wider models, and higher where less of the model is learnt."""
    narrower = min(1.0, 384 / width)
    usual = {"all": 5e-4 * narrower, "lora": 1e-3 * narrower**0.5, "prompt": 1e-2}[options.method]
    rate = options.lr or usual
    decay = 0.0 if options.method == "prompt" else 0.01
    return Schedule(
        lr=rate, new_lr=rate, warmup=max(1, round(options.warmup * steps)), weight_decay=decay, shape="cosine"
    )


def keeping_of(options: Options, steps: int) -> Keeping:
    """Return when to save and to measure."""
    every = max(1, -(-steps // 10))
    return options.keeping or Keeping(save_every=every, validate_every=every, log_every=max(1, min(20, steps // 50)))


def plain(options: Options) -> dict[str, Any]:
    """Return the options as JSON holds them."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(options)))
    return found


def _asked(questions: Sequence[Question], folder: Path, options: Options, progress: Progress) -> dict[str, float]:
    """Ask the model in `folder` as `ask` would, each question with its own passage; return scores in per cent."""
    from finetune.device import device_of
    from rag.engine import said
    from rag.evaluation import metrics
    from rag.types import given_passage
    from rag.writing.transformers_generator import TransformersGenerator

    generator = TransformersGenerator(str(folder), device=device_of(options.device))
    exact, near, right = [], [], []
    for number, question in enumerate(questions):
        progress("asking", number, len(questions))
        passages = [given_passage(question.passage, question.title)]
        draft = generator.generate(question.text, passages)
        text = said(draft, passages)
        right.append(bool(draft.pieces) == bool(question.answers))
        if question.answers:
            exact.append(metrics.exact_match(text, question.answers))
            near.append(metrics.f1(text, question.answers))
    return {
        "em": 100 * sum(exact) / max(1, len(exact)),
        "f1": 100 * sum(near) / max(1, len(near)),
        "rightly_given_or_refused": 100 * sum(right) / max(1, len(right)),
    }


_TITLES: Mapping[Method, str] = {
    "all": "A language model that answers", "lora": "A language model that answers", "prompt": "A soft prompt",
}  # fmt: skip
_LEARNT: Mapping[Method, str] = {
    "all": "All its weights were trained",
    "lora": "A low-rank change of its weights was trained (LoRA) and merged",
    "prompt": "The vectors that it reads before the words were trained; the model itself, which is not in this folder, "
    "is as it was",
}


def _write_card(
    out: Path, sources: Sequence[Source], options: Options, estimate: Estimate, scores: Mapping[str, float]
) -> None:
    summary = (
        f"It reads numbered passages with a question, writes an answer that cites them, or says that they do not hold "
        f"one. {_LEARNT[options.method]}: {estimate.parameters:,} of {estimate.model_parameters:,} parameters, "
        f"{estimate.examples:,} examples, {estimate.steps:,} steps, computed in {estimate.precision}; the loss was "
        f"that of the answers alone."
    )
    card = Card(
        _TITLES[options.method],
        summary,
        sources,
        plain(options),
        {f"Held-out questions, right passage given, {options.asked} at most": table(scores)},
        parent=parent_of(options.base),
        front={"pipeline_tag": "question-answering"},
    )
    write_card(out, card)
