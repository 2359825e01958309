"""A long row of tokens, cut into windows that a model reads at once: packed, nothing padded.

Documents follow each other with an end token between; a window may hold the end of one and the beginning of the next
(as in Radford et al. 2019).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from finetune.language.objectives import Ids
from indexer.errors import UsageError

Stream = npt.NDArray[np.int32]
"""Token ids, one after the other."""


class Windows:
    """The windows of a stream in an order made by chance; each pass has its own order, and begins at its own token."""

    def __init__(self, stream: Stream, length: int, seed: int) -> None:
        """`length` is that of a window, in tokens. Raises UsageError when there is not one."""
        self.count = len(stream) // length - 1
        """Windows in a pass."""
        if self.count < 1:
            raise UsageError(
                f"There are only {len(stream):,} tokens to learn from, less than two windows of {length}.",
                "Give more text, or a smaller --context.",
            )
        self._stream, self._length, self._seed = stream, length, seed
        self._pass, self._starts = -1, np.zeros(0, dtype=np.int64)

    def rows(self, first: int, count: int) -> Ids:
        """Return the windows number `first` to `first + count`, counted over all passes: shape (count, length)."""
        found = [self._window(number) for number in range(first, first + count)]
        return np.stack(found).astype(np.int64)

    def _window(self, number: int) -> Stream:
        which, place = divmod(number, self.count)
        if which != self._pass:
            chance = np.random.default_rng((self._seed, which))
            offset = int(chance.integers(self._length))
            self._pass, self._starts = which, offset + self._length * chance.permutation(self.count)
        start = int(self._starts[place])
        return self._stream[start : start + self._length]


def in_order(stream: Stream, length: int) -> list[Ids]:
    """Return windows in which each token of the stream but the first is predicted once: they overlap by one token."""
    starts = range(0, max(1, len(stream) - 1), length - 1)
    return [stream[start : start + length].astype(np.int64) for start in starts]
