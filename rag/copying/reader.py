"""Runs the converted graphs: windows are read, in parallel, and actions are scored. Never imports torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexer.encoders.batches import batches, padded_length
from indexer.encoders.graph import Floats as Floats
from indexer.encoders.graph import Graph
from rag.copying.layout import Window


@dataclass(frozen=True, slots=True)
class WindowRead:
    """What reading one window of t tokens gives; see `rag.copying.model.Read`."""

    hidden: Floats
    """Shape (t, d)."""
    start: Floats
    """Shape (t,)."""
    end: Floats
    first: Floats
    """Shape (t, r)."""
    last: Floats
    polarity: Floats | None = None
    """Shape (t, 2)."""


class Reader:
    """Reads windows. Safe in threads; not after a fork."""

    def __init__(self, converted: Path, check: Callable[[], None] = lambda: None, precision: str | None = None) -> None:
        """`check` is called before weights are read that no kept compiled model spares, and may raise.

        `precision` is the one to run in, as `indexer.encoders.precision.wanted` takes it.
        """
        self._graph = Graph(converted / "reader", check, precision=precision)
        self.precision = self._graph.precision
        self.streams = self._graph.streams
        """How many windows are read at once."""
        self._pool = ThreadPoolExecutor(self.streams, thread_name_prefix="read")

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def read(self, windows: Sequence[Window]) -> list[WindowRead]:
        """Read windows, in order; those alike in length together."""
        groups = list(batches([len(window.ids) for window in windows], max(len(window.ids) for window in windows)))
        done: list[WindowRead | None] = [None] * len(windows)
        for rows, found in zip(
            groups, self._pool.map(lambda rows: self._read([windows[i] for i in rows]), groups), strict=True
        ):
            for row, each in zip(rows, found, strict=True):
                done[row] = each
        return [each for each in done if each is not None]

    def _read(self, windows: Sequence[Window]) -> list[WindowRead]:
        found = self._graph.run(list(arrays(windows)))
        return [WindowRead(*(each[row, : len(window.ids)] for each in found)) for row, window in enumerate(windows)]


def arrays(windows: Sequence[Window]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]:
    """Return what the graph is given: ids, types and mask (1 for a token, 0 for padding), (windows, tokens) each."""
    length = padded_length(max(len(window.ids) for window in windows), 512)
    ids = np.zeros((len(windows), length), dtype=np.int32)
    types, mask = np.zeros_like(ids), np.zeros((len(windows), length), dtype=np.float32)
    for row, window in enumerate(windows):
        ids[row, : len(window.ids)] = window.ids
        types[row, : len(window.ids)] = window.types
        mask[row, : len(window.ids)] = 1.0
    return ids, types, mask


class Decoder:
    """Scores the next action."""

    def __init__(self, converted: Path, check: Callable[[], None] = lambda: None, precision: str | None = None) -> None:
        """See `Reader`."""
        self._graph = Graph(converted / "decoder", check, precision=precision)

    def step(
        self, kinds: Sequence[int], firsts: Floats, lasts: Floats, tokens: Sequence[int], memory: Floats
    ) -> tuple[Floats, Floats, Floats, float]:
        """Return queries for a span's start and end (d,), the scores of written tokens (v,) and that of stopping.

        `kinds` (s,): 0 to begin, 1 for a copy whose ends have the hidden states `firsts` and `lasts` (s, d), 2 for a
        written token of `tokens` (s,); `memory` (m, d): the hidden states of everything that was read.
        """
        start, end, written, stop = self._graph.run(
            [
                np.array([kinds], dtype=np.int32),
                firsts[None].astype(np.float32),
                lasts[None].astype(np.float32),
                np.array([tokens], dtype=np.int32),
                memory[None],
            ]
        )
        return start, end, written, float(stop[0])
