"""Distils a static encoder from a collection: a vector a token, such that their mean is near what the encoder gave.

    OUT/  modules.json  0_StaticEmbedding/{model.safetensors, tokenizer.json}  README.md  training.svg
    OUT/training/  last/  log.jsonl

It begins with the encoder's vector of each token alone, on the axes on which the collection's vectors differ most, and
with rare tokens weighing more (Tulkens & van Dongen 2024, "Model2Vec"; Arora et al. 2017, smooth inverse frequency).
Then it learns from the collection itself, whose vectors are there already: passages, and their sentences, since
questions are short.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from finetune.card import Card, table, write_card
from finetune.plots import draw_log
from finetune.resources import require_free
from finetune.schedule import Keeping, Schedule
from finetune.splitting import place
from indexer.encoders.converted import TOKENIZER, converted_folder
from indexer.encoders.tokens import PassageTokenizer
from indexer.errors import UsageError
from indexer.sentences import sentences
from indexer.types import Progress, Vectors, silent
from rag.reranking.reranker import text_read

if TYPE_CHECKING:
    from indexer.collection import Collection
    from indexer.encoder import Encoder

MIN_PASSAGES = 50
"""Passages below which there is nothing to learn from."""
_SHORT = 40  # characters: what is shorter is a heading or a list's number


@dataclass(frozen=True, slots=True)
class Options:
    """How a static encoder is distilled."""

    dimensions: int = 256
    """Numbers in a vector; no more than the encoder's."""
    epochs: float = 3.0
    """Passes over the texts."""
    steps: int | None = None
    """Optimizer steps; None: as many as `epochs` make."""
    batch_size: int = 256
    """Texts in one step."""
    sentences: int = 5000
    """Sentences that are embedded and learnt from besides the passages, at most."""
    held_out: float = 0.05
    """Share of the passages kept for the score."""
    frequency: float = 1e-3
    """Share of all tokens at which a token counts half: a in a / (a + p(token)) of Arora et al."""
    schedule: Schedule = field(default_factory=lambda: Schedule(lr=2e-3, new_lr=2e-3, warmup=20, weight_decay=0.0))
    keeping: Keeping = field(default_factory=lambda: Keeping(save_every=200, validate_every=200, log_every=20))
    seed: int = 11


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take."""

    texts: int
    steps: int
    seconds: float
    parameters: int


@dataclass(frozen=True, slots=True)
class Distilled:
    """What came out."""

    folder: Path
    estimate: Estimate
    scores: Mapping[str, float] = field(default_factory=dict)
    """Mean cosine to the encoder's vectors on held-out passages, and how many of a passage's ten nearest others are
    the same ones (in per cent): before learning and after."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What is learnt from: token ids of texts, and the vectors (n, dim) that they are to have."""

    tokens: list[list[int]]
    vectors: Vectors


def train_static(
    collection: Collection,
    out: Path,
    options: Options = Options(),
    *,
    dry_run: bool = False,
    announce: Callable[[Estimate], None] = lambda estimate: None,
    progress: Progress = silent,
) -> Distilled:
    """Distil a static encoder from the encoder and the passages of `collection`, and leave it in `out`.

    With `dry_run` nothing is written. Raises UsageError for a collection that is too small, or vectors longer than the
    encoder's; NotFound where there is no such collection; Diverged where the loss is not finite.
    """
    encoder = collection.encoder
    if not 2 <= options.dimensions <= encoder.dim:
        raise UsageError(
            f"The encoder's vectors have {encoder.dim} numbers, so those of a static one have 2 to {encoder.dim}.",
            f"Give --dimensions {encoder.dim} or fewer.",
        )
    tokenizer_file = converted_folder(encoder.fingerprint, collection.home) / TOKENIZER
    passages, vectors = _passages(collection)
    if len(passages) < MIN_PASSAGES:
        raise UsageError(
            f"Collection {collection.name!r} has {len(passages)} passages; at least {MIN_PASSAGES} are needed.",
            "Index more documents first.",
        )
    axes = main_axes(vectors, options.dimensions)  # (dim, d)
    if not dry_run:
        require_free(out, 16 * encoder.dim * 40_000)
    from finetune.retrieval.static_run import StaticRun  # torch begins here

    learn, held = _split(passages, vectors, options)
    own = _sentences([passages[number] for number in learn], options, random.Random(options.seed))
    tokenizer = PassageTokenizer(tokenizer_file, encoder.max_tokens)
    ids = tokenizer.plain_ids([*(passages[number] for number in learn), *own])
    wanted = vectors[learn]
    if own and not dry_run:
        wanted = np.concatenate([wanted, encoder.embed_passages(own, progress)])
    learnt = Texts(ids[: len(wanted)], unit(wanted @ axes))
    watched = Texts(tokenizer.plain_ids([passages[number] for number in held]), unit(vectors[held] @ axes))
    table_ = first_table(_token_vectors(encoder, tokenizer_file, progress, dry_run), axes, learnt.tokens, options)
    run = StaticRun(table_, learnt, watched, options)
    estimate = Estimate(len(ids), run.steps, run.seconds_a_step() * run.steps, table_.size)
    announce(estimate)
    if dry_run:
        return Distilled(out, estimate)
    before = run.scores()
    identity = {"encoder": encoder.fingerprint, "generation": collection.generation, "options": asdict(options)}
    run.train(out / "training", identity, progress)
    run.save(tokenizer_file, out)
    after = run.scores()
    scores = {f"{name} before learning": value for name, value in before.items()} | after
    _write_card(out, collection, options, estimate, scores)
    draw_log(out / "training" / "log.jsonl", out / "training.svg", ("cosine", "neighbours"))
    return Distilled(out, estimate, scores)


