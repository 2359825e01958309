"""What a reranker promises, how one is opened, and how its scores order what the search found.

A reranker reads question and passage together, and so sees what two separate vectors cannot; it is too slow for all
passages, and is asked only of the best. Nogueira & Cho 2019, https://arxiv.org/abs/1901.04085.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from indexer.errors import UserError
from indexer.types import Hit, Progress, silent
from rag.fusion import standardised

if TYPE_CHECKING:
    from indexer.collection import Collection
    from indexer.view import View

log = logging.getLogger(__name__)

NONE = "none"
"""Names no reranker, also where the collection remembers one."""


class Reranker(Protocol):
    """Says how well passages answer a question. One reranker may be used from many threads at once."""

    @property
    def name(self) -> str:
        """The folder that it was opened from."""
        ...

    @property
    def depth(self) -> int:
        """How many of the best hits it is asked about."""
        ...

    @property
    def weight(self) -> float:
        """Its say in the order, from 0 (none) to 1 (the order of the search does not count)."""
        ...

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return a score for each text, larger is better; comparable for one question only."""
        ...


def open_reranker(name: str | None, collection: Collection, progress: Progress = silent) -> Reranker | None:
    """Open the reranker in the folder `name`; None: the one that the collection remembers; None where that is none.

    It is converted on first use. Raises EncoderError where the folder holds no reranker, or what must not be loaded.
    """
    chosen = name or collection.reranker or NONE
    if chosen == NONE:
        return None
    from rag.reranking.cross_encoder import open_cross_encoder

    return open_cross_encoder(Path(chosen).expanduser().absolute(), collection.home, progress, collection.precision)


def prepare_reranker(collection: Collection, progress: Progress = silent) -> None:
    """Convert the reranker that `collection` remembers, if it remembers one: the first question need not wait.

    What stands in the way is told by the log, and again by whoever searches.
    """
    try:
        open_reranker(None, collection, progress)
    except UserError as error:
        log.warning("%s %s", error.message, error.hint)


def lasting_reranker(name: str) -> str | None:
    """Return a name as a collection remembers it: a folder absolute, "none" as None. Nothing is loaded.

    Raises EncoderError where the folder holds no reranker.
    """
    if name == NONE:
        return None
    from rag.reranking.folder import read_reranker

    return str(read_reranker(Path(name).expanduser().absolute()).path)


def reranked(view: View, question: str, ranking: Sequence[Hit], reranker: Reranker) -> list[Hit]:
    """Return `ranking` with its first `reranker.depth` hits in the order that search and reranker make together."""
    head = list(ranking[: reranker.depth])
    if len(head) < 2:
        return list(ranking)
    texts = {chunk.id: text_read(chunk.context, chunk.text) for chunk in view.chunks([hit.chunk_id for hit in head])}
    head = [hit for hit in head if hit.chunk_id in texts]
    scores = reranker.scores(question, [texts[hit.chunk_id] for hit in head])
    return blended(ranking, {hit.chunk_id: score for hit, score in zip(head, scores, strict=True)}, reranker.weight)


def text_read(context: str, text: str) -> str:
    """Return what a reranker reads of a passage: the same as an encoder does."""
    return f"{context}\n{text}" if context else text


def blended(ranking: Sequence[Hit], scores: Mapping[int, float], weight: float) -> list[Hit]:
    """Return `ranking` with the hits that have a score first, by (1 - weight) search + weight reranker.

    Both scores are standardised over those hits: z = (score - mean) / standard deviation. What has no score follows in
    its order, and scores go on falling from first to last.
    """
    head = [hit for hit in ranking if hit.chunk_id in scores]
    rest = [hit for hit in ranking if hit.chunk_id not in scores]
    first = standardised([hit.score for hit in head])
    second = standardised([scores[hit.chunk_id] for hit in head])
    mixed = [
        Hit(hit.chunk_id, (1 - weight) * one + weight * other)
        for hit, one, other in zip(head, first, second, strict=True)
    ]
    mixed.sort(key=lambda hit: (-hit.score, hit.chunk_id))
    lift = (rest[0].score if rest else 0.0) - (mixed[-1].score if mixed else 0.0)
    return [Hit(hit.chunk_id, hit.score + lift) for hit in mixed] + rest
