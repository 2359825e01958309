"""A small random cross-encoder in the layout of Hugging Face, written without torch, for tests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from tests.small_encoder import DIM, write_json, write_small_encoder


def write_small_reranker(folder: Path, seed: int = 0, **settings: float) -> Path:
    """Write the model into `folder` and return it; `settings` go into its reranker.json."""
    body = write_small_encoder(folder.with_name(f"{folder.name}-body"), max_length=64, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(seed + 1)
    weights = {f"bert.{name}": value for name, value in load_file(body / "model.safetensors").items()}
    weights["bert.pooler.dense.weight"] = chance.normal(0, 0.3, (DIM, DIM)).astype(np.float32)
    weights["bert.pooler.dense.bias"] = np.zeros(DIM, dtype=np.float32)
    weights["classifier.weight"] = chance.normal(0, 1.0, (1, DIM)).astype(np.float32)
    weights["classifier.bias"] = np.zeros(1, dtype=np.float32)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((body / "config.json").read_text())
    write_json(
        folder / "config.json",
        {**config, "architectures": ["BertForSequenceClassification"], "id2label": {"0": "score"}},
    )
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((body / name).read_bytes())
    write_json(folder / "reranker.json", {"max_length": 48, "depth": 3, "weight": 1.0, **settings})
    return folder
