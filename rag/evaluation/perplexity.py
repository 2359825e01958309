"""How well a causal language model of Hugging Face predicts given texts: per token, and per byte.

Tokenizers cut differently, so perplexities per token compare only models that share one; those per byte compare all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexer.types import Progress, silent
from rag.evaluation.intervals import Score, bootstrap
from rag.evaluation.texts import TextRow, TextSet
from rag.evaluation.texts import read_texts as read_texts
from rag.evaluation.windows import LanguageModelReader


@dataclass(frozen=True, slots=True)
class Perplexity:
    """What an evaluation of a language model found."""

    rows: tuple[TextRow, ...]
    scores: Mapping[str, Score]
    model: str
    window: int
    stride: int

    @property
    def n(self) -> int:
        """How many documents were read."""
        return len(self.rows)


def evaluate_perplexity(
    model: str,
    texts: TextSet,
    *,
    window: int | None = None,
    stride: int | None = None,
    device: str | None = None,
    done: Sequence[TextRow] = (),
    keep: Callable[[Sequence[TextRow]], None] = lambda rows: None,
    progress: Progress = silent,
) -> Perplexity:
    """Measure the causal language model called `model` (a folder, or a name in the hub's cache) on `texts`.

    `window` tokens are read at once, by default all that the model reads, but not over 1,024; each window begins
    `stride` tokens after the one before, by default half a window. `done` are rows of an earlier run that was cut
    short; `keep` is called with each new one. Raises GeneratorError for a model that is not there, must not be loaded
    or is not causal, UsageError for a window or stride that it cannot have.
    """
    rows = {row.id: row for row in done}
    reader = LanguageModelReader(model, window, stride, device)
    for number, text in enumerate(texts.texts):
        progress("documents", number, len(texts.texts))
        if text.id not in rows:
            rows[text.id] = reader.read(text)
            keep([rows[text.id]])
    progress("documents", len(texts.texts), len(texts.texts))
    found = tuple(rows[text.id] for text in texts.texts)
    return Perplexity(found, perplexities(found), reader.name, reader.window, reader.stride)


# Scores


def perplexities(rows: Sequence[TextRow]) -> dict[str, Score]:
    """Return perplexity per token and per byte, and bits per byte, with intervals by bootstrap over documents.

    perplexity = exp(sum of nats / tokens) (Jelinek et al. 1977), perplexity per byte = exp(sum of nats / bytes), bits
    per byte = sum of nats / (bytes ln 2). Sums go over all documents, so that a long one weighs more. One document has
    nothing to be resampled with: the ends of its interval are nan.
    """
    nats, tokens, sizes = ([float(getattr(row, name)) for row in rows] for name in ("nats", "tokens", "bytes"))
    scores = {
        "perplexity": bootstrap(_perplexity, nats, tokens),
        "byte_perplexity": bootstrap(_perplexity, nats, sizes),
        "bits_per_byte": bootstrap(_bits, nats, sizes),
    }
    if len(rows) < 2:
        return {name: Score(score.value, math.nan, math.nan) for name, score in scores.items()}
    return scores


def _perplexity(nats: Any, units: Any) -> float:
    total = np.sum(units)
    return float(np.exp(np.sum(nats) / total)) if total else math.nan


def _bits(nats: Any, sizes: Any) -> float:
    total = np.sum(sizes)
    return float(np.sum(nats) / total / math.log(2)) if total else math.nan
