"""Fusing the rankings of several arms into one. Pure functions on lists of hits; they know no collection."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from indexer.types import Hit

MENTIONED = 0.25
"""Standard deviations that a point of a match counts in a question that is not the name alone."""


FROM_CLOSENESS, TO_CLOSENESS = 0.5, 0.7
"""How close to the question its nearest passage must be for the dense arm to begin to weigh more, and to weigh most."""
EVEN, MOST = 0.5, 0.8
"""Weight of the dense arm, of 1 for both, below and above that."""
COMPARED = 100
"""Dense hits among which a passage stands out or not; fewer where fewer were found."""


def hybrid(words: Sequence[Hit], dense: Sequence[Hit]) -> list[Hit]:
    """Return the union of both arms, best first, by their standard scores weighed by what the dense arm knows.

    Both count alike, unless a passage is so near to the question that it says nearly the same: then the words in which
    it says it tell less, and the dense arm weighs more. Chosen on development sets, see docs/experiments.md.
    """
    share = dense_weight(dense)
    return standard_scores([words, dense], [2 * (1 - share), 2 * share])


def dense_weight(dense: Sequence[Hit]) -> float:
    """Return the weight of the dense arm in `hybrid`, from `EVEN` to `MOST`, given its hits with their cosines.

    Closeness is the part of the way from the farthest of the hits to the question itself that the nearest has come. It
    has no unit, so that it does not matter that one encoder gives all texts a cosine of 0.7 and another one of 0.1.
    """
    if not dense:
        return EVEN
    far = max(0.0, dense[: min(len(dense), COMPARED)][-1].score)
    closeness = (dense[0].score - far) / max(1 - far, 1e-9)
    part = (closeness - FROM_CLOSENESS) / (TO_CLOSENESS - FROM_CLOSENESS)
    return EVEN + (MOST - EVEN) * min(1.0, max(0.0, part))


def standard_scores(arms: Sequence[Sequence[Hit]], weights: Sequence[float] = ()) -> list[Hit]:
    """Return the union of `arms`, best first, by the sum of each arm's standard scores, by its weight if one is given.

    In each arm, z = (score - mean) / standard deviation over the hits it returned (mean and deviation as in
    distribution-based score fusion), shifted so that a chunk which an arm did not return counts as its worst. Ranks
    alone (reciprocal rank fusion) forget by how far a hit stands out, and so an arm that knows nothing pulls as hard as
    one that is sure: that is how plain RRF loses to its better half. Here the arm whose best hits stand out decides.
    Measured against RRF in docs/experiments.md.
    """
    scores: dict[int, float] = {}
    for arm, weight in zip(arms, weights or [1.0] * len(arms), strict=True):
        for hit, z in zip(arm, _standard([hit.score for hit in arm]), strict=True):
            scores[hit.chunk_id] = scores.get(hit.chunk_id, 0.0) + weight * z
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
