"""Finds texts that say nearly the same: MinHash (Broder 1997) to find candidates, their true similarity to decide."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finetune.extras import needed

_WORD = re.compile(r"[^\W_]+")
SHINGLE = 5
"""Words that are taken together."""
_PERMUTATIONS = 128
_SEED = 1


@dataclass(frozen=True, slots=True)
class Twin:
    """The earlier text that a text is nearly the same as."""

    id: str
    similarity: float
    """Of their sets of shingles, after Jaccard: shared ones among all, from 0 to 1."""


class NearDuplicates:
    """Keeps texts, and finds what comes near one of them. Memory: about 1 kB, and 4 bytes for each word, of a text.

    Raises UsageError where datasketch is not installed.
    """

    def __init__(self, least: float) -> None:
        """`least` is the similarity from which texts are duplicates, between 0 and 1."""
        self._sketch: Any = needed("datasketch", "Finding near-duplicates")
        self._least = least
        # A little lower than asked, since a sketch errs to either side: what it finds is compared exactly.
        self._index = self._sketch.MinHashLSH(threshold=max(0.1, least - 0.1), num_perm=_PERMUTATIONS)
        self._kept: dict[str, npt.NDArray[np.uint32]] = {}

    def twin(self, id: str, text: str) -> Twin | None:
        """Return the most similar of the kept texts that is a duplicate; None where none is, and then keep this one."""
        shingles = _shingles(text)
        if not len(shingles):
            return None
        sketch = self._sketch.MinHash(num_perm=_PERMUTATIONS, seed=_SEED, hashfunc=int)
        sketch.update_batch(shingles.tolist())
        found = [Twin(each, _jaccard(shingles, self._kept[each])) for each in self._index.query(sketch)]
        near = [each for each in found if each.similarity >= self._least]
        if near:
            return min(near, key=lambda each: (-each.similarity, each.id))
        self._index.insert(id, sketch)
        self._kept[id] = shingles
        return None


def _shingles(text: str) -> npt.NDArray[np.uint32]:
    """Return the sorted hashes of all runs of five words, (n,); of a shorter text, of all its words together."""
    words = [word.casefold().encode(errors="surrogatepass") for word in _WORD.findall(text)]
    runs = range(max(1, len(words) - SHINGLE + 1)) if words else range(0)
    return np.unique(np.fromiter((zlib.crc32(b" ".join(words[i : i + SHINGLE])) for i in runs), np.uint32))


def _jaccard(one: npt.NDArray[np.uint32], other: npt.NDArray[np.uint32]) -> float:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
