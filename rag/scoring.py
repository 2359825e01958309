"""What the score of a passage means: how well it fits the question by itself, in whatever collection it lies.

The order of a search comes from standard scores (`fusion.py`), which say how far a passage stands out among what the
same search found. They are nothing to show: the best of five poor passages stands out as far as the best of 5,000.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from indexer.types import Vectors

if TYPE_CHECKING:
    from indexer.view import View

COSINE_WEIGHT = 0.7
"""Weight of the cosine, of 1 for it and the share of words: see docs/experiments.md."""


def scores_of(
    view: View, mode: str, question: str, vector: Vectors | None, ranked: Sequence[int], known: Mapping[int, float]
) -> list[float]:
    """Return the scores of the chunks `ranked`, best first, from 0 to 1 and none larger than the one before it.

    With cosine c (0 where it is negative) and the share w of the question's words that the passage has, a passage
    fits by 0.7 c + 0.3 w; by c alone in the mode "dense", by w alone in the mode "words". A passage that stands
    before another for more than that (rare words, a name, a reranker) fits at least as well as the other. `known` are
    cosines that were computed already.
    """
    if mode == "dense":
        fits = [known[chunk] for chunk in ranked]
    else:
        shares = view.word_shares(question, ranked)
        fits = [shares[chunk] for chunk in ranked]
        if mode != "words" and vector is not None:
            cosines = _cosines(view, vector, ranked, known if mode == "hybrid" else {})
            fits = [COSINE_WEIGHT * cosines[chunk] + (1 - COSINE_WEIGHT) * shares[chunk] for chunk in ranked]
    for place in range(len(fits) - 2, -1, -1):
        fits[place] = max(fits[place], fits[place + 1])
    return fits


def _cosines(view: View, vector: Vectors, chunks: Sequence[int], known: Mapping[int, float]) -> dict[int, float]:
    missing = view.vectors([chunk for chunk in chunks if chunk not in known])
    found = {chunk: float(stored @ vector) for chunk, stored in missing.items()}
    return {chunk: min(1.0, max(0.0, known.get(chunk, found.get(chunk, 0.0)))) for chunk in chunks}
