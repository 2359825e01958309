"""Any sentence-transformers model, run by sentence-transformers itself: slower, for what cannot be converted."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoders.converted import Settings
from indexer.encoders.tokens import PassageTokenizer
from indexer.encoders.vectors import checked
from indexer.errors import EncoderError
from indexer.model_files import keep_offline
from indexer.types import Progress, Vectors, silent

_BATCH = 32
_WINDOW = 1024  # texts that sentence-transformers sorts by length at a time


class TorchEncoder:
    """See `indexer.encoder.Encoder`. Calls from several threads wait for each other."""

    def __init__(self, model_folder: Path, settings: Settings, name: str) -> None:
        self.name = name
        self.fingerprint = settings.fingerprint
        self.dim = settings.dim
        self.precision = "fp32"
        self._settings = settings
        self._model = load_sentence_transformer(model_folder)
        self._model.max_seq_length = settings.max_length
        self._tokenizer = PassageTokenizer(_tokenizer_file(model_folder), settings.max_length)
        self.max_tokens = self._tokenizer.room(settings.passage_prompt)
        self._lock = threading.Lock()
        self._process = os.getpid()

    def embed_passages(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """See `indexer.encoder.Encoder`."""
        return self._embed(texts, self._settings.passage_prompt, progress)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See `indexer.encoder.Encoder`."""
        return self._embed(texts, self._settings.query_prompt, silent)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """See `indexer.encoder.Encoder`."""
        return self._tokenizer.spans(text)

    def _embed(self, texts: Sequence[str], prompt: str, progress: Progress) -> Vectors:
        if os.getpid() != self._process:
            raise EncoderError(
                f"The encoder {self.name} was opened before this process was forked.",
                hint='Open it in the child, or start workers with "spawn".',
            )
        parts = [np.empty((0, self.dim), dtype=np.float32)]
        for first in range(0, len(texts), _WINDOW):
            window = list(texts[first : first + _WINDOW])
            with self._lock:
                parts.append(self._encode(window, prompt, _BATCH))
            progress("embedding", first + len(window), len(texts))
        return checked(np.concatenate(parts), len(texts), self.dim)

    def _encode(self, texts: list[str], prompt: str, batch: int) -> Vectors:
        try:
            found: Vectors = self._model.encode(
                texts, prompt=prompt, batch_size=batch, normalize_embeddings=True, show_progress_bar=False
            )
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and "alloc" not in str(error).lower():
                raise
            if batch == 1:
                raise EncoderError(
                    "Not enough memory to embed one text.",
                    hint="Close other programs, or raise the memory limit of this process.",
                ) from error
        else:
            return found
        return self._encode(texts, prompt, batch // 2)


def load_sentence_transformer(folder: Path, attention: str | None = None) -> Any:
    """Load a checked model folder with sentence-transformers: no network, no code from the folder, CPU, float32.

    `attention` is how its layers attend, in the words of transformers; None: the fastest that its kind has.
    """
    keep_offline()
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    bars: Any = logging  # its functions are only half typed
    bars.disable_progress_bar()  # of loading weights, which is drawn wherever the errors go

    return SentenceTransformer(
        str(folder),
        device="cpu",
        trust_remote_code=False,
        local_files_only=True,
        model_kwargs={"use_safetensors": True, "attn_implementation": attention},
    ).float()


def _tokenizer_file(folder: Path) -> Path:
    from indexer.encoders.model_folder import inspect_model_folder

    return inspect_model_folder(folder).transformer / "tokenizer.json"
