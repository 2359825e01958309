"""What is predicted of a text: the next word, masked words, or spans that were taken out. Arrays in, arrays out.

Labels of -100 are not learnt, as torch's cross entropy has it. The same generator state gives the same masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
IGNORED = -100
MASKED = 0.15
"""Share of the tokens that are predicted where not all are (Devlin et al. 2019; Raffel et al. 2020)."""
SPAN = 3
"""Mean length of a span that is taken out, in tokens (Raffel et al. 2020, section 3.3.4)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids that a model reads, and those it is to say."""

    ids: Ids
    """Shape (rows, tokens)."""
    labels: Ids
    """The same shape; with an encoder and a decoder, that of the decoder."""
    attended: Ids | None = None
    """1 where `ids` holds a token and 0 where it is padded; None: nothing is padded."""

    @property
    def predicted(self) -> int:
        """How many labels there are."""
        return int((self.labels != IGNORED).sum())


def next_words(ids: Ids) -> Batch:
    """Return a batch in which each token but the first is to be said after those before it.

    The model shifts the labels by one itself, as those of transformers do; so the first label is not learnt.
    """
    labels = ids.copy()
    labels[:, 0] = IGNORED
    return Batch(ids, labels)


def masked_words(ids: Ids, chance: np.random.Generator, mask: int, vocabulary: int, special: Sequence[int]) -> Batch:
    """Return a batch in which 15% of the tokens are to be said: 80% of these read as `mask`, 10% as any token.

    Special tokens are never to be said. At least one token of the batch is.
    """
    draw = chance.random(ids.shape)
    draw[np.isin(ids, list(special))] = 2.0
    chosen = (draw < MASKED) | ((draw == draw.min()) & (draw < 2.0))
    how = chance.random(ids.shape)
    read = np.where(chosen & (how < 0.8), mask, ids)
    read = np.where(chosen & (how >= 0.9), chance.integers(0, vocabulary, ids.shape), read)
    return Batch(read.astype(np.int64), np.where(chosen, ids, IGNORED).astype(np.int64))


def spans_taken_out(ids: Ids, chance: np.random.Generator, sentinels: Sequence[int], end: int) -> Batch:
    """Return a batch in which spans, 15% of the tokens in all, were replaced by a sentinel each.

    The decoder is to say each sentinel and its span, then `end`. All rows have the same lengths, since all have the
    same number of spans; what varies is where they stand (`random_spans_noise_mask` of Raffel et al. 2020).
    """
    count = ids.shape[1]
    taken = min(max(1, round(count * MASKED)), count - 1)
    spans = max(1, min(round(taken / SPAN), taken, count - taken, len(sentinels)))
    read, said = [], []
    for row in ids:
        kept_parts, taken_parts = _parts(count - taken, spans, chance), _parts(taken, spans, chance)
        place, reading, saying = 0, [], []
        for kept, gone, sentinel in zip(kept_parts, taken_parts, sentinels, strict=False):
            reading += [row[place : place + kept], [sentinel]]
            saying += [[sentinel], row[place + kept : place + kept + gone]]
            place += kept + gone
        read.append(np.concatenate([*reading, [end]]))
        said.append(np.concatenate([*saying, [end]]))
    return Batch(np.stack(read).astype(np.int64), np.stack(said).astype(np.int64))


def _parts(total: int, count: int, chance: np.random.Generator) -> Ids:
    """Return `count` positive numbers that sum to `total`; each way to do so is as likely."""
    cuts = np.sort(chance.choice(total - 1, count - 1, replace=False)) + 1
    parts: Ids = np.diff(np.concatenate([[0], cuts, [total]])).astype(np.int64)
    return parts
