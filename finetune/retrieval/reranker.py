"""Trains a reranker on questions and their passages: from data files to a cross-encoder's folder to search with.

    OUT/  config.json  model.safetensors  tokenizer.json  reranker.json  README.md  training.svg
    OUT/training/  last/  best/  log.jsonl  mined.jsonl  collections/  held-out.jsonl

It begins with the layers of the copying generator, which have learnt to read question and passage together, or with an
encoder's, and learns to give the right passage more than the hard negatives that the search found beside it (softmax
over each question's passages, as in Cao et al. 2007, ListNet with one right one). How much say it gets beside the
search is fitted on held-out questions.
"""

from __future__ import annotations

import math
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
from finetune.retrieval.ranking import gain, ndcg, rank_of
from finetune.schedule import Keeping, Schedule
from indexer import storage
from indexer.encoders.model_folder import DEFAULT_NAME, STATIC, ModelFolder, find_model_folder, inspect_model_folder
from indexer.errors import EncoderError, UsageError
from indexer.home import home_folder
from indexer.model_files import TOKENIZER
from indexer.types import Hit, Progress, silent
from rag.copying.folder import SHIPPED, WEIGHTS, base_encoder, file_hash, is_copying, read_folder, tokenizer_file
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
    """The encoder whose search finds the negatives; None: the default one."""
    base: str | None = None
    """The folder of a reranker, a copying generator or an encoder to begin with; None: the shipped generator where the
    encoder has the same tokens, else the encoder."""
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
    start = begun_with(options)
    pairs = read_pairs(sources, options.held_out, options.seed)
    chance = random.Random(options.seed)
    batches = batches_of(pairs.learn, options.batch_size, options.epochs, options.steps, chance)
    watched = chance.sample(pairs.held, min(options.validation, len(pairs.held)))
    found: Mapping[str, Mined] = {}
    if not dry_run:
        require_free(out, _COPIES * _size(start))
        asked = [*asked_in(pairs, batches), *watched]
        found = mine(pairs, asked, work, encoder=options.encoder, margin=options.margin, home=home, progress=progress)

    from finetune.retrieval.reranker_run import RerankerRun  # torch begins here

    run = RerankerRun(start, groups_of(pairs, batches, found, options.negatives), options)
    estimate = Estimate(
        len({each.id for each in pairs.learn}), len(pairs.passages), len(batches),
        run.seconds_a_step() * len(batches), run.parameters, run.precision,
    )  # fmt: skip
    announce(estimate)
    if dry_run:
        return Trained(out, estimate)
    identity = {"data": [source.sha256 for source in sources], "options": asdict(options)}

    def validate() -> dict[str, float]:
        return {"ndcg@10": max(map(ndcg, blends(run.scores, watched, found, pairs, options.depth).values()))}

    best = run.train(work, validate, identity, progress)
    from finetune.training import leads

    if not leads():  # under torchrun the first process does what is left
        return Trained(out, estimate)
    run.save(best, out)
    by_weight = blends(run.scores, watched, found, pairs, options.depth)
    weight = fitted_weight(by_weight)
    storage.write_file(out / SETTINGS, settings_json(Use(options.max_tokens, options.depth, weight)))
    read_reranker(out)  # what is left there can be searched with
    scores = {"search": ndcg(by_weight[0.0]), "reranker alone": ndcg(by_weight[1.0]), "both": ndcg(by_weight[weight])}
    write_held_out(work / HELD_OUT, pairs.held)
    _write_card(out, sources, options, estimate, scores, weight)
    draw_log(work / "log.jsonl", out / "training.svg", ("ndcg@10",))
    return Trained(out, estimate, scores)


def begun_with(options: Options) -> Path:
    """Return the folder of the weights to begin with. Raises EncoderError where there are none."""
    if options.base is None:
        encoder = inspect_model_folder(find_model_folder(options.encoder or DEFAULT_NAME))
        read_alike = file_hash(encoder.transformer / TOKENIZER) == file_hash(tokenizer_file(read_folder()))
        return SHIPPED if read_alike else _layers(encoder)
    base = Path(options.base)
    if is_copying(base):
        return base
    if (base / "modules.json").is_file():
        return _layers(inspect_model_folder(base))
    return read_reranker(base).path


def _layers(encoder: ModelFolder) -> Path:
    """Return the folder of the encoder's transformer."""
    if encoder.modules[0] == STATIC:
        raise EncoderError(
            f"{encoder.path} is a static encoder, without layers that could learn to read a question with a passage.",
            "Give a reranker, a copying generator or another encoder to begin with: --base FOLDER",
        )
    return encoder.transformer


def _size(start: Path) -> int:
    """Return about how many bytes the weights take in full precision; a generator's are halved, without embeddings."""
    return ((base_encoder() if is_copying(start) else start) / WEIGHTS).stat().st_size


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
) -> dict[float, list[int | None]]:
    """Return where held-out questions have their right passage, for each say that the reranker might get."""
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
    return ranks


def fitted_weight(ranks: Mapping[float, Sequence[int | None]]) -> float:
    """Return the least say that is as good as the best: within a standard error of the paired difference.

    Held-out questions are few, and those made from documents favour what was trained on such (the one-standard-error
    rule: Breiman et al. 1984, section 3.4.3, here of paired differences).
    """
    best = max(ranks, key=lambda each: (ndcg(ranks[each]), -each))
    for weight in sorted(ranks):
        lost = [gain(one) - gain(other) for one, other in zip(ranks[best], ranks[weight], strict=True)]
        mean = math.fsum(lost) / max(1, len(lost))
        variance = math.fsum((each - mean) ** 2 for each in lost) / max(1, len(lost) - 1)
        if mean <= math.sqrt(variance / max(1, len(lost))):
            return weight
    return best


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
