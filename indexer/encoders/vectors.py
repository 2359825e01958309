"""The seam that vectors pass: right shape, right type, finite, of length one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from indexer.errors import InvalidVectors
from indexer.types import Vectors


def checked(vectors: npt.NDArray[np.floating], rows: int, dim: int) -> Vectors:
    """Return `vectors` as float32, C-contiguous, shape (rows, dim), each row scaled to length one exactly.

    Raises InvalidVectors for another shape, and for rows that are not finite or not near length one.
    """
    if vectors.shape != (rows, dim):
        raise InvalidVectors(f"The encoder gave vectors of shape {vectors.shape}; expected ({rows}, {dim}).")
    found = np.ascontiguousarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)  # (rows, 1)
    wrong = np.flatnonzero(~(np.abs(lengths[:, 0] - 1.0) < 0.05))  # a NaN compares false, so it is found here as well
    if len(wrong):
        raise InvalidVectors(
            f"The encoder gave {len(wrong)} of {rows} vectors that are not finite or not of length one; the first is "
            f"row {wrong[0]} with length {lengths[wrong[0], 0]}.",
            hint="Run doctor, which checks the encoder's files.",
        )
    return np.asarray(found / lengths, dtype=np.float32)
