"""Fusing the rankings of the two arms into one. Pure functions on lists of hits; they know no collection."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.types import Hit


def reciprocal_rank(arms: Sequence[Sequence[Hit]], k: int = 60) -> list[Hit]:
    """Return the union of `arms` by the sum of 1 / (k + rank), best first (Cormack, Clarke & Büttcher 2009)."""
    scores: dict[int, float] = {}
    for arm in arms:
        for rank, hit in enumerate(arm, 1):
            scores[hit.chunk_id] = scores.get(hit.chunk_id, 0.0) + 1 / (k + rank)
    return ranked(scores)


def ranked(scores: dict[int, float]) -> list[Hit]:
    """Return hits in order of score, ties by chunk id."""
    return sorted(
        (Hit(chunk_id, score) for chunk_id, score in scores.items()), key=lambda hit: (-hit.score, hit.chunk_id)
    )
