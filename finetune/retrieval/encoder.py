"""Trains an encoder on questions and their passages: from data files to a sentence-transformers folder to index with.

    OUT/  modules.json  config.json  model.safetensors  tokenizer.json  README.md  training.svg
    OUT/training/  last/  best/  log.jsonl  mined.jsonl  collections/  held-out.jsonl

The losses are those of sentence-transformers, multiple negatives ranking (van den Oord et al. 2018; Henderson et al.
2017) and its cached form (Gao et al. 2021), optionally at several dimensions (Kusupati et al. 2022). The loop is our
own: a checkpoint of the library's trainer holds pickles, and does not resume to the same bytes.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from finetune.card import Card, Source, table, write_card
from finetune.copying.negatives import passage_id
from finetune.plots import draw_log
from finetune.questions import Question
from finetune.resources import require_free
from finetune.retrieval.mining import MARGIN, Mined, mine, negatives_of
from finetune.retrieval.pairs import Pairs, asked_in, batches_of, read_pairs
from finetune.schedule import Keeping, Schedule
from indexer import storage
from indexer.encoders.fingerprint import fingerprint_of
from indexer.encoders.model_folder import DEFAULT_NAME, find_model_folder, inspect_model_folder
from indexer.errors import UsageError
from indexer.home import home_folder
from indexer.types import Progress, silent

if TYPE_CHECKING:
    from finetune.retrieval.encoder_run import EncoderRun

HELD_OUT = "held-out.jsonl"
"""The questions that nothing was learnt from, under `training`: what `train promote` asks by itself."""
_PER_PARAMETER = 30
"""Bytes on disk: two checkpoints with moments, and the model."""


@dataclass(frozen=True, slots=True)
class Options:
    """How an encoder is trained."""

    encoder: str | None = None
    """The sentence-transformers model to begin with, by name or folder; None: the default one."""
    epochs: float = 1.0
    """Passes over the questions; parts of one are allowed."""
    steps: int | None = None
    """Optimizer steps; None: as many as `epochs` make."""
    batch_size: int = 32
    """Questions in one step; each has the passages of all others as wrong ones."""
    cached: int | None = None
    """Texts embedded at once, for batches that do not fit into memory (Gao et al. 2021); None: all at once."""
    negatives: int = 1
    """Hard negatives for each question."""
    margin: float = MARGIN
    """Share of the right passage's cosine above which a passage is no negative, since it may be right too."""
    scale: float = 20.0
    """What cosines are multiplied by in the loss: the inverse of its temperature."""
    dimensions: tuple[int, ...] = ()
    """Shorter vectors that are to work too, by taking the first of their numbers; (): only whole ones."""
    max_tokens: int = 200
    """Tokens of a text that are learnt from, special ones included; what comes out reads as many as before."""
    keep: float = 0.3
    """Share of the weights before that is mixed into those learnt: what was known elsewhere is forgotten less
    (Wortsman et al. 2022, WiSE-FT, https://arxiv.org/abs/2109.01903)."""
    held_out: float = 0.1
    """Share of the questions, whole documents, kept for choosing the weights and for `train promote`."""
    validation: int = 200
    """Held-out questions that the best weights are chosen by, at most."""
    pool: int = 1000
    """Passages that they are ranked among: their own, their hard negatives, and others."""
    schedule: Schedule = field(default_factory=lambda: Schedule(lr=3e-5, new_lr=3e-5, warmup=20))
    keeping: Keeping = field(default_factory=lambda: Keeping(save_every=50, validate_every=100, log_every=5))
    seed: int = 11
    device: str = "auto"
    """"cpu", "cuda", or "auto": a GPU where there is one."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take, measured on a few steps."""

    questions: int
    passages: int
    steps: int
    seconds: float
    parameters: int
    """Those that are trained."""
    precision: str


@dataclass(frozen=True, slots=True)
class Trained:
    """What came out."""

    folder: Path
    estimate: Estimate
    validation: Mapping[str, float] = field(default_factory=dict)
    """nDCG@10 of held-out questions in per cent, `before` and `after`."""


Announce = Callable[[Estimate], None]


