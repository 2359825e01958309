"""Small random encoders of many architectures in the layout of sentence-transformers, for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel

from tests.small_encoder import DIM, INNER, LAYERS, POSITIONS, write_json, write_small_encoder

SIZES: Mapping[str, Any] = {
    "hidden_size": DIM, "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": 4,
    "max_position_embeddings": POSITIONS, "pad_token_id": 0,
}  # fmt: skip
ARCHITECTURES: Mapping[str, Mapping[str, Any]] = {
    "bert": SIZES,
    "mpnet": SIZES,
    "roberta": SIZES,
    "distilbert": {
        "dim": DIM, "hidden_dim": INNER, "n_layers": LAYERS, "n_heads": 4, "max_position_embeddings": POSITIONS,
        "pad_token_id": 0,
    },
    "xlm-roberta": SIZES,
    "modernbert": {
        **SIZES, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3, "local_attention": 8,
        "global_attn_every_n_layers": 2,
    },
}  # fmt: skip
"""The settings of a small model of each type."""


def write_architecture(folder: Path, kind: str, **options: Any) -> Path:
    """Write a random model of this type into `folder` and return it; the rest is that of `write_small_encoder`."""
    write_small_encoder(folder, **options)
    vocabulary = json.loads((folder / "config.json").read_bytes())["vocab_size"]
    torch.manual_seed(0)
    made: Any = AutoModel  # its functions are only half typed
    model = made.from_config(AutoConfig.for_model(kind, vocab_size=vocabulary, **ARCHITECTURES[kind]))
    for weight in model.parameters():  # larger than they begin, so that vectors differ
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, 0, 0.3)
    model.save_pretrained(folder)
    tokenizer = json.loads((folder / "tokenizer_config.json").read_bytes())
    write_json(folder / "tokenizer_config.json", tokenizer | {"tokenizer_class": "PreTrainedTokenizerFast"})
    return folder
