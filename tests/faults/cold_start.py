"""A process whose threads are the first to use a native library: `python -m tests.faults.cold_start WHAT [FOLDER]`.

Threads take turns as often as they can, so that an initialisation which is no turn's alone is met in its middle.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from indexer import native
from indexer.encoders.graph import Graph

THREADS = 4


def types(_: str) -> Callable[[], object]:
    """Convert a type to numpy's, as every inference does first."""
    openvino = native.openvino()
    return lambda: openvino.Type.f32.to_dtype()


def graph(folder: str) -> Callable[[], object]:
    """Run the model in the folder; as on a fresh home, nothing compiled was kept."""
    opened = Graph(Path(folder), lambda: None)
    return lambda: opened.run([np.ones((1, 2), dtype=np.float32)])


def opening(folder: str) -> Callable[[], object]:
    """Open the model in the folder and run it, in every thread."""
    return lambda: Graph(Path(folder), lambda: None).run([np.ones((1, 2), dtype=np.float32)])


def searching(_: str) -> Callable[[], object]:
    """Build an index of vectors and search it, in every thread."""
    from indexer import segments

    rows = np.eye(8, dtype=np.float32)
    return lambda: segments.build(np.arange(8), rows).search(rows, 3)


def tokens(file: str) -> Callable[[], object]:
    """Cut a text into tokens."""
    from indexer.encoders.tokens import PassageTokenizer

    opened = PassageTokenizer(Path(file), 16)
    return lambda: (opened.ids(["The pump was replaced."]), opened.spans("It is new."))


def main(what: str, path: str = "") -> None:
    """Let all threads do it at once; end without waiting for what Python would wait for."""
    sys.setswitchinterval(1e-6)
    use = {"types": types, "graph": graph, "opening": opening, "searching": searching, "tokens": tokens}[what](path)
    together = threading.Barrier(THREADS)
    failed: list[BaseException] = []

    def run() -> None:
        together.wait()
        try:
            use()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(1 if failed else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
