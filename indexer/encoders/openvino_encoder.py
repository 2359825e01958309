"""A converted encoder, run by OpenVINO. Never imports torch, transformers or sentence_transformers."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from indexer.encoders.converted import MODEL, TOKENIZER, Settings
from indexer.encoders.tokens import PassageTokenizer
from indexer.encoders.vectors import checked
from indexer.errors import EncoderError
from indexer.types import Progress, Vectors, silent

logger = logging.getLogger(__name__)

_WINDOW = 1024  # texts sorted by length together; bounds the memory held by tokens
_BATCH_TOKENS = 1024  # measured: larger batches gain nothing, smaller ones lose on short texts
_STEP = 8  # lengths are padded to a multiple: few shapes for the runtime to prepare, about 3 % of padding


class OpenVinoEncoder:
    """See `indexer.encoder.Encoder`. Safe in threads; refuses to run after a fork: the child has no inference threads.

    The vector of a text does not depend on the texts beside it except for rounding.
    """

    def __init__(self, folder: Path, settings: Settings, name: str) -> None:
        self.name = name
        self.fingerprint = settings.fingerprint
        self.dim = settings.dim
        self._settings = settings
        self._tokenizer = PassageTokenizer(folder / TOKENIZER, settings.max_length)
        self.max_tokens = self._tokenizer.room(settings.passage_prompt)
        self._compiled = _compile(folder / MODEL)
        self._workers = max(1, int(self._compiled.get_property("NUM_STREAMS")))
        self._idle: list[Any] = []  # inference requests; list.pop and list.append are atomic
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
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        done = 0
        for first in range(0, len(texts), _WINDOW):
            window = [prompt + text for text in texts[first : first + _WINDOW]]
            # Not overlapped with inference: both keep every core busy by themselves.
            tokens = self._tokenizer.ids(window)
            batches = list(_batches([len(ids) for ids in tokens], self._settings.max_length))
            for rows, found in zip(batches, self._run(batches, tokens), strict=True):
                vectors[[first + row for row in rows]] = found
                done += len(rows)
                progress("embedding", done, len(texts))
        return checked(vectors, len(texts), self.dim)

    def _run(self, batches: list[list[int]], tokens: list[list[int]]) -> Iterator[Vectors]:
        """Yield the vectors of each batch in order."""
        if len(batches) == 1 or self._workers == 1:
            yield from (self._infer([tokens[row] for row in rows]) for rows in batches)
            return
        with ThreadPoolExecutor(self._workers, thread_name_prefix="embed") as pool:
            try:
                yield from pool.map(lambda rows: self._infer([tokens[row] for row in rows]), batches)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _infer(self, tokens: list[list[int]]) -> Vectors:
        """Run one batch, in halves where memory does not suffice for the whole. Shape (len(tokens), dim)."""
        ids, mask = _padded(tokens, self._settings.pad_id, self._settings.max_length)
        try:
            request = self._idle.pop() if self._idle else self._compiled.create_infer_request()
            request.infer([ids, mask], share_inputs=True)
            found: Vectors = np.array(request.get_output_tensor(0).data, dtype=np.float32)
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            if len(tokens) == 1:
                raise EncoderError(
                    f"Not enough memory to embed one text of {len(tokens[0])} tokens.",
                    hint="Close other programs, or raise the memory limit of this process.",
                ) from error
            logger.warning("Out of memory with %d texts at once; trying %d.", len(tokens), len(tokens) // 2)
        else:
            self._idle.append(request)
            return found
        half = len(tokens) // 2
        return np.concatenate([self._infer(tokens[:half]), self._infer(tokens[half:])])


def _batches(lengths: list[int], max_length: int) -> Iterator[list[int]]:
    """Yield rows of one padded length together, longest first, so that a lack of memory shows at once."""
    rows = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    batch: list[int] = []
    for row in rows:
        padded = _padded_length(lengths[row], max_length)
        if batch and (
            padded != _padded_length(lengths[batch[0]], max_length) or (len(batch) + 1) * padded > _BATCH_TOKENS
        ):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _padded_length(length: int, max_length: int) -> int:
    return min(-(-length // _STEP) * _STEP, max_length)


def _padded(
    tokens: list[list[int]], pad_id: int, max_length: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return token ids and mask, shape (b, l)."""
    length = _padded_length(max(len(row) for row in tokens), max_length)
    ids = np.full((len(tokens), length), pad_id, dtype=np.int32)
    mask = np.zeros((len(tokens), length), dtype=np.float32)
    for place, row in enumerate(tokens):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1.0
    return ids, mask


def _out_of_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(word in text for word in ("bad_alloc", "allocat", "memory"))


def _compile(model: Path) -> Any:
    """Compile for this processor: bfloat16 where it has instructions for it, one stream for each core."""
    openvino = runtime()
    core = openvino.Core()
    fast = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if fast else "f32",
        "NUM_STREAMS": cores,  # measured: two streams of one thread are 5 to 15 % faster than one of two
        "INFERENCE_NUM_THREADS": cores,
        "ENABLE_CPU_PINNING": False,
    }
    try:
        return core.compile_model(str(model), "CPU", settings)
    except (RuntimeError, MemoryError) as error:
        raise EncoderError(
            f"OpenVINO could not open the converted encoder: {error}",
            hint="Run the indexing again, or doctor: either converts the encoder anew.",
        ) from error


_import_lock = threading.Lock()


def runtime() -> ModuleType:
    """Import openvino without its converter and without its telemetry.

    `import openvino` imports `openvino.tools.ovc`, which sends an event over the network through `openvino_telemetry`
    as it is imported, and costs a fifth of a second. An entry of None in sys.modules makes an import fail
    (docs.python.org, "The module cache"); openvino is written to do without either. Telemetry stays barred.
    """
    with _import_lock:
        modules = cast(dict[str, Any], sys.modules)
        modules.setdefault("openvino_telemetry", None)
        if "openvino" in modules:
            return cast(ModuleType, modules["openvino"])
        barred = "openvino.tools.ovc" not in modules
        if barred:
            modules["openvino.tools.ovc"] = None
        try:
            return importlib.import_module("openvino")
        finally:
            if barred:
                del modules["openvino.tools.ovc"]
