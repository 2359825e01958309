"""Saves a BERT as sentence-transformers lays an encoder out: what `train generator --encoder` and `index` read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from indexer import storage

_MODULES = (("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize"))


def save_encoder(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write the encoder of a `BertForMaskedLM` with its tokenizer; a text's vector is the mean over its tokens."""
    storage.make_folder(folder)
    encoder = model.bert
    encoder.config.architectures = ["BertModel"]
    encoder.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    modules = [
        {"idx": number, "name": str(number), "path": place, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, place) in enumerate(_MODULES)
    ]
    for _, place in _MODULES[1:]:
        storage.make_folder(folder / place)
    _write(folder / "modules.json", modules)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": encoder.config.max_position_embeddings})
    _write(
        folder / "1_Pooling" / "config.json",
        {"embedding_dimension": encoder.config.hidden_size, "pooling_mode": "mean"},
    )
    _write(folder / "config_sentence_transformers.json", {"prompts": {}})


def _write(file: Path, content: Any) -> None:
    storage.write_file(file, json.dumps(content, indent=1).encode())
