"""Trains a reranker on questions and their passages: from data files to a cross-encoder's folder to search with.

    OUT/  config.json  model.safetensors  tokenizer.json  reranker.json  README.md  training.svg
    OUT/training/  last/  best/  log.jsonl  mined.jsonl  collections/  held-out.jsonl

It begins with an encoder's layers, reads question and passage together, and learns to give the right passage more than
the hard negatives that the search found beside it (softmax over each question's passages, as in Cao et al. 2007,
ListNet with one right one). How much say it gets beside the search is fitted on held-out questions.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from finetune.card import Card, Source, table, write_card
from finetune.copying.negatives import passage_id
from finetune.plots import draw_log
from finetune.questions import Question
from finetune.resources import require_free
from finetune.retrieval.encoder import HELD_OUT, Announce, Estimate, Trained, write_held_out
from finetune.retrieval.mining import MARGIN, Mined, mine, negatives_of
from finetune.retrieval.pairs import Pairs, asked_in, batches_of, read_pairs
from finetune.retrieval.ranking import ndcg, rank_of
from finetune.schedule import Keeping, Schedule
from indexer import storage
from indexer.encoders.model_folder import DEFAULT_NAME, find_model_folder, inspect_model_folder
from indexer.errors import UsageError
from indexer.home import home_folder
from indexer.types import Hit, Progress, silent
from rag.reranking.folder import SETTINGS, Use, read_reranker, settings_json
from rag.reranking.reranker import blended

WEIGHTS_TRIED = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_COPIES = 8
"""Times the weights' size that a run takes on the disk: two checkpoints with moments, and the model."""

Score = Callable[[str, Sequence[str]], Sequence[float]]
"""The reranker's scores of texts for a question."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a reranker is trained."""

    encoder: str | None = None
    """The encoder whose layers it begins with, and whose search finds the negatives; None: the default one."""
    base: str | None = None
    """The folder of a reranker to go on from; None: the encoder's layers."""
    epochs: float = 1.0
    """Passes over the questions; parts of one are allowed."""
    steps: int | None = None
    """Optimizer steps; None: as many as `epochs` make."""
    batch_size: int = 8
    """Questions in one step."""
    negatives: int = 3
    """Hard negatives for each question; a question that has fewer gets others of its batch."""
    margin: float = MARGIN
    """Share of the right passage's cosine above which a passage is no negative, since it may be right too."""
    max_tokens: int = 256
    """Most tokens of question and passage together, in training and afterwards."""
    depth: int = 20
    """Hits that it will be asked about."""
    held_out: float = 0.1
    """Share of the questions, whole documents, kept for choosing the weights and for `train promote`."""
    validation: int = 60
    """Held-out questions that the weights, and its say, are chosen by, at most: each is `depth` pairs to read."""
    schedule: Schedule = field(default_factory=lambda: Schedule(lr=3e-5, new_lr=3e-4, warmup=50))
    keeping: Keeping = field(default_factory=lambda: Keeping(save_every=100, validate_every=200, log_every=10))
    seed: int = 11
    device: str = "auto"
    """"cpu", "cuda", or "auto": a GPU where there is one."""


def train_reranker(
    sources: Sequence[Source],
    out: Path,
    options: Options = Options(),
    *,
    home: Path | None = None,
    dry_run: bool = False,
    announce: Announce = lambda estimate: None,
    progress: Progress = silent,
) -> Trained:
    """Train a reranker on `sources` and leave it in `out`; `announce` is told beforehand how long it will take.

    A run that was interrupted goes on. With `dry_run` nothing is written. Raises UsageError for data that does not read
    or is too little, EncoderError for a base that is none, StorageError without room, Diverged where the loss is not
    finite.
    """
    home, work = home or home_folder(), out / "training"
    begun_with = _begun_with(options)
    pairs = read_pairs(sources, options.held_out, options.seed)
    chance = random.Random(options.seed)
    batches = batches_of(pairs.learn, options.batch_size, options.epochs, options.steps, chance)
    watched = chance.sample(pairs.held, min(options.validation, len(pairs.held)))
    found: Mapping[str, Mined] = {}
    if not dry_run:
        require_free(out, _COPIES * (begun_with / "model.safetensors").stat().st_size)
        asked = [*asked_in(pairs, batches), *watched]
        found = mine(pairs, asked, work, encoder=options.encoder, margin=options.margin, home=home, progress=progress)

    from finetune.retrieval.reranker_run import RerankerRun  # torch begins here

    run = RerankerRun(begun_with, groups_of(pairs, batches, found, options.negatives), options)
    estimate = Estimate(
        len({each.id for each in pairs.learn}), len(pairs.passages), len(batches),
        run.seconds_a_step() * len(batches), run.parameters, run.precision,
    )  # fmt: skip
    announce(estimate)
    if dry_run:
        return Trained(out, estimate)
    identity = {"data": [source.sha256 for source in sources], "options": asdict(options)}

    def validate() -> dict[str, float]:
        return {"ndcg@10": max(blends(run.scores, watched, found, pairs, options.depth).values())}

    best = run.train(work, validate, identity, progress)
    from finetune.training import leads

    if not leads():  # under torchrun the first process does what is left
        return Trained(out, estimate)
    run.save(best, out)
    by_weight = blends(run.scores, watched, found, pairs, options.depth)
    weight = max(by_weight, key=lambda each: (by_weight[each], -each))
    storage.write_file(out / SETTINGS, settings_json(Use(options.max_tokens, options.depth, weight)))
    read_reranker(out)  # what is left there can be searched with
    scores = {"search": by_weight[0.0], "reranker alone": by_weight[1.0], "both": by_weight[weight]}
    write_held_out(work / HELD_OUT, pairs.held)
    _write_card(out, sources, options, estimate, scores, weight)
    draw_log(work / "log.jsonl", out / "training.svg", ("ndcg@10",))
    return Trained(out, estimate, scores)


