"""Trains a copying generator from questions with answers: one call from data files to a model folder that can be asked.

    OUT/  config.json  model.safetensors  confidence.json  README.md  SHA256SUMS  training.svg
    OUT/training/  last/  best/  log.jsonl  near.jsonl  collections/

Every stage leaves its result in OUT, so that a run that was interrupted goes on where it stood.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from finetune.card import Source
from finetune.copying.card import write_generator_card
from finetune.copying.edits import Alike
from finetune.copying.examples import Encoded, Encoder, plan
from finetune.copying.mixing import Mixture, examples
from finetune.copying.negatives import Near, near_passages, passages_collection
from finetune.copying.neighbours import read_neighbours
from finetune.plots import draw_log
from finetune.questions import Question
from finetune.schedule import Keeping, Schedule
from finetune.splitting import read_split, split_by_document
from indexer.encoder import open_encoder
from indexer.errors import UsageError
from indexer.home import home_folder
from indexer.types import Progress, silent
from rag.copying.folder import CONFIDENCE, TOKENIZER, base_encoder, write_sums
from rag.copying.layout import Layout, Tokens

if TYPE_CHECKING:
    from finetune.copying.run import Run


@dataclass(frozen=True, slots=True)
class Options:
    """How a copying generator is trained."""

    epochs: float = 1.0
    """Passes over the data; parts of one are allowed."""
    steps: int | None = None
    """Optimizer steps; None: as many as `epochs` make."""
    batch_tokens: int = 5632
    """Padded tokens in one step, about 32 paragraphs."""
    schedule: Schedule = field(default_factory=Schedule)
    keeping: Keeping = field(default_factory=Keeping)
    mixture: Mixture = field(default_factory=Mixture)
    layout: Layout = field(default_factory=Layout)
    yes_no: bool = False
    """Whether it learns to say yes and no; it does wherever questions of the data ask for that."""
    span_tokens: int = 30
    """Longest span that can be copied, in tokens."""
    dropout: float = 0.1
    """Share of what each layer says that is put out while it learns (Srivastava et al. 2014)."""
    writes: bool = True
    """Whether it can string spans and words together; without, an answer is one span."""
    encoder: str | None = None
    """A BERT or MPNet in the layout of sentence-transformers to begin with, by name or folder; None: the default."""
    base: str | None = None
    """A copying generator's model folder to go on from; None: the encoder's weights."""
    average: tuple[tuple[str, float], ...] = ()
    """Generators, by folder, whose weights are mixed into the chosen ones, and the share of each."""
    frozen_embeddings: bool = True
    """Whether the embeddings stay those of the encoder; the default one's are then left out of the model folder."""
    held_out: float = 0.09
    """Share of the questions, whole documents, kept for choosing the best weights and for fitting the confidence."""
    negatives: int = 30_000
    """Questions that hard negatives are looked for, at most."""
    validation: int = 500
    """Held-out questions that the best weights are chosen by, at most."""
    confidence: int = 1500
    """Held-out questions that the confidence is fitted on, at most."""
    seed: int = 11
    device: str = "auto"
    """"cpu", "cuda", or "auto": a GPU where there is one."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take, measured on a few steps."""

    questions: int
    """Distinct questions it learns from."""
    examples: int
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
    """Scores of the chosen weights on held-out questions, in per cent."""


@dataclass(frozen=True, slots=True)
class _Data:
    learn: list[Question]
    validate: list[Question]
    calibrate: list[Question]
    weights: Mapping[str, float]
    """By a question's id: how often it is learnt in one pass."""


@dataclass(frozen=True, slots=True)
class _Learnt:
    run: Run
    best: Path
    """The checkpoint that was chosen."""
    data: _Data
    near: Near
    alike: Alike
    estimate: Estimate
    scores: Mapping[str, float]


