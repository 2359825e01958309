"""`train lm`: a language model from text, new or gone on with: one call from files to a model folder.

OUT/  config.json  model.safetensors  tokenizer.json  README.md  training.svg
OUT/training/  last/  best/  log.jsonl  samples/  baseline.json
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from finetune.language import architecture
from finetune.language.architecture import Objective
from finetune.language.corpus import Corpus, read_corpus
from finetune.resources import require_free
from finetune.schedule import Keeping, Schedule
from indexer import storage
from indexer.encoders.model_folder import DEFAULT_NAME
from indexer.errors import UsageError
from indexer.types import Progress, silent
from rag.copying.folder import base_encoder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How a language model is trained."""

    arch: str = "llama"
    """gpt, llama, bert, t5 or copy; see `finetune.language.architecture`."""
    depth: int = 6
    """The dial: layers, and with them width, heads, rate and batch."""
    vocab_size: int = 8192
    """Tokens of the tokenizer that is learnt from the texts, where none is given."""
    tokenizer: str | None = None
    """Folder or file of a tokenizer; None: one is learnt, or that of the model gone on from."""
    start: str | None = None
    """Folder of a model to go on from; its own architecture and sizes then hold."""
    context: int = 512
    """Tokens that the model reads at once."""
    epochs: float = 1.0
    """Passes over the text; parts of one are allowed."""
    steps: int | None = None
    """Optimizer steps; None: as many as `epochs` make."""
    batch_tokens: int | None = None
    """Tokens in one step; None: what the dial says."""
    together_tokens: int = 4096
    """Tokens computed at once, at most; a larger step is computed in parts, whose gradients are added."""
    lr: float | None = None
    """Highest learning rate; None: what the dial says, and a third of that when going on from a model."""
    warmup: float = 0.03
    """Share of the steps in which the rate rises; then it falls as a cosine."""
    weight_decay: float = 0.1
    held_out: float = 0.02
    """Share of the documents (of fewer than twenty, of each one's text) that is not learnt from."""
    validation_tokens: int = 32_768
    """Held-out tokens that are measured as it goes, at most."""
    final_tokens: int = 262_144
    """Held-out tokens that are measured at the end, at most."""
    ngram: int = 5
    """Longest n-gram of the baseline, in tokens; 0: no baseline."""
    ngram_tokens: int = 50_000_000
    """Tokens that the baseline counts, at most, from the beginning; each takes about 60 bytes of memory."""
    keeping: Keeping | None = None
    """When to save and to measure; None: up to twenty times a run."""
    seed: int = 11
    device: str = "auto"
    """"cpu", "cuda", or "auto": a GPU where there is one."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take, measured on a few steps."""

    arch: str
    documents: int
    tokens: int
    """Distinct tokens to learn from."""
    vocabulary: int
    width: int
    layers: int
    parameters: int
    batch_tokens: int
    steps: int
    seconds: float
    memory: int
    """Bytes of working memory that training takes, about."""
    disk: int
    """Bytes on the disk, at most."""
    precision: str

    @property
    def tokens_a_second(self) -> float:
        """How fast it reads while it learns."""
        return self.batch_tokens * self.steps / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Trained:
    """What came out."""

    folder: Path
    estimate: Estimate
    scores: Mapping[str, float] = field(default_factory=dict)
    """Of the held-out text: perplexity per token predicted, and bits per byte where all tokens are."""
    baseline: Mapping[str, float] = field(default_factory=dict)
    """The same of counted n-grams, for what reads from left to right."""


def train(
    paths: Sequence[Path],
    out: Path,
    options: Options = Options(),
    *,
    dry_run: bool = False,
    announce: Callable[[Estimate], None] = lambda estimate: None,
    progress: Progress = silent,
) -> Trained:
    """Train a language model on the texts at `paths`, or go on with an interrupted run, and leave it in `out`.

    `announce` is told beforehand what it will take. With `dry_run` nothing is written. Raises UsageError for data or
    options that cannot be used, StorageError without enough room, Diverged where the loss is no number.
    """
    corpus = read_corpus(paths, options.held_out)
    from finetune.language.run import Run, prepared  # torch begins here
    from finetune.training import leads

    run = Run(prepared(corpus, options, progress), options)
    estimate = _estimate(run, corpus, options)
    announce(estimate)
    if dry_run:
        return Trained(out, estimate)
    require_free(out, estimate.disk)
    work = out / "training"
    storage.make_folder(work)
    baseline = run.baseline(work / "baseline.json", progress) if leads() else {}
    identity = {"data": corpus.sha256, "options": _plain(options)}
    best = run.train(work, identity, progress)
    if not leads():  # under torchrun the first process does what is left
        return Trained(out, estimate)
    run.save(best, out)
    scores = run.measured()
    _finish(out, paths, options, estimate, scores, baseline, run.samples())
    return Trained(out, estimate, scores, baseline)