def _begun_with(options: Options) -> Path:
    """Return the folder of the weights to begin with."""
    if options.base is not None:
        return read_reranker(Path(options.base)).path
    return inspect_model_folder(find_model_folder(options.encoder or DEFAULT_NAME)).transformer


Group = list[tuple[str, list[str]]]
"""What one step learns from: questions, each with its passages: the right one first, as many for all."""


def groups_of(
    pairs: Pairs, batches: Sequence[Sequence[int]], found: Mapping[str, Mined], negatives: int
) -> list[Group]:
    """Return the groups of all steps; where hard negatives lack, right passages of the same batch are taken."""
    uses: dict[str, int] = {}
    groups: list[Group] = []
    for batch in batches:
        asked = [pairs.learn[number] for number in batch]
        right = [passage_id(each.passage) for each in asked]
        width = min(negatives, max(1, len(asked) - 1))
        group: Group = []
        for place, each in enumerate(asked):
            number = uses.get(each.id, 0)
            uses[each.id] = number + 1
            others = [right[(place + step) % len(asked)] for step in range(1, len(asked))]
            wrong = list(dict.fromkeys([*negatives_of(each, found, negatives, number), *others]))[:width]
            if len(wrong) == width:
                group.append((each.text, [pairs.text(id) for id in (right[place], *wrong)]))
        if group:
            groups.append(group)
    if not groups:
        raise UsageError(
            "No question has a wrong passage to learn from.", "Give questions on more passages, or a larger batch."
        )
    return groups


def blends(
    score: Score, watched: Sequence[Question], found: Mapping[str, Mined], pairs: Pairs, depth: int
) -> dict[float, float]:
    """Return the nDCG@10 of held-out questions, in per cent, for each say that the reranker might get."""
    ranks: dict[float, list[int | None]] = {weight: [] for weight in WEIGHTS_TRIED}
    for question in watched:
        hits = found[question.id].found
        places = {place: id for place, (id, _) in enumerate(hits)}
        ranking = [Hit(place, value) for place, (_, value) in enumerate(hits)]
        head = [places[hit.chunk_id] for hit in ranking[:depth]]
        read = dict(enumerate(score(question.text, [pairs.text(id) for id in head]) if head else ()))
        for weight, kept in ranks.items():
            order = [places[hit.chunk_id] for hit in blended(ranking, read, weight)]
            kept.append(rank_of(passage_id(question.passage), order))
    return {weight: ndcg(kept) for weight, kept in ranks.items()}


def _write_card(
    out: Path,
    sources: Sequence[Source],
    options: Options,
    estimate: Estimate,
    scores: Mapping[str, float],
    weight: float,
) -> None:
    summary = f"""It reads a question and a passage together, and says how well the passage answers. The
{options.depth} best passages of a search are ordered by both, with a weight of {weight:g} for this model, fitted on
held-out questions. {estimate.parameters:,} trained parameters, {estimate.questions:,} questions on
{estimate.passages:,} passages, {estimate.steps:,} steps, computed in {estimate.precision}. A share of
{options.held_out:g} of the questions, whole documents, was held out for the scores. No test set was used."""
    card = Card(
        "A reranker", summary, sources, asdict(options),
        {"nDCG@10 of held-out questions, in per cent": table(scores)},
        parent=options.base or options.encoder or DEFAULT_NAME,
        front={"pipeline_tag": "text-ranking"},
    )  # fmt: skip
    write_card(out, card)
