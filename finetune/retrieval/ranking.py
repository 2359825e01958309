"""Where the right passage stands in a ranking, as one number: for choosing weights while training goes on."""

from __future__ import annotations

import math
from collections.abc import Sequence


def ndcg(ranks: Sequence[int | None], first: int = 10) -> float:
    """Return the mean nDCG@10 in per cent of questions with one right passage each, from its ranks (from 1, or None).

    With one relevant document, nDCG@k is 1 / log2(rank + 1) for a rank up to k, and else 0.
    """
    gains = [gain(rank, first) for rank in ranks]
    return 100 * math.fsum(gains) / max(1, len(gains))


def gain(rank: int | None, first: int = 10) -> float:
    """Return the nDCG@10 of one question, from 0 to 1."""
    return 1 / math.log2(rank + 1) if rank is not None and rank <= first else 0.0


def rank_of(right: str, ranking: Sequence[str]) -> int | None:
    """Return the place of `right` in a ranking, from 1; None where it is not in it."""
    return next((place for place, each in enumerate(ranking, 1) if each == right), None)
