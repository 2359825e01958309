"""Fusing the rankings of several arms into one. Pure functions on lists of hits; they know no collection."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from indexer.types import Hit

MENTIONED = 0.25
"""Standard deviations that a point of a match counts in a question that is not the name alone."""


def standard_scores(arms: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Return the union of `arms`, best first, by the sum of each arm's standard scores.

    In each arm, z = (score - mean) / standard deviation over the hits it returned (mean and deviation as in
    distribution-based score fusion), shifted so that a chunk which an arm did not return counts as its worst. Ranks
    alone (reciprocal rank fusion) forget by how far a hit stands out, and so an arm that knows nothing pulls as hard as
    one that is sure: that is how plain RRF loses to its better half. Here the arm whose best hits stand out decides.
    No weight is fitted; measured against RRF in docs/experiments.md.
    """
    scores: dict[int, float] = {}
    for arm in arms:
        for hit, z in zip(arm, _standard([hit.score for hit in arm]), strict=True):
            scores[hit.chunk_id] = scores.get(hit.chunk_id, 0.0) + z
    return _ranked(scores)


def _standard(scores: Sequence[float]) -> list[float]:
    """Return each score's distance above the worst of them (or above one deviation below the mean) in deviations."""
    found = standardised(scores)
    floor = min([-1.0, *found])
    return [z - floor for z in found]


def standardised(scores: Sequence[float]) -> list[float]:
    """Return z = (score - mean) / standard deviation of each score; 0 where all are alike."""
    if not scores:
        return []
    mean = math.fsum(scores) / len(scores)
    deviation = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / len(scores))
    if deviation <= 1e-9 * max(1.0, abs(mean)):
        return [0.0] * len(scores)
    return [(score - mean) / deviation for score in scores]


def reciprocal_rank(arms: Sequence[Sequence[Hit]], k: int = 60) -> list[Hit]:
    """Return the union of `arms` by the sum of 1 / (k + rank), best first (Cormack, Clarke & Büttcher 2009).

    Kept as the rival that `standard_scores` is measured against.
    """
    scores: dict[int, float] = {}
    for arm in arms:
        for rank, hit in enumerate(arm, 1):
            scores[hit.chunk_id] = scores.get(hit.chunk_id, 0.0) + 1 / (k + rank)
    return _ranked(scores)


def with_names(ranking: Sequence[Hit], named: Mapping[int, int], alone: bool) -> list[Hit]:
    """Return the ranking with the chunks of `named` raised, by a step for each point of their match.

    What the ranking did not hold joins it. Where the question is the name `alone`, a step is more than the span of all
    scores: what is named comes first. In a longer question it is `MENTIONED`: a claim of ten words with a name in it is
    also about the other nine (docs/experiments.md).
    """
    if not named:
        return list(ranking)
    scores = {hit.chunk_id: hit.score for hit in ranking}
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    step = high - low + 1 if alone else MENTIONED
    return _ranked(scores | {chunk: scores.get(chunk, low) + match * step for chunk, match in named.items()})


def _ranked(scores: dict[int, float]) -> list[Hit]:
    hits = (Hit(chunk_id, score) for chunk_id, score in scores.items())
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))
