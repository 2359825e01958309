"""Words of which a sentence has one or the other: "summer" and "winter", "public" and "private", "army" and "navy".

Vectors alone do not tell such words from synonyms. Texts do: "summer and winter" is written, "large and big" is not
(conjunctions as evidence: Hatzivassiloglou & McKeown 1997). So a word's neighbours are those that the texts join to it
and that an encoder's token embeddings hold to be of its kind, but not to be the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexer.errors import UserError
from indexer.words import STOP_WORDS
from rag.question import stem

LEAST, MOST = 0.2, 0.6
"""Cosines between which two words are of one kind, and not one word in two forms."""
_WORD = "([a-z]{4,})"
_JOINED = re.compile(
    rf"\b{_WORD},? (?:and|or|nor|than|versus|to) (?:(?:the|a|an|in|from|of|by|its|their) )?{_WORD}\b"
    rf"|\b(?:between|from|either|both|neither) {_WORD} (?:and|to|or|nor) {_WORD}\b"
)
_LISTED = re.compile(rf"\b{_WORD}, (?:and |or )?{_WORD}\b")


class Neighbours:
    """Which words are told apart by which."""

    def __init__(self, words: list[str], vectors: npt.NDArray[np.float32], texts: Iterable[str]) -> None:
        """`vectors`, of shape (len(words), d), are those of `words`; `texts` join them, in whatever order."""
        centred = vectors - vectors.mean(axis=0)
        length = np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
        place = {word: number for number, word in enumerate(words)}
        found: dict[str, dict[str, float]] = {}
        for one, other in sorted({pair for text in texts for pair in _pairs(text)}):
            if one in place and other in place and _form(one) == _form(other) and stem(one) != stem(other):
                both = centred[[place[one], place[other]]] / length[[place[one], place[other]]]
                cosine = float(both[0] @ both[1])
                if LEAST <= cosine <= MOST:
                    found.setdefault(one, {})[other] = cosine
                    found.setdefault(other, {})[one] = cosine
        self._found = {word: tuple(sorted(near, key=lambda n: (-near[n], n))) for word, near in found.items()}

    def __call__(self, word: str) -> tuple[str, ...]:
        """Return the neighbours of a word in lower case, the nearest first."""
        return self._found.get(word, ())


def read_neighbours(encoder: Path, texts: Iterable[str]) -> Neighbours:
    """Return the neighbours that `texts` give, by the token embeddings of a BERT-like encoder's folder.

    Raises UserError where the folder has no vocabulary of words or no such embeddings.
    """
    from safetensors import SafetensorError, safe_open

    try:
        tokenizer = json.loads((encoder / "tokenizer.json").read_text(encoding="utf-8"))
        vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
        words = [word for word in vocabulary if word.isascii() and word.isalpha() and word not in STOP_WORDS]
        with safe_open(encoder / "model.safetensors", "pt") as weights:  # NumPy knows no bfloat16
            embeddings = weights.get_tensor("embeddings.word_embeddings.weight").float().numpy()
        vectors = embeddings[[vocabulary[word] for word in words]]
    except (OSError, LookupError, TypeError, ValueError, AttributeError, SafetensorError) as error:
        raise UserError(
            f"{encoder} is no BERT-like encoder: {error!r}.", "Name another, or leave the default one."
        ) from error
    return Neighbours(words, vectors, texts)


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    for pattern in (_JOINED, _LISTED):
        for match in pattern.finditer(text):
            one, other = sorted(word for word in match.groups() if word)
            yield one, other


def _form(word: str) -> str:
    """Return the ending that tells a plural, a participle or an adverb; with another one a sentence would limp."""
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return "s"
    return next((ending for ending in ("ing", "ed", "ly") if word.endswith(ending)), "")
