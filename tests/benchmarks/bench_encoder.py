"""Embedding speed against sentence-transformers in float32, on the same text, in processes that take turns.

Run: python -m tests.benchmarks.bench_encoder [--chunks 384] [--rounds 2]
Each round starts one process for each side; a process warms up on a few texts and then embeds all of them. Printed for
each case: chunks per second of either side (the best round), their ratio, the smallest and mean cosine between their
vectors, and the peak memory of either process. Exit 1 when the bar is missed: ratio 2.0, cosine 0.98, 700 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SPECIAL = re.compile(r"\[(CLS|SEP|MASK|PAD|UNK)\]")  # ours reads them as text, on purpose; the rival as special tokens
BAR_RATIO, BAR_COSINE, BAR_MEGABYTES = 2.0, 0.98, 700.0


def main() -> int:
    """Run both cases and say whether the bar holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--side", choices=("ours", "rival"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(_measure(options.side, options.folder)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        good = [
            _case("mixed lengths up to 256 tokens", _mixed(options.chunks), Path(folder), options.rounds),
            _case("all of 243 tokens", _even(options.chunks // 2), Path(folder), options.rounds),
        ]
    return 0 if all(good) else 1


def _case(title: str, texts: list[str], folder: Path, rounds: int) -> bool:
    (folder / "texts.json").write_text(json.dumps(texts))
    _run("ours", folder)  # converts the model on first use, which is not measured
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "rival": []}
    for round_number in range(rounds):
        for side in ("ours", "rival") if round_number % 2 == 0 else ("rival", "ours"):
            runs[side].append(_run(side, folder))
    speed = {side: max(len(texts) / run["seconds"] for run in found) for side, found in runs.items()}
    memory = {side: max(run["megabytes"] for run in found) for side, found in runs.items()}
    cosines = np.sum(np.load(folder / "ours.npy") * np.load(folder / "rival.npy"), axis=1)
    ratio = speed["ours"] / speed["rival"]
    print(f"{title}: {len(texts)} chunks, {rounds} rounds")
    print(f"  ours  {speed['ours']:6.1f} chunks/s  peak {memory['ours']:.0f} MB")
    print(f"  rival {speed['rival']:6.1f} chunks/s  peak {memory['rival']:.0f} MB")
    print(f"  ratio {ratio:.2f}  cosine min {cosines.min():.5f} mean {cosines.mean():.5f}", flush=True)
    return bool(ratio >= BAR_RATIO and cosines.min() >= BAR_COSINE and memory["ours"] < BAR_MEGABYTES)


def _run(side: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.bench_encoder", "--side", side, "--folder", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return report


def _measure(side: str, folder: Path) -> dict[str, float]:
    """Embed all texts in this process; write the vectors to `folder`."""
    texts: list[str] = json.loads((folder / "texts.json").read_text())
    embed = _ours(folder) if side == "ours" else _rival()
    embed(texts[:8])
    started = time.perf_counter()
    vectors = embed(texts)
    seconds = time.perf_counter() - started
    np.save(folder / f"{side}.npy", vectors)
    return {"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _ours(folder: Path) -> Any:
    from indexer.encoder import open_encoder

    return open_encoder(None, folder / "home").embed_passages


def _rival() -> Any:
    os.environ["HF_HUB_OFFLINE"] = "1"
    from sentence_transformers import SentenceTransformer

    from indexer.encoders.model_folder import find_model_folder

    model = SentenceTransformer(str(find_model_folder("all-MiniLM-L6-v2")), device="cpu")
    return lambda texts: model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)


def _words() -> list[str]:
    files = sorted(path for path in (ROOT / "corpora").rglob("*.md") if path.is_file())
    words = " ".join(path.read_text() for path in files[:200]).split()
    return [word for word in words if not SPECIAL.search(word)] or ["sluice", "gate"]


def _mixed(count: int) -> list[str]:
    """Return chunks of 10 to about 256 tokens, drawn from the corpora with a fixed seed."""
    chance, words = random.Random(7), _words()
    found = []
    for _ in range(count):
        length = chance.randint(8, 165)
        start = chance.randrange(max(1, len(words) - length))
        found.append(" ".join(words[start : start + length]))
    return found


def _even(count: int) -> list[str]:
    """Return chunks of 243 tokens, special ones included."""
    from indexer.encoders.model_folder import find_model_folder
    from indexer.encoders.tokens import PassageTokenizer

    tokenizer = PassageTokenizer(find_model_folder("all-MiniLM-L6-v2") / "tokenizer.json", 256)
    text = " ".join(_words() * 2)[:600_000]
    spans = tokenizer.spans(text)
    step = max(1, (len(spans) - 241) // count)
    found = [text[spans[i * step][0] : spans[i * step + 240][1]] for i in range(count)]
    return [piece for piece in found if piece]


if __name__ == "__main__":
    sys.exit(main())