def train_generator(
    sources: Sequence[Source],
    out: Path,
    options: Options = Options(),
    *,
    home: Path | None = None,
    passages: Path | None = None,
    dry_run: bool = False,
    announce: Callable[[Estimate], None] = lambda estimate: None,
    progress: Progress = silent,
) -> Trained:
    """Train a generator on `sources` and leave it in `out`; `announce` is told beforehand how long it will take.

    `passages` is where the passages' collection and their hard negatives are kept, for several runs on the same data;
    by default in `out`. With `dry_run` nothing is written, and hard negatives are left out of the estimate. Raises
    UsageError for data that does not read, Diverged where the loss is not finite.
    """
    home, work = home or home_folder(), out / "training"
    mined = None if dry_run else passages or work
    learnt = _learn(sources, work, options, home, mined, dry_run, announce, progress)
    from finetune.training import leads

    if dry_run or not leads():  # under torchrun the first process does what is left
        return Trained(out, learnt.estimate)
    learnt.run.save(learnt.best, out)
    _fit_confidence(learnt, out, passages or work, home, options, progress)
    write_generator_card(out, sources, options, learnt.estimate, learnt.scores)
    write_sums(out)
    draw_log(work / "log.jsonl", out / "training.svg")
    return Trained(out, learnt.estimate, learnt.scores)


def train_weights(
    sources: Sequence[Source],
    work: Path,
    options: Options,
    *,
    home: Path | None = None,
    passages: Path | None = None,
    progress: Progress = silent,
) -> Trained:
    """Train as `train_generator` does, and stop when the weights are chosen: enough to compare two ways of training.

    Hard negatives are looked for where the mixture has a use for them.
    """
    mined = passages or work if options.mixture.competing or options.mixture.missing else None
    learnt = _learn(sources, work, options, home or home_folder(), mined, False, lambda estimate: None, progress)
    return Trained(learnt.best, learnt.estimate, learnt.scores)


def _learn(
    sources: Sequence[Source],
    work: Path,
    options: Options,
    home: Path,
    mined: Path | None,
    dry_run: bool,
    announce: Callable[[Estimate], None],
    progress: Progress,
) -> _Learnt:
    data = _read(sources, options)
    options = replace(options, yes_no=options.yes_no or any(question.yes_no for question in data.learn))
    near: Near = {}
    if mined is not None:
        mined.mkdir(parents=True, exist_ok=True)
        near = _near(data, mined, home, options, progress)
    transformer = base_encoder(options.encoder)
    alike = read_neighbours(transformer, sorted({question.passage for question in data.learn}))
    encoder = Encoder(Tokens(transformer / TOKENIZER, options.layout), options.span_tokens, writes=options.writes)
    chance = random.Random(options.seed)
    encoded = _encoded(data, near, alike, encoder, options, chance, progress)
    batches = _planned(encoded, options, chance)

    from finetune.copying.run import Run  # torch begins here

    run = Run(encoded, batches, options)
    seconds = run.seconds_a_step() * len(batches)
    estimate = Estimate(len(data.learn), len(encoded), len(batches), seconds, run.parameters, run.precision)
    announce(estimate)
    if dry_run:
        return _Learnt(run, work, data, near, alike, estimate, {})
    identity = {"data": [source.sha256 for source in sources], "options": asdict(options)}
    best = run.train(work, _watched(data.validate, encoder, options), identity, progress)
    return _Learnt(run, best, data, near, alike, estimate, _chosen_scores(work / "log.jsonl", best))


def _read(sources: Sequence[Source], options: Options) -> _Data:
    learn: list[Question] = []
    held: list[Question] = []
    weights: dict[str, float] = {}
    for number, source in enumerate(sources):
        kept, out = read_split(source, number, options.held_out)
        weights.update({question.id: source.weight for question in (*kept, *out)})
        learn += kept
        held += out
    if not any(question.answers for question in learn):
        raise UsageError("No question of the data has an answer.", "Give questions with `answers`.")
    random.Random(options.seed).shuffle(held)
    watch, fit = split_by_document(held, 0.5, draw=2)
    if len(watch) < 20 or len(fit) < 50:
        raise UsageError(
            f"Only {len(held)} questions could be held out, of {len(learn) + len(held)}; at least 100 are needed.",
            "Give more questions, on more documents, or a larger --held-out.",
        )
    return _Data(learn, watch[: options.validation], fit[: options.confidence], weights)


