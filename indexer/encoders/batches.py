"""How texts are put together for one run of the model: little padding, few shapes, less at once where memory lacks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from indexer.errors import EncoderError
from indexer.types import Vectors

logger = logging.getLogger(__name__)

_BATCH_TOKENS = 1024  # measured: larger batches gain nothing, smaller ones lose on short texts
_STEP = 8  # lengths are padded to a multiple: few shapes for the runtime to prepare, about 3 % of padding


def batches(lengths: Sequence[int], max_length: int) -> Iterator[list[int]]:
    """Yield rows of one padded length together, longest first, so that a lack of memory shows at once."""
    batch: list[int] = []
    batch_length = 0
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        length = padded_length(lengths[row], max_length)
        if batch and (length != batch_length or (len(batch) + 1) * length > _BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(row)
        batch_length = length
    if batch:
        yield batch


def padded_length(length: int, max_length: int) -> int:
    """Return the length that a text of `length` tokens is padded to."""
    return min(-(-length // _STEP) * _STEP, max_length)


def padded(
    tokens: Sequence[Sequence[int]], pad_id: int, max_length: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return token ids and mask (1 for a token, 0 for padding), shape (b, l) each."""
    length = padded_length(max(len(row) for row in tokens), max_length)
    ids = np.full((len(tokens), length), pad_id, dtype=np.int32)
    mask = np.zeros((len(tokens), length), dtype=np.float32)
    for place, row in enumerate(tokens):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1.0
    return ids, mask


def in_halves(run: Callable[[Sequence[Sequence[int]]], Vectors], tokens: Sequence[Sequence[int]]) -> Vectors:
    """Return `run(tokens)`, run in halves, quarters, ... where memory does not suffice for more at once.

    Raises EncoderError when it does not suffice for one text alone.
    """
    try:
        return run(tokens)
    except (MemoryError, RuntimeError) as error:
        if not _out_of_memory(error):
            raise
        if len(tokens) == 1:
            raise EncoderError(
                f"Not enough memory to embed one text of {len(tokens[0])} tokens.",
                hint="Close other programs, or raise the memory limit of this process.",
            ) from error
    half = len(tokens) // 2
    logger.warning("Out of memory with %d texts at once; trying %d.", len(tokens), half)
    return np.concatenate([in_halves(run, tokens[:half]), in_halves(run, tokens[half:])])


def _out_of_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(word in text for word in ("bad_alloc", "allocat", "out of memory"))
