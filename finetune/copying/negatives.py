"""Hard negatives, from our own retriever: passages that it finds for a question and that do not hold the answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from finetune.questions import Question
from indexer import storage
from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.sync import Given
from indexer.types import Progress, silent
from rag.evaluation.metrics import holds
from rag.reranking.reranker import Reranker
from rag.retriever import Retriever, checked_question
from rag.types import Passage

DEPTH = 12
"""Passages that are looked at for each question."""
KEPT = 5
"""Negatives kept for each."""
_TOGETHER = 256  # questions embedded at once

Near = Mapping[str, Sequence[tuple[str, str]]]
"""For a question's id: titles and texts of its hard negatives, nearest first."""


def passages_collection(
    questions: Sequence[Question], home: Path, encoder: Encoder, progress: Progress = silent
) -> Collection:
    """Return a collection under `home` of every distinct passage; what is there already is not embedded again."""
    collection = Collection("passages", home, encoder)
    distinct = {passage_id(question.passage): question for question in questions}
    collection.add([Given(id, each.passage, each.title) for id, each in distinct.items()], progress=progress)
    return collection


def passage_id(text: str) -> str:
    """Return the id of a passage in the collection."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def near_passages(
    collection: Collection,
    asked: Sequence[Question],
    known: Sequence[Question],
    file: Path,
    progress: Progress = silent,
) -> Near:
    """Return the hard negatives of the questions `asked`, out of the passages of the questions `known`.

    Kept in `file`, a line a question, so that a run that was interrupted goes on.
    """
    texts = {passage_id(question.passage): (question.title, question.passage) for question in known}
    done: dict[str, list[str]] = {row["id"]: row["near"] for row in _kept_rows(file)}
    left = [question for question in asked if question.id not in done]
    with file.open("a", encoding="utf-8") as stream:
        for first in range(0, len(left), _TOGETHER):
            part = left[first : first + _TOGETHER]
            for question, found in zip(part, _found(collection, part), strict=True):
                near = [id for id in found if id in texts and id != passage_id(question.passage)]
                done[question.id] = [id for id in near if not holds(texts[id][1], question.answers)][:KEPT]
                stream.write(json.dumps({"id": question.id, "near": done[question.id]}) + "\n")
            progress("looking for hard negatives", first + len(part), len(left))
    return {question.id: tuple(texts[id] for id in done[question.id] if id in texts) for question in asked}


def _kept_rows(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a file that was written line by line; a last line that was cut off is taken out of it."""
    content = file.read_bytes() if file.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        storage.write_file(file, whole)
    return [json.loads(line) for line in whole.splitlines()]


def _found(collection: Collection, questions: Sequence[Question]) -> Iterator[list[str]]:
    """Yield the ids of the nearest passages of each question, nearest first, each once."""
    vectors = collection.encoder.embed_queries([question.text for question in questions])  # (n, dim)
    with collection.view() as view:
        for question, vector in zip(questions, vectors, strict=True):
            found = Retriever().find(view, question.text, vector, DEPTH)
            yield list(dict.fromkeys(passage.source for passage in found))


def read_passages(
    collection: Collection,
    question: Question,
    k: int = 6,
    *,
    without_answer: bool = False,
    reranker: Reranker | None = None,
) -> list[Passage]:
    """Return what `ask` with this reranker would read for a question.

    `without_answer` leaves out whatever holds an answer to it.
    """
    text = checked_question(question.text)
    vector = collection.encoder.embed_queries([text])[0]
    own = passage_id(question.passage)

    def answers(passage: Passage) -> bool:
        return passage.source == own or holds(passage.text, question.answers)

    with collection.view() as view:
        read = Retriever(reranker=reranker).read(view, text, vector, k, leave_out=answers if without_answer else None)
    # An answer may also begin in one passage and end in the next: joined, they hold it.
    return [each for each in read if not (without_answer and holds(each.text, question.answers))]
