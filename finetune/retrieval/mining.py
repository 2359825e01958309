"""Hard negatives for encoders and rerankers: what our own search finds for a question, without what may answer it too.

A passage counts as a false negative, and is left out, when it holds the answer (or, where no answer is known, is of the
same document), or when it is nearly as near to the
question as the passage that answers it: above a share of its cosine (Moreira et al. 2024, "NV-Retriever", TopK-PercPos,
https://arxiv.org/abs/2407.15831).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.copying.negatives import passage_id, passages_collection
from finetune.questions import Question
from finetune.retrieval.pairs import Pairs
from indexer import storage
from indexer.collection import Collection
from indexer.encoder import open_encoder
from indexer.types import Progress, Vectors, silent
from indexer.view import View
from rag.evaluation.metrics import holds
from rag.retriever import MAX_QUESTION, Retriever, checked_question
from rag.types import Passage

DEPTH = 30
"""Passages that the search is asked for."""
MARGIN = 0.95
"""A passage above this share of the right one's cosine may be right too."""
KEPT = 8
"""Hard negatives kept for a question, at most."""
_TOGETHER = 128  # questions embedded at once


@dataclass(frozen=True, slots=True)
class Mined:
    """What the search finds for a question."""

    found: tuple[tuple[str, float], ...]
    """Ids of passages with the score of the fusion, best first; the right one is among them if it was found."""
    near: tuple[str, ...]
    """Those that are surely wrong, hardest first."""


def mine(
    pairs: Pairs,
    questions: Sequence[Question],
    work: Path,
    *,
    encoder: str | None,
    margin: float,
    home: Path,
    progress: Progress,
) -> dict[str, Mined]:
    """Return what is found for each question in a collection of all passages, which `encoder` as it is has embedded."""
    opened = open_encoder(encoder, home, progress)
    collection = passages_collection(list(pairs.passages.values()), work, opened, progress)
    return mined(collection, questions, pairs, work / "mined.jsonl", margin=margin, progress=progress)


def mined(
    collection: Collection,
    questions: Sequence[Question],
    pairs: Pairs,
    file: Path,
    *,
    margin: float = MARGIN,
    progress: Progress = silent,
) -> dict[str, Mined]:
    """Return what is found for each question, by its id, out of the passages in `pairs`.

    `collection` holds them under their ids. Kept in `file`, a line a question, so that a run that was interrupted goes
    on.
    """
    done = {row["id"]: row for row in _kept_rows(file)}
    left = list({each.id: each for each in questions if each.id not in done}.values())
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as stream:
        for first in range(0, len(left), _TOGETHER):
            part = left[first : first + _TOGETHER]
            for question, (found, near) in zip(part, _searched(collection, part, pairs, margin), strict=True):
                done[question.id] = {"id": question.id, "found": found, "near": near}
                stream.write(json.dumps(done[question.id]) + "\n")
            progress("mining hard negatives", first + len(part), len(left))
    return {
        each.id: Mined(tuple((str(id), float(score)) for id, score in row["found"]), tuple(row["near"]))
        for each in questions
        for row in [done[each.id]]
    }


def _kept_rows(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a file that was written line by line; a last line that was cut off is taken out of it."""
    content = file.read_bytes() if file.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        storage.write_file(file, whole)
    return [json.loads(line) for line in whole.splitlines()]


def _searched(
    collection: Collection, questions: Sequence[Question], pairs: Pairs, margin: float
) -> Iterator[tuple[list[tuple[str, float]], list[str]]]:
    texts = [checked_question(each.text[:MAX_QUESTION]) for each in questions]
    vectors = collection.encoder.embed_queries(texts)  # (n, dim)
    with collection.view() as view:
        found = [Retriever().find(view, text, vector, DEPTH) for text, vector in zip(texts, vectors, strict=True)]
        right = _right_cosines(collection, questions, vectors, found, pairs)
        for question, vector, passages, cosine in zip(questions, vectors, found, right, strict=True):
            kept = {passage.source: passage for passage in reversed(passages) if passage.source in pairs.passages}
            order = [id for id in dict.fromkeys(each.source for each in passages) if id in kept]
            near = [
                id
                for id in order
                if id != passage_id(question.passage)
                and passage_id(question.passage) not in kept[id].also_in
                and not _may_answer(pairs.passages[id], question)
                and _surely_wrong(kept[id], vector, view, margin * cosine)
            ]
            yield [(id, round(kept[id].score, 5)) for id in order], near[:KEPT]


def _right_cosines(
    collection: Collection,
    questions: Sequence[Question],
    vectors: Vectors,
    found: Sequence[Sequence[Passage]],
    pairs: Pairs,
) -> list[float]:
    """Return the cosine of each question to its own passage; only what was not found has to be embedded."""
    cosines: dict[int, float] = {}
    for number, (question, passages) in enumerate(zip(questions, found, strict=True)):
        own = [each.origin.dense_score for each in passages if each.source == passage_id(question.passage)]
        if own and own[0] is not None:
            cosines[number] = own[0]
    left = [number for number in range(len(questions)) if number not in cosines]
    rows = collection.encoder.embed_passages([pairs.text(passage_id(questions[n].passage)) for n in left])
    cosines.update((number, float(vectors[number] @ row)) for number, row in zip(left, rows, strict=True))
    return [cosines[number] for number in range(len(questions))]


def _may_answer(passage: Question, question: Question) -> bool:
    """Tell whether a passage holds the answer; where none is known, whether it is of the question's own document."""
    if not question.answers:
        return passage.document == question.document
    return holds(passage.passage, question.answers)


def _surely_wrong(passage: Passage, vector: Vectors, view: View, bound: float) -> bool:
    cosine = passage.origin.dense_score
    if cosine is None:  # found by its words alone
        cosine = float(view.vectors([passage.chunk_id])[passage.chunk_id] @ vector)
    return cosine < bound


def negatives_of(question: Question, found: Mapping[str, Mined], count: int, number: int) -> list[str]:
    """Return `count` hard negatives of a question for the use `number` of it: another part of them each time.

    Fewer where it has fewer.
    """
    near = found[question.id].near if question.id in found else ()
    if not near:
        return []
    first = number * count
    return list(dict.fromkeys(near[(first + place) % len(near)] for place in range(count)))
