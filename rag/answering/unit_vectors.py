"""Vectors of units that were read for earlier questions: the next question often reads the same passages."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from indexer.encoder import Encoder
from indexer.types import Vectors

KEPT = 8192
"""Vectors that are kept at most; of 384 numbers each they take 12 MiB."""


class UnitVectors:
    """The latest vectors of one process. Safe in threads."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Vectors] = {}
        self._lock = threading.Lock()

    def of(self, encoder: Encoder, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts by `encoder`, (len(texts), dim); only those not kept are computed."""
        keys = [(encoder.fingerprint, text) for text in texts]
        with self._lock:
            found = {key: self._kept.pop(key) for key in dict.fromkeys(keys) if key in self._kept}
        new = [key for key in dict.fromkeys(keys) if key not in found]
        if new:
            found.update(zip(new, encoder.embed_passages([text for _, text in new]), strict=True))
        with self._lock:
            self._kept.update(found)  # the latest come last
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return np.array([found[key] for key in keys], dtype=np.float32).reshape(-1, encoder.dim)
