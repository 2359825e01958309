"""A converted encoder, run by OpenVINO. Never imports torch, transformers or sentence_transformers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from indexer import native
from indexer.encoders.batches import batches, in_halves, padded
from indexer.encoders.compiled import compile_model, read_blob
from indexer.encoders.converted import TOKENIZER, Settings
from indexer.encoders.tokens import PassageTokenizer
from indexer.encoders.vectors import checked
from indexer.errors import EncoderError
from indexer.types import Progress, Vectors, silent

_REMEMBERED = 256
"""Questions whose vectors are kept."""
_WINDOW = 1024  # texts sorted by length together; bounds the memory held by tokens


class OpenVinoEncoder:
    """See `indexer.encoder.Encoder`. Safe in threads; refuses to run after a fork: the child has no inference threads.

    The vector of a text does not depend on the texts beside it, except for rounding.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        name: str,
        check: Callable[[], None] = lambda: None,
        precision: str | None = None,
    ) -> None:
        """Open the converted model in `folder`; `check` is called before its weights are read, and may raise.

        `precision` is the one to run in, as `indexer.encoders.precision.wanted` takes it.
        """
        self.name = name
        self.fingerprint = settings.fingerprint
        self.dim = settings.dim
        self._settings = settings
        with ThreadPoolExecutor(1) as background:  # reading and hashing release the GIL; the imports beside it do not
            blob = background.submit(read_blob, folder)
            native.openvino()
            self._tokenizer = PassageTokenizer(folder / TOKENIZER, settings.max_length)
            self._blob = blob.result()
            compiled = compile_model(folder, self._blob, check, precision)
        self._compiled = compiled.model
        self.precision = compiled.precision.name
        """What the linear layers compute in: "fp32", "bf16" or "int8"."""
        self.max_tokens = self._tokenizer.room(settings.passage_prompt)
        self._workers = max(1, int(self._compiled.get_property("NUM_STREAMS")))
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="embed")
        """Kept: to start threads takes as long as to read a few sentences."""
        self._idle: list[Any] = []  # inference requests; list.pop and list.append are atomic
        self._process = os.getpid()
        self._asked: dict[str, Vectors] = {}
        self._asking = threading.Lock()

    def embed_passages(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """See `indexer.encoder.Encoder`."""
        return self._embed(texts, self._settings.passage_prompt, progress)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See `indexer.encoder.Encoder`. A question that was asked just now is not read again.

        Searching and choosing sentences both need the vector of one question.
        """
        with self._asking:
            known = {text: self._asked[text] for text in texts if text in self._asked}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, self._embed(new, self._settings.query_prompt, silent), strict=True))
        with self._asking:
            self._asked.update((text, known[text]) for text in new)
            while len(self._asked) > _REMEMBERED:
                del self._asked[next(iter(self._asked))]
        return np.array([known[text] for text in texts], dtype=np.float32).reshape(-1, self.dim)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """See `indexer.encoder.Encoder`."""
        return self._tokenizer.spans(text)

    def _embed(self, texts: Sequence[str], prompt: str, progress: Progress) -> Vectors:
        if os.getpid() != self._process:
            raise EncoderError(
                f"The encoder {self.name} was opened before this process was forked.",
                hint='Open it in the child, or start workers with "spawn".',
            )
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        done = 0
        for first in range(0, len(texts), _WINDOW):
            # Not overlapped with inference: the tokenizer and the model each keep every core busy by themselves.
            tokens = self._tokenizer.ids([prompt + text for text in texts[first : first + _WINDOW]])
            groups = list(batches([len(ids) for ids in tokens], self._settings.max_length))
            for rows, found in zip(groups, self._run(groups, tokens), strict=True):
                vectors[[first + row for row in rows]] = found
                done += len(rows)
                progress("embedding", done, len(texts))
        return checked(vectors, len(texts), self.dim)

    def _run(self, groups: list[list[int]], tokens: list[list[int]]) -> Iterator[Vectors]:
        """Yield the vectors of each group of rows, in order."""

        def embedded(rows: list[int]) -> Vectors:
            return in_halves(self._infer, [tokens[row] for row in rows])

        if len(groups) == 1 or self._workers == 1:
            yield from map(embedded, groups)
        else:
            yield from self._pool.map(embedded, groups)

    def _infer(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        """Run the model once. Shape (len(tokens), dim)."""
        ids, mask = padded(tokens, self._settings.pad_id, self._settings.max_length)
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        request.infer([ids, mask], share_inputs=True)
        found: Vectors = np.array(request.get_output_tensor(0).data, dtype=np.float32)
        self._idle.append(request)
        return found