def _near(data: _Data, work: Path, home: Path, options: Options, progress: Progress) -> Near:
    """Look for the hard negatives: held-out passages only for held-out questions."""
    chance = random.Random(options.seed)
    asked = [question for question in data.learn if question.answers]
    asked = chance.sample(asked, min(options.negatives, len(asked)))
    known = [*data.learn, *data.validate, *data.calibrate]
    collection = passages_collection(known, work, open_encoder(None, home, progress), progress)
    found = dict(near_passages(collection, asked, data.learn, work / "near.jsonl", progress))
    found.update(near_passages(collection, data.calibrate, known, work / "near-held-out.jsonl", progress))
    return found


def _encoded(
    data: _Data,
    near: Near,
    alike: Alike,
    encoder: Encoder,
    options: Options,
    chance: random.Random,
    progress: Progress,
) -> list[Encoded]:
    """Make the examples of all passes and turn them into tokens."""
    whole, part = divmod(options.epochs, 1.0)
    encoded: list[Encoded] = []
    for number in range(int(whole) + (part > 0)):
        share = 1.0 if number < whole else part
        drawn = [question for question in data.learn for _ in range(_times(data.weights[question.id] * share, chance))]
        if options.steps is not None:
            drawn = _enough(drawn, options.steps * options.batch_tokens, chance)
        for done, example in enumerate(examples(drawn, near, options.mixture, chance, alike)):
            found = encoder.encode(example, chance)
            if found is not None:
                encoded.append(found)
            if done % 1000 == 0:
                progress("turning questions into tokens", min(done, len(drawn)), len(drawn))
    return encoded


def _enough(drawn: list[Question], tokens: int, chance: random.Random) -> list[Question]:
    """Return some of the questions by chance, whose passages have at least so many tokens, or all of them.

    A token is reckoned five characters: English ones have rather fewer. So little is encoded that is not learnt.
    """
    if sum(len(question.passage) for question in drawn) <= 5 * tokens:
        return drawn
    found, left = [], 5 * tokens
    for question in chance.sample(drawn, len(drawn)):
        if left <= 0:
            break
        found.append(question)
        left -= len(question.passage)
    return found


def _times(weight: float, chance: random.Random) -> int:
    return int(weight) + (chance.random() < weight % 1.0)


def _planned(encoded: Sequence[Encoded], options: Options, chance: random.Random) -> list[list[int]]:
    batches = plan(encoded, options.batch_tokens, chance)
    if options.steps is None:
        return batches
    while len(batches) < options.steps:
        batches += plan(encoded, options.batch_tokens, chance)
    return batches[: options.steps]


def _watched(questions: Sequence[Question], encoder: Encoder, options: Options) -> list[tuple[Question, Encoded]]:
    """Return the validation questions in tokens, each with its own passage."""
    plain = Mixture(titled=0, competing=0, missing=0, edited=0, two_part=0, tables=0)
    watched = []
    for question in questions:
        for example in examples([question], {}, plain, random.Random(options.seed)):
            encoded = encoder.encode(example, random.Random(options.seed))
            if encoded is not None:
                watched.append((question, encoded))
    return watched


def _fit_confidence(learnt: _Learnt, out: Path, work: Path, home: Path, options: Options, progress: Progress) -> None:
    """Fit both confidences through the converted generator: what is fitted is what will be asked."""
    from finetune.copying import confidence
    from indexer import storage
    from indexer.collection import Collection
    from rag.copying.conversion import convert
    from rag.copying.folder import read_folder
    from rag.copying.generator import CopyingGenerator

    storage.write_file(out / CONFIDENCE, b"{}\n")
    write_sums(out)
    folder = read_folder(out)
    generator = CopyingGenerator(folder, convert(folder, home))
    asked = [question for question in learnt.data.calibrate if question.answers and not question.yes_no]
    collection = Collection("passages", work, open_encoder(None, home))
    given = list(confidence.given_cases(asked, learnt.near, random.Random(options.seed), learnt.alike))
    retrieved = list(confidence.retrieved_cases(collection, asked))
    models = {
        "given": confidence.fit(generator, given, progress),
        "retrieved": confidence.fit(generator, retrieved, progress),
    }
    storage.write_file(out / CONFIDENCE, (json.dumps(models, indent=1) + "\n").encode())


def _chosen_scores(file: Path, best: Path) -> dict[str, float]:
    step = json.loads((best / "state.json").read_text())["step"]
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return next((row["validation"] for row in rows if row["step"] == step and "validation" in row), {})