def train_encoder(
    sources: Sequence[Source],
    out: Path,
    options: Options = Options(),
    *,
    home: Path | None = None,
    dry_run: bool = False,
    announce: Announce = lambda estimate: None,
    progress: Progress = silent,
) -> Trained:
    """Train an encoder on `sources` and leave it in `out`; `announce` is told beforehand how long it will take.

    A run that was interrupted goes on. With `dry_run` nothing is written. Raises UsageError for data that does not read
    or is too little, StorageError without room on the disk, Diverged where the loss is not finite.
    """
    home, work = home or home_folder(), out / "training"
    pairs = read_pairs(sources, options.held_out, options.seed)
    chance = random.Random(options.seed)
    batches = batches_of(pairs.learn, options.batch_size, options.epochs, options.steps, chance)
    base = find_model_folder(options.encoder or DEFAULT_NAME)
    found: Mapping[str, Mined] = {}
    watched = chance.sample(pairs.held, min(options.validation, len(pairs.held)))
    if not dry_run:
        weights = sum(path.stat().st_size for path in inspect_model_folder(base).weights)
        require_free(out, _PER_PARAMETER // 4 * weights)
        asked = [*asked_in(pairs, batches if options.negatives else []), *watched]
        found = mine(pairs, asked, work, encoder=options.encoder, margin=options.margin, home=home, progress=progress)

    from finetune.retrieval.encoder_run import EncoderRun  # torch begins here

    run = EncoderRun(base, _groups(pairs, batches, found, options), options)
    estimate = Estimate(
        len({each.id for each in pairs.learn}), len(pairs.passages), len(batches),
        run.seconds_a_step() * len(batches), run.parameters, run.precision,
    )  # fmt: skip
    announce(estimate)
    if dry_run:
        return Trained(out, estimate)
    return _trained(run, sources, pairs, watched, found, out, options, estimate, home, progress)


def _trained(
    run: EncoderRun,
    sources: Sequence[Source],
    pairs: Pairs,
    watched: Sequence[Question],
    found: Mapping[str, Mined],
    out: Path,
    options: Options,
    estimate: Estimate,
    home: Path,
    progress: Progress,
) -> Trained:
    from finetune.training import leads

    work = out / "training"
    bench = _bench(watched, found, pairs, options)
    before = run.score(bench)
    identity = {"data": [source.sha256 for source in sources], "options": asdict(options)}
    best = run.train(work, bench, identity, progress)
    if not leads():  # under torchrun the first process does what is left
        return Trained(out, estimate)
    after = run.save(best, out, bench)
    scores = {"before": before, "after": after}
    write_held_out(work / HELD_OUT, pairs.held)
    _write_card(out, sources, options, estimate, scores, home)
    draw_log(work / "log.jsonl", out / "training.svg", ("ndcg@10",))
    return Trained(out, estimate, scores)


def _groups(
    pairs: Pairs, batches: Sequence[Sequence[int]], found: Mapping[str, Mined], options: Options
) -> list[list[list[str]]]:
    """Return, for each step, a column of questions, one of right passages and one for each hard negative.

    Where a question lacks a hard negative, another question's is taken: columns are of one length.
    """
    uses: dict[str, int] = {}
    groups = []
    for batch in batches:
        asked = [pairs.learn[number] for number in batch]
        right = {passage_id(each.passage) for each in asked}
        columns = [[each.text for each in asked], [pairs.text(passage_id(each.passage)) for each in asked]]
        own: list[list[str]] = []
        for each in asked:
            number = uses.get(each.id, 0)
            uses[each.id] = number + 1
            own.append([id for id in negatives_of(each, found, options.negatives, number) if id not in right])
        spare = sorted({id for near in own for id in near})
        for place in range(options.negatives if spare else 0):
            column = [near[place] if place < len(near) else spare[row % len(spare)] for row, near in enumerate(own)]
            columns.append([pairs.text(id) for id in column])
        groups.append(columns)
    return groups


@dataclass(frozen=True, slots=True)
class Bench:
    """Held-out questions and the passages that they are ranked among."""

    questions: list[str]
    right: list[int]
    """By question: the number of its passage."""
    passages: list[str]


def _bench(watched: Sequence[Question], found: Mapping[str, Mined], pairs: Pairs, options: Options) -> Bench:
    ids = dict.fromkeys(passage_id(each.passage) for each in watched)
    for place in range(10):
        for each in watched:
            near = found[each.id].found if each.id in found else ()
            if place < len(near) and len(ids) < options.pool:
                ids[near[place][0]] = None
    others = sorted(set(pairs.passages) - set(ids))
    ids |= dict.fromkeys(random.Random(options.seed).sample(others, max(0, min(len(others), options.pool - len(ids)))))
    places = {id: place for place, id in enumerate(ids)}
    return Bench(
        [each.text for each in watched],
        [places[passage_id(each.passage)] for each in watched],
        [pairs.text(id) for id in ids],
    )


def write_held_out(file: Path, questions: Sequence[Question]) -> None:
    """Write questions as JSON lines that `read_pairs` and `train promote` read."""
    lines = [
        json.dumps(
            {"id": each.id, "question": each.text, "title": each.title, "context": each.passage,
             "answers": list(each.answers), "document": each.document.partition("/")[2]},
            ensure_ascii=False,
        )
        for each in questions
    ]  # fmt: skip
    storage.write_file(file, ("\n".join(lines) + "\n").encode())


def _write_card(
    out: Path,
    sources: Sequence[Source],
    options: Options,
    estimate: Estimate,
    scores: Mapping[str, float],
    home: Path,
) -> None:
    name = options.encoder or DEFAULT_NAME
    parent = fingerprint_of(inspect_model_folder(find_model_folder(name)), home)
    summary = f"""It turns questions and passages into vectors that are near each other where they belong together.
{estimate.parameters:,} trained parameters, {estimate.questions:,} questions on {estimate.passages:,} passages,
{estimate.steps:,} steps, computed in {estimate.precision}. Of the weights {options.keep:g} is the parent's. A share of
{options.held_out:g} of the questions, whole documents, was held out for the score. No test set was used."""
    told = {"nDCG@10 of the parent": scores["before"], "nDCG@10": scores["after"]}
    card = Card(
        "An encoder", summary, sources, asdict(options),
        {"Held-out questions among a pool of passages, in per cent": table(told)},
        parent=f"{name}, fingerprint `{parent}`",
        front={"library_name": "sentence-transformers", "pipeline_tag": "sentence-similarity"},
    )  # fmt: skip
    write_card(out, card)


def check(options: Options) -> None:
    """Raise UsageError for options that cannot be."""
    if not 0 <= options.keep < 1:
        raise UsageError(f"--keep must be from 0 to below 1, not {options.keep:g}.", "For example: --keep 0.3")
    if options.batch_size < 2:
        raise UsageError("A batch of one question has nothing to tell it from.", "Give --batch-size 2 or more.")
