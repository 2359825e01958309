"""What is in use and what was trained, asked the same held-out questions and compared question by question.

An encoder is tried in a copy of the collection beside it, a reranker and a generator in the collection itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetune.questions import Question, read_questions
from finetune.retrieval.encoder import HELD_OUT
from indexer.errors import UsageError
from indexer.types import Progress, Vectors, silent
from rag.retriever import MAX_QUESTION

if TYPE_CHECKING:
    from indexer.collection import Collection
    from indexer.encoder import Encoder
    from rag.evaluation.comparing import Comparison
    from rag.evaluation.data import RetrievalSet
    from rag.evaluation.rows import RetrievalRow

MIN_QUESTIONS = 20
"""Held-out questions below which no difference could be shown."""


# The questions


def held_out(run: Path, questions: Path | None) -> list[Question]:
    """Return the questions of a file, or those of the run that nothing was learnt from; without the unanswerable.

    Raises UsageError where there are none.
    """
    file = questions or run / "training" / HELD_OUT
    if not file.is_file():
        raise UsageError(
            f"{run} has no held-out questions of its own.", "Give some: --questions FILE, as JSON lines or SQuAD."
        )
    return [each for each in read_questions(file, answers_needed=False) if not each.refused]


def retrieval_set(collection: Collection, questions: Sequence[Question], limit: int) -> RetrievalSet:
    """Return the questions on documents of `collection` with the document that answers each, evenly thinned to `limit`.

    A question's document is the source that it names, or the one that holds its passage word for word. Raises
    UsageError where fewer than MIN_QUESTIONS have one.
    """
    from rag.evaluation.data import RetrievalSet

    named = {entry.source for entry in collection.documents()}
    by_passage = {} if all(each.document in named for each in questions) else _sources_by_passage(collection)
    judged: dict[str, tuple[str, str]] = {}
    for each in questions:
        source = each.document if each.document in named else by_passage.get(_collapsed(each.passage), "")
        if source:
            judged.setdefault(f"{each.id}", (each.text[:MAX_QUESTION], source))
    if len(judged) < MIN_QUESTIONS:
        raise UsageError(
            f"Only {len(judged)} of {len(questions)} held-out questions are about documents of collection "
            f"{collection.name!r}; {MIN_QUESTIONS} are needed to show a difference.",
            "Give others with --questions, or another --collection.",
        )
    keys = list(judged)
    kept = keys if len(keys) <= limit else [keys[place * len(keys) // limit] for place in range(limit)]
    digest = hashlib.sha256("\n".join(f"{key} {judged[key]}" for key in kept).encode()).hexdigest()
    return RetrievalSet(
        "held-out", digest, None, {key: judged[key][0] for key in kept}, {key: {judged[key][1]: 1} for key in kept}
    )


def _sources_by_passage(collection: Collection) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in collection.documents():
        text = collection.document(entry.source).text
        found.setdefault(_collapsed(text), entry.source)
        for chunk in collection.document_chunks(entry.source):
            found.setdefault(_collapsed(chunk.text), entry.source)
    return found


def _collapsed(text: str) -> str:
    return " ".join(text.split())


# The comparisons


def encoders_compared(
    collection: Collection,
    encoder: Encoder,
    questions: Sequence[Question],
    run: Path,
    alpha: float,
    limit: int,
    progress: Progress,
) -> Comparison:
    """Compare hybrid search in the collection and in a copy of it that the new encoder has embedded."""
    from indexer.collection import Collection as Opened
    from indexer.sync import copy_documents

    asked = retrieval_set(collection, questions, limit)
    beside = Opened(collection.name, run / "training" / "promotion", encoder)
    copy_documents(collection, beside, progress=progress)
    return _compared(_ranked(collection, asked, None, progress), _ranked(beside, asked, None, progress), alpha)


def rerankers_compared(
    collection: Collection, run: Path, questions: Sequence[Question], alpha: float, limit: int, progress: Progress
) -> Comparison:
    """Compare hybrid search with the reranker in use, or with none, and with the one in `run`."""
    asked = retrieval_set(collection, questions, limit)
    before = _ranked(collection, asked, collection.reranker, progress)
    return _compared(before, _ranked(collection, asked, str(run), progress), alpha)


def _ranked(
    collection: Collection, asked: RetrievalSet, reranker: str | None, progress: Progress
) -> list[RetrievalRow]:
    """Return the rows of hybrid search, reranked where there is a reranker."""
    from rag.evaluation.retrieval import RERANKED, rankings
    from rag.reranking.reranker import NONE, open_reranker

    opened = open_reranker(reranker or NONE, collection, progress)
    arm = "hybrid" if opened is None else RERANKED
    batches = rankings(asked, collection, reranker=opened, progress=progress)
    return [row for rows in batches for row in rows if row.arm == arm]


def _compared(before: Sequence[RetrievalRow], after: Sequence[RetrievalRow], alpha: float) -> Comparison:
    from rag.evaluation.comparing import compare_rankings

    return compare_rankings(before, after, alpha=alpha)


def generators_compared(
    collection: Collection, run: Path, questions: Sequence[Question], alpha: float, limit: int, progress: Progress
) -> Comparison:
    """Compare the answers that both generators give from the collection, by their F1 with the gold answers."""
    from rag.engine import Engine
    from rag.evaluation import asking
    from rag.evaluation.comparing import compare_answers
    from rag.evaluation.data import Asked

    asked = [
        Asked(id=each.id, text=each.text, answers=each.answers) for each in questions if each.answers
    ][:limit]  # fmt: skip
    if len(asked) < MIN_QUESTIONS:
        raise UsageError(
            f"Only {len(asked)} held-out questions have answers; {MIN_QUESTIONS} are needed to compare generators.",
            "Give others: --questions FILE",
        )
    rows = []
    for name in (None, str(run)):
        engine = Engine(collection, name)
        asker = asking.Asker(engine.generator, asking.in_collection(engine, 5), engine.generator.threshold(None))
        found = []
        for first in range(0, len(asked), 64):
            found += asker.together(asked[first : first + 64])
            progress("asking", first, len(asked))
        rows.append(found)
    return compare_answers(rows[0], rows[1], alpha=alpha, progress=progress)


class Remembering:
    """An encoder that keeps what it has read: the copy that is tried and the collection then cost one embedding."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[bytes, Any] = {}
        self.name, self.fingerprint = encoder.name, encoder.fingerprint
        self.dim, self.max_tokens = encoder.dim, encoder.max_tokens

    def embed_passages(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """See `indexer.encoder.Encoder`."""
        import numpy as np

        keys = [hashlib.sha256(text.encode(errors="surrogatepass")).digest() for text in texts]
        new = [place for place, key in enumerate(keys) if key not in self._known]
        if new:
            found = self._encoder.embed_passages([texts[place] for place in new], progress)
            self._known.update((keys[place], vector) for place, vector in zip(new, found, strict=True))
        rows: Vectors = np.array([self._known[key] for key in keys], dtype=np.float32).reshape(len(keys), self.dim)
        return rows

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See `indexer.encoder.Encoder`."""
        return self._encoder.embed_queries(texts)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """See `indexer.encoder.Encoder`."""
        return self._encoder.token_spans(text)