def objective_of(options: Options) -> Objective:
    """Return what is to be predicted."""
    if options.start is None:
        return architecture.OBJECTIVES[architecture.sizes(options.arch, options.depth).arch]
    from finetune.language.models import objective_of as objective_of_folder

    return objective_of_folder(begun_with(options.start))


def begun_with(start: str) -> Path:
    """Return the folder of the model to go on from; of an encoder, that of its transformer.

    Raises UsageError where there is none, EncoderError for an encoder that must not be loaded.
    """
    folder = Path(start)
    if start == DEFAULT_NAME or (folder / "modules.json").is_file():
        return base_encoder(start)
    if not folder.is_dir():
        raise UsageError(
            f"There is no model folder {folder}.", "Give the folder of a language model or an encoder to --from."
        )
    return folder


def schedule_of(options: Options, lr: float, steps: int) -> Schedule:
    """Return how the rate goes."""
    rate = options.lr or (lr if options.start is None else lr / 3)
    return Schedule(
        lr=rate, new_lr=rate, warmup=max(1, round(options.warmup * steps)), weight_decay=options.weight_decay,
        shape="cosine",
    )  # fmt: skip


def keeping_of(options: Options, steps: int, batch_tokens: int) -> Keeping:
    """Return when to save and to measure: twenty times a run, but no more than a tenth of its time.

    Measuring a token takes a third of what learning from it does.
    """
    seldom = -(-options.validation_tokens * 10 // (3 * batch_tokens))
    every = max(1, -(-steps // 20), min(steps, seldom))
    return options.keeping or Keeping(save_every=every, validate_every=every, log_every=max(1, min(20, steps // 50)))


def _estimate(run: Any, corpus: Corpus, options: Options) -> Estimate:
    disk = architecture.checkpoint_bytes(run.parameters) + 100_000_000
    return Estimate(
        arch=run.arch,
        documents=corpus.documents,
        tokens=run.tokens,
        vocabulary=run.vocabulary,
        width=run.width,
        layers=run.layers,
        parameters=run.parameters,
        batch_tokens=run.batch_tokens,
        steps=run.steps,
        seconds=run.seconds_a_step() * run.steps,
        memory=architecture.training_memory(
            run.parameters, run.width, run.layers, run.vocabulary, run.part_tokens, bf16=run.precision == "bf16"
        ),
        disk=disk,
        precision=run.precision,
    )


def _plain(options: Options) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(options)))
    return plain


def _finish(
    out: Path,
    paths: Sequence[Path],
    options: Options,
    estimate: Estimate,
    scores: Mapping[str, float],
    baseline: Mapping[str, float],
    said: Sequence[str],
) -> None:
    from finetune.card import Card, table, write_card
    from finetune.language.sources import parent_of, sources_of
    from finetune.plots import draw_log

    names = dict.fromkeys([*scores, *baseline])
    rows = "\n".join(f"| {name} | {_number(scores, name)} | {_number(baseline, name)} |" for name in names)
    compared = f"| held-out text | this model | n-grams of up to {options.ngram} tokens |\n|---|---|---|\n{rows}"
    told = compared if baseline else table(scores, digits=3)
    summary = (
        f"A {estimate.arch} of {estimate.layers} layers, {estimate.width} wide, with {estimate.parameters:,} "
        f"parameters and {estimate.vocabulary:,} tokens. It learnt {estimate.steps:,} steps of "
        f"{estimate.batch_tokens:,} tokens, of {estimate.tokens:,} distinct ones from {estimate.documents:,} "
        f"documents, computed in {estimate.precision}."
    )
    shown = "\n\n".join("> " + sample.replace("\n", " ") for sample in said)
    write_card(
        out,
        Card(
            "A language model",
            summary,
            sources_of(paths),
            _plain(options),
            {"What it predicts": told, "What it says": shown},
            parent=parent_of(options.start),
        ),
    )
    draw_log(out / "training" / "log.jsonl", out / "training.svg", ("perplexity",), "perplexity")


def _number(scores: Mapping[str, float], name: str) -> str:
    return f"{scores[name]:.3f}" if name in scores else ""
