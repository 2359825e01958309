"""A small random static encoder in the layout of sentence-transformers: opened without any conversion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from tests.small_encoder import write_json, write_small_encoder


def write_small_static(folder: Path, dim: int = 64, seed: int = 0) -> Path:
    """Write the model into `folder` and return it."""
    body = write_small_encoder(folder.with_name(f"{folder.name}-body"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_bytes((body / "tokenizer.json").read_bytes())
    tokens = 1 + max(Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab().values())
    table = np.random.default_rng(seed).normal(0, 1, (tokens, dim)).astype(np.float32)
    save_file({"embedding.weight": table}, folder / "model.safetensors", metadata={"format": "pt"})
    kinds = ("StaticEmbedding", "Normalize")
    write_json(
        folder / "modules.json",
        [
            {"idx": place, "name": str(place), "path": "" if place == 0 else "1_Normalize",
             "type": f"sentence_transformers.models.{kind}"}
            for place, kind in enumerate(kinds)
        ],
    )  # fmt: skip
    return folder
