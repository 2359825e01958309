"""An encoder's tokenizer: token ids to embed, and character spans to chunk by."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from indexer import native
from indexer.errors import EncoderError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PIECE = 16_384  # characters tokenized at once; bounds memory, since a token's record is far larger than its text


class PassageTokenizer:
    """Wraps tokenizer.json. Text is only text: "[SEP]" in a document is spelled out, not read as the special token."""

    def __init__(self, path: Path, max_length: int) -> None:
        self._path = path
        self._cutting = _load(path)
        self._cutting.enable_truncation(max_length)
        self._max_length = max_length
        self._special = self._cutting.num_special_tokens_to_add(False)
        self._whole: Tokenizer | None = None
        self._lock = threading.Lock()

    def room(self, prompt: str) -> int:
        """Return how many tokens of text are read besides the special ones and those of the prompt."""
        return self._max_length - self._special - (len(self.spans(prompt)) if prompt else 0)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, special ones included, cut at the longest input."""
        return [encoding.ids for encoding in self._cutting.encode_batch_fast(list(texts))]

    def plain_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, without special ones, cut at the longest input."""
        encoded = self._cutting.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encoded]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the characters [start, end) of each token, nothing cut off, no special tokens; linear time."""
        with self._lock:
            if self._whole is None:
                self._whole = _load(self._path)
            whole = self._whole
        found: list[tuple[int, int]] = []
        for start, end in _pieces(text):
            offsets = whole.encode(text[start:end], add_special_tokens=False).offsets
            found.extend([(start + first, start + last) for first, last in offsets])
        return found


def _load(path: Path) -> Tokenizer:
    try:
        tokenizer = native.tokenizer(path)
    except Exception as error:  # the library raises Exception itself
        raise EncoderError(f"The tokenizer {path} does not read: {error}.", hint="Copy the model again.") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield spans that cover the text, cut before a space where there is one, since no token crosses it."""
    start = 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        while end > start + _PIECE // 2 and not text[end].isspace():
            end -= 1
        if not text[end].isspace():
            end = start + _PIECE
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)