def _passages(collection: Collection) -> tuple[list[str], Vectors]:
    """Return the distinct texts that the collection's encoder read, and their vectors (n, dim)."""
    from sqlalchemy import select

    from indexer.schema import chunks
    from indexer.schema import vectors as stored

    query = select(chunks.c.context, chunks.c.text, stored.c.vector).join(stored, stored.c.chunk_id == chunks.c.id)
    with collection.reading() as connection:
        rows = {text_read(row[0], row[1]): row[2] for row in connection.execute(query.order_by(chunks.c.id))}
    if not rows:
        return [], np.empty((0, 0), dtype=np.float32)
    return list(rows), np.stack([np.frombuffer(each, dtype="<f4") for each in rows.values()])


def _split(passages: Sequence[str], vectors: Vectors, options: Options) -> tuple[list[int], list[int]]:
    order = sorted(range(len(passages)), key=lambda number: place(passages[number]))
    held = max(12, round(options.held_out * len(order)))
    return sorted(order[held:]), sorted(order[:held])


def _sentences(passages: Sequence[str], options: Options, chance: random.Random) -> list[str]:
    found = [text[start:end] for text in passages for start, end in sentences(text) if end - start >= _SHORT]
    distinct = list(dict.fromkeys(found))
    return chance.sample(distinct, min(options.sentences, len(distinct)))


def main_axes(vectors: Vectors, dimensions: int) -> Vectors:
    """Return the orthonormal axes (dim, dimensions) on which vectors (n, dim) are largest, in the least squares sense.

    Not centred: the dot product is to stay what it was, as far as so few numbers can hold it.
    """
    _, found = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)  # ascending
    axes = found[:, ::-1][:, :dimensions]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dimensions)])
    return np.ascontiguousarray(axes * signs, dtype=np.float32)


def unit(vectors: Vectors) -> Vectors:
    """Return the rows scaled to length one."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _token_vectors(encoder: Encoder, tokenizer_file: Path, progress: Progress, dry_run: bool) -> Vectors:
    """Return the encoder's vector of each token alone, shape (vocabulary, dim)."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    count = 1 + max(tokenizer.get_vocab().values())  # ids may have gaps
    if dry_run:
        return np.zeros((count, encoder.dim), dtype=np.float32)
    spelled = [tokenizer.decode([number]).replace("##", "") or str(tokenizer.id_to_token(number)) for number in
               range(count)]  # fmt: skip
    return encoder.embed_passages(spelled, progress)


def first_table(tokens: Vectors, axes: Vectors, texts: Sequence[Sequence[int]], options: Options) -> Vectors:
    """Return the table (vocabulary, d) to begin with: the tokens' own vectors on `axes`, common ones shortened.

    A token that makes up a share p of `texts` is scaled by a / (a + p), with a = `options.frequency`.
    """
    counts = np.zeros(len(tokens))
    for text in texts:
        np.add.at(counts, list(text), 1)
    share = counts / max(1.0, counts.sum())
    weights = options.frequency / (options.frequency + share)  # (vocabulary,)
    return np.asarray((tokens @ axes) * weights[:, None], dtype=np.float32)


def _write_card(
    out: Path, collection: Collection, options: Options, estimate: Estimate, scores: Mapping[str, float]
) -> None:
    made = collection.made
    summary = f"""A table with a vector for each token: a text's vector is their mean. Distilled from
{made.encoder} on the {estimate.texts:,} passages and sentences of a collection (generation {collection.generation});
{estimate.parameters:,} numbers, {estimate.steps:,} steps."""
    card = Card(
        "A static encoder", summary, [], asdict(options), {"Held-out passages": table(scores, digits=3)},
        parent=f"{made.encoder}, fingerprint `{made.fingerprint}`",
        front={"library_name": "sentence-transformers", "pipeline_tag": "sentence-similarity"},
    )  # fmt: skip
    write_card(out, card)
