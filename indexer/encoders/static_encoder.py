"""A static encoder: a table with a vector for each token; a text's vector is the mean of its tokens', of length one.

Some hundred times faster than a transformer, and worse: for collections too large to embed otherwise. It is the
StaticEmbedding of sentence-transformers, run with numpy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoders.converted import TOKENIZER, Settings
from indexer.encoders.tokens import PassageTokenizer
from indexer.encoders.vectors import checked
from indexer.errors import EncoderError
from indexer.types import Progress, Vectors, silent

TABLE = "table.npy"
_WEIGHTS = "embedding.weight"
_TOGETHER = 256  # texts whose tokens' vectors are held in memory at once


class StaticEncoder:
    """See `indexer.encoder.Encoder`. Safe in threads, and after a fork."""

    def __init__(self, folder: Path, settings: Settings, name: str) -> None:
        self.name = name
        self.fingerprint = settings.fingerprint
        self.dim = settings.dim
        self.precision = "fp32"
        self.max_tokens = settings.max_length
        # Mapped: processes share it, and a question reads only the rows of its words.
        self._table: Any = np.load(folder / TABLE, mmap_mode="r", allow_pickle=False)
        self._tokenizer = PassageTokenizer(folder / TOKENIZER, settings.max_length)

    def embed_passages(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """See `indexer.encoder.Encoder`. A text without a token has the first unit vector."""
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        for first in range(0, len(texts), _TOGETHER):
            part = texts[first : first + _TOGETHER]
            for place, ids in enumerate(self._tokenizer.plain_ids(part)):
                if ids:
                    rows[first + place] = self._table[ids].mean(axis=0)
            progress("embedding", first + len(part), len(texts))
        lengths = np.linalg.norm(rows, axis=1)
        rows[lengths < 1e-9] = np.eye(1, self.dim, dtype=np.float32)[0]
        return checked(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), len(texts), self.dim)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See `indexer.encoder.Encoder`."""
        return self.embed_passages(texts)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """See `indexer.encoder.Encoder`."""
        return self._tokenizer.spans(text)


def write_table(weights: Path, table: Path) -> int:
    """Write the table of a StaticEmbedding's safetensors file for numpy, and return the length of its vectors.

    Raises EncoderError where the file holds something else.
    """
    from safetensors.numpy import load_file

    found = load_file(weights).get(_WEIGHTS)
    if found is None or found.ndim != 2 or not np.isfinite(found).all():
        raise EncoderError(f"{weights} holds no table of vectors called {_WEIGHTS}.", "Train or copy the model again.")
    np.save(table, found.astype(np.float32), allow_pickle=False)
    return int(found.shape[1])
