"""A converted cross-encoder, run by OpenVINO. Never imports torch."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer import native, storage
from indexer.encoders.batches import batches, padded_length
from indexer.encoders.converted import CONVERTING, TOKENIZER
from indexer.encoders.graph import Floats, Graph
from indexer.encoders.precision import wanted
from indexer.types import Progress, silent
from rag.reranking.conversion import check_files, convert, converted_folder, is_converted
from rag.reranking.folder import SETTINGS, RerankerFolder, Use, read_reranker

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


class CrossEncoder:
    """See `rag.reranking.reranker.Reranker`. Safe in threads; not after a fork."""

    def __init__(
        self, converted: Path, use: Use, pad_id: int = 0, name: str = "", precision: str | None = None
    ) -> None:
        """Open a converted reranker; `precision` is the one to run in, as `open_encoder` takes it."""
        self.name, self.depth, self.weight = name, use.depth, use.weight
        self._max_length, self._pad_id = use.max_length, pad_id
        self._tokenizer = pair_tokenizer(converted / TOKENIZER, use.max_length)
        self._graph = Graph(converted, lambda: None, "reranker", precision)
        self.precision = self._graph.precision

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """See `rag.reranking.reranker.Reranker`."""
        return self.pair_scores([(question, text) for text in texts])

    def pair_scores(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return a score for each pair of question and text, in order; pairs alike in length are read together."""
        if not pairs:
            return []
        encoded = self._tokenizer.encode_batch(list(pairs))
        found = np.empty(len(pairs), dtype=np.float32)

        def read(rows: list[int]) -> None:
            pairs = arrays([encoded[row] for row in rows], self._pad_id, self._max_length)
            found[rows] = self._graph.run(list(pairs))[0]

        groups = list(batches([len(each.ids) for each in encoded], self._max_length))
        with ThreadPoolExecutor(self._graph.streams, thread_name_prefix="rerank") as pool:
            list(pool.map(read, groups))
        scores: list[float] = found.tolist()
        return scores


def arrays(
    pairs: Sequence[Encoding], pad_id: int, max_length: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]:
    """Return what the graph is given: ids, types and mask (1 for a token, 0 for padding), (pairs, tokens) each."""
    length = padded_length(max(len(pair.ids) for pair in pairs), max_length)
    ids = np.full((len(pairs), length), pad_id, dtype=np.int32)
    types, mask = np.zeros_like(ids), np.zeros((len(pairs), length), dtype=np.float32)
    for place, pair in enumerate(pairs):
        size = len(pair.ids)
        ids[place, :size], types[place, :size] = pair.ids, pair.type_ids
        mask[place, :size] = 1.0
    return ids, types, mask


def pair_tokenizer(file: Path, max_length: int) -> Tokenizer:
    """Return a tokenizer for pairs of question and passage; of what is too long, the longer one is cut.

    Text is only text: "[SEP]" in a document is spelled out, and cannot end its passage.
    """
    tokenizer = native.tokenizer(file)
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    return tokenizer


_opened: dict[tuple[object, ...], CrossEncoder] = {}
_lock = threading.Lock()


def open_cross_encoder(
    path: Path, home: Path, progress: Progress = silent, precision: str | None = None
) -> CrossEncoder:
    """Open the cross-encoder in a model folder, converting it under `home` on first use; once for each process.

    `precision` is the one to run in, as `indexer.encoder.open_encoder` takes it.
    Raises EncoderError where the folder holds no reranker or it cannot be converted, StorageError where the disk
    refuses.
    """
    with _lock:
        key = (path, home, wanted(precision), *_states(path))
        if key not in _opened:
            _opened[key] = _open(read_reranker(path), home, progress, precision)
        return _opened[key]


def _states(path: Path) -> Iterator[tuple[int, int]]:
    """Yield size and time of each file: as long as they are the same, the model is."""
    for name in ("config.json", "model.safetensors", TOKENIZER, SETTINGS):
        with contextlib.suppress(OSError):
            stat = (path / name).stat()
            yield stat.st_size, stat.st_mtime_ns


def _open(folder: RerankerFolder, home: Path, progress: Progress, precision: str | None) -> CrossEncoder:
    converted = converted_folder(folder, home)
    if not (is_converted(folder, home, precision) and check_files(converted)):
        progress("converting the reranker, once", 0, 1)
        with storage.in_turn(home / CONVERTING):
            if not (is_converted(folder, home, precision) and check_files(converted)):  # by another, meanwhile
                convert(folder, home, precision)
        progress("converting the reranker, once", 1, 1)
    return CrossEncoder(converted, folder.use, folder.pad_id, str(folder.path), precision)
