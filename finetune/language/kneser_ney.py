"""What counting alone predicts: an n-gram model with modified Kneser-Ney smoothing, a language model's baseline.

Interpolated, with three discounts an order: Chen and Goodman 1998, "An empirical study of smoothing techniques",
section 3 and equation 26; lower orders count in how many contexts a word comes, not how often (Kneser and Ney 1995).
It predicts the same tokens as the language model it is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finetune.language.windows import Stream
from indexer.types import Progress, silent

Numbers = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Order:
    keys: Numbers
    """Sorted: (number of the context among those one shorter) * vocabulary + token."""
    kept: Weights
    """Of each n-gram, its count less the discount."""
    totals: Weights
    """Of each context, the counts of what followed it."""
    left: Weights
    """Of each context, the sum of the discounts: the share of the shorter context."""


class KneserNey:
    """An n-gram model of token ids."""

    def __init__(self, stream: Stream, order: int, vocabulary: int, progress: Progress = silent) -> None:
        """Count the n-grams of `stream`, up to `order` tokens; ids are below `vocabulary`."""
        self.order, self._vocabulary = order, vocabulary
        tokens = stream.astype(np.int64)
        keys: Numbers = np.arange(vocabulary, dtype=np.int64)  # of the order that is being counted
        counts: Numbers = np.bincount(tokens, minlength=vocabulary)
        ids = tokens  # of the n-gram that ends at each token; of too few tokens, nonsense that is never read
        contexts = 1
        self._orders: list[_Order] = []
        for length in range(1, order + 1):
            progress("counting n-grams", length - 1, order)
            if length == order or len(tokens) <= length:
                self._orders.append(_smoothed(keys, counts, contexts, vocabulary))
                self.order = length
                break
            longer = ids[length - 1 : -1] * vocabulary + tokens[length:]
            places = np.argsort(longer, kind="stable")
            ordered = longer[places]
            new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
            firsts = places[new] + length  # a token at which each distinct longer n-gram ends
            in_contexts = np.bincount(ids[firsts], minlength=len(keys))
            self._orders.append(_smoothed(keys, in_contexts, contexts, vocabulary))
            contexts, keys = len(keys), ordered[new]
            counts = np.diff(np.append(np.flatnonzero(new), len(ordered)))
            ids = np.zeros(len(tokens), dtype=np.int64)
            ids[places + length] = np.cumsum(new) - 1
        progress("counting n-grams", order, order)

    def log_probabilities(self, stream: Stream) -> Weights:
        """Return ln p of each token after those before it in `stream`, at most `order` - 1 of them: shape (n,)."""
        tokens = stream.astype(np.int64)
        found = np.full(len(tokens), 1.0 / self._vocabulary)
        before: Numbers = np.zeros(len(tokens), dtype=np.int64)  # the context's number; -1: it was never seen
        for length, order in enumerate(self._orders, start=1):
            keys = before * self._vocabulary + tokens
            places = np.minimum(np.searchsorted(order.keys, keys), len(order.keys) - 1)
            seen = (order.keys[places] == keys) & (before >= 0)
            known = (before >= 0) & (order.totals[before] > 0)
            share = np.where(seen, order.kept[places], 0.0) + order.left[before] * found
            found = np.where(known, share / np.where(known, order.totals[before], 1.0), found)
            before = np.full(len(tokens), -1, dtype=np.int64)
            before[length:] = np.where(seen, places, -1)[length - 1 : -1] if length < len(tokens) else -1
        result: Weights = np.log(found)
        return result


def _smoothed(keys: Numbers, counts: Numbers, contexts: int, vocabulary: int) -> _Order:
    discount = _discounts(counts)[np.minimum(counts, 3)]
    context = keys // vocabulary
    return _Order(
        keys,
        counts - discount,
        _summed(context, counts, contexts),
        _summed(context, discount, contexts),
    )


def _summed(context: Numbers, weights: Numbers | Weights, contexts: int) -> Weights:
    return np.bincount(context, weights=weights, minlength=contexts).astype(np.float64)


def _discounts(counts: Numbers) -> Weights:
    """Return what is taken off a count of 0, 1, 2, and 3 or more; half the count where too few were counted."""
    n = np.bincount(np.minimum(counts, 5), minlength=6).astype(np.float64)
    if (n[1:5] == 0).any():
        return np.array([0.0, 0.5, 1.0, 1.5])
    y = n[1] / (n[1] + 2 * n[2])
    found = [0.0, *(k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))]
    clipped: Weights = np.clip(np.array(found), 0.0, np.array([0.0, 1.0, 2.0, 3.0]))
    return clipped
