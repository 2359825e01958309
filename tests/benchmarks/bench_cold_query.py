"""A question from cold, as a whole process: `footnote ask` and `search` against bare sentence-transformers + FAISS.

Run: python -m tests.benchmarks.bench_cold_query [--rounds 5]
Both sides hold the passages of corpora/: we in a collection, the rival in an index file of FAISS and a JSON file of the
texts, saved beforehand. Each round starts one process for each side, with the same question. Printed: the median
time and peak memory of each, and the ratio. Exit 1 when the bar is missed: a fifth of the rival, `--help` in 0.3 s.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "When was Lantern opened to readers?"
BAR = 5.0

RIVAL = """
import json, sys
import faiss
from sentence_transformers import SentenceTransformer
model_folder, folder, question = sys.argv[1:]
model = SentenceTransformer(model_folder, device="cpu")
index = faiss.read_index(folder + "/rival.faiss")
texts = json.load(open(folder + "/texts.json"))
scores, ids = index.search(model.encode([question], normalize_embeddings=True), 5)
print(json.dumps([texts[i] for i in ids[0]]))
"""


def measured(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a whole process; return its seconds and its peak memory in MB. Raises RuntimeError when it fails.

    As in most people's environment, Python may keep the modules that it compiles: what is installed with pip is kept in
    any case, so that PYTHONDONTWRITEBYTECODE would slow down one side alone.
    """
    environment = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    quiet = os.open(os.devnull, os.O_WRONLY)
    redirect = [(os.POSIX_SPAWN_DUP2, quiet, 1), (os.POSIX_SPAWN_DUP2, quiet, 2)]
    process = os.posix_spawn(command[0], list(command), environment, file_actions=redirect)
    _, status, usage = os.wait4(process, 0)
    os.close(quiet)
    if os.waitstatus_to_exitcode(status) not in (0, 4):
        raise RuntimeError(f"{' '.join(command)} failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def save_rival(folder: Path, texts: list[str]) -> str:
    """Save the rival's index and texts; return the folder of its model."""
    from sentence_transformers import SentenceTransformer

    from indexer.encoders.model_folder import find_model_folder

    model_folder = str(find_model_folder("all-MiniLM-L6-v2"))
    rows = SentenceTransformer(model_folder, device="cpu").encode(texts, normalize_embeddings=True)
    faiss: Any = importlib.import_module("faiss")
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    faiss.write_index(index, str(folder / "rival.faiss"))
    (folder / "texts.json").write_text(json.dumps(texts))
    return model_folder


def prepare(folder: Path) -> None:
    """Index corpora/ for both sides; the rival's model folder is written to `model.txt`."""
    from indexer.chunker import passage_text
    from indexer.collection import Collection
    from indexer.types import Chunk

    collection = Collection("default", folder)
    collection.sync([ROOT / "corpora"])
    texts = [
        passage_text(Chunk(chunk.start, chunk.end, chunk.text, chunk.context))
        for entry in collection.documents()
        for chunk in collection.document_chunks(entry.source)
    ]
    (folder / "model.txt").write_text(save_rival(folder, texts))


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--prepare", "only_prepare", type=click.Path(path_type=Path), hidden=True)
def main(rounds: int, only_prepare: Path | None) -> None:
    """Measure cold questions."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    if only_prepare is not None:
        prepare(only_prepare)
        return
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: a child's peak memory counts what its parent held when it was started.
        module = [sys.executable, "-m", "tests.benchmarks.bench_cold_query"]
        subprocess.run([*module, "--prepare", folder], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        ours = [sys.executable, str(ROOT / "cli.py")]
        model_folder = Path(folder, "model.txt").read_text()
        sides = {
            "rival": [sys.executable, "-c", RIVAL, model_folder, folder, QUESTION],
            "ask": [*ours, "ask", QUESTION, "--home", folder, "--json"],
            "search": [*ours, "search", QUESTION, "--home", folder, "--json"],
            "--help": [*ours, "--help"],
        }
        runs: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}
        for command in sides.values():  # the first answer compiles the reader, once on a machine: it is not counted
            measured(command, dict(os.environ))
        for _ in range(rounds):
            for side, command in sides.items():
                runs[side].append(measured(command, dict(os.environ)))
        count = len(json.loads(Path(folder, "texts.json").read_text()))
    click.echo(f"{count} passages, {rounds} rounds, median of whole processes")
    seconds = {side: statistics.median(run[0] for run in found) for side, found in runs.items()}
    for side, found in runs.items():
        ratio = seconds["rival"] / seconds[side]
        peak = max(run[1] for run in found)
        click.echo(f"{side:8} {seconds[side]:6.2f} s  {peak:5.0f} MB  rival takes {ratio:.1f} times")
    good = min(seconds["rival"] / seconds[side] for side in ("ask", "search")) >= BAR and seconds["--help"] < 0.3
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
