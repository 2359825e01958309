"""A small random BERT in the layout of sentence-transformers, written without torch, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

DIM, INNER, LAYERS, POSITIONS = 32, 64, 2, 64
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,:;!?()[]-|#'\""
WORDS = ("the", "cat", "sat", "on", "a", "mat", "pump", "gate", "##ing", "##ed", "##s")


def write_small_encoder(
    folder: Path, pooling: str = "mean", max_length: int = 32, prompts: dict[str, str] | None = None, seed: int = 0
) -> Path:
    """Write the model into `folder` and return it; reads `max_length` tokens, special ones included."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = [*SPECIAL, *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS if letter.isalnum())]
    save_file(_weights(len(vocabulary), seed), folder / "model.safetensors", metadata={"format": "pt"})
    _tokenizer(vocabulary).save(str(folder / "tokenizer.json"))
    kinds = (("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize"))
    for _, place in kinds[1:]:
        (folder / place).mkdir(exist_ok=True)
    write_json(
        folder / "modules.json",
        [
            {"idx": number, "name": str(number), "path": place, "type": f"sentence_transformers.models.{kind}"}
            for number, (kind, place) in enumerate(kinds)
        ],
    )
    write_json(folder / "config.json", _config(len(vocabulary)))
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": False})
    write_json(folder / "1_Pooling" / "config.json", {"embedding_dimension": DIM, "pooling_mode": pooling})
    write_json(folder / "config_sentence_transformers.json", {"prompts": prompts or {}})
    tokens = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    write_json(
        folder / "tokenizer_config.json",
        {**tokens, "mask_token": "[MASK]", "tokenizer_class": "BertTokenizer", "model_max_length": max_length},
    )
    return folder


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file."""
    path.write_text(json.dumps(content))


def _config(vocabulary: int) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": DIM,
        "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS,
        "num_attention_heads": 4,
        "num_hidden_layers": LAYERS,
        "pad_token_id": 0,
        "type_vocab_size": 2,
        "vocab_size": vocabulary,
        "layer_norm_eps": 1e-12,
    }


def _weights(vocabulary: int, seed: int) -> dict[str, Any]:
    chance = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (vocabulary, DIM),
        "embeddings.position_embeddings.weight": (POSITIONS, DIM),
        "embeddings.token_type_embeddings.weight": (2, DIM),
    }
    linear = {"attention.self.query": (DIM, DIM), "attention.self.key": (DIM, DIM), "attention.self.value": (DIM, DIM)}
    linear |= {"attention.output.dense": (DIM, DIM), "intermediate.dense": (INNER, DIM), "output.dense": (DIM, INNER)}
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        for name, shape in linear.items():
            shapes[f"encoder.layer.{layer}.{name}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{name}.bias"] = shape[:1]
        norms += [f"encoder.layer.{layer}.{part}.LayerNorm" for part in ("attention.output", "output")]
    weights = {name: chance.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    for name in norms:
        weights[f"{name}.weight"] = np.ones(DIM, dtype=np.float32)
        weights[f"{name}.bias"] = np.zeros(DIM, dtype=np.float32)
    return weights


def _tokenizer(vocabulary: list[str]) -> Tokenizer:
    numbers = {token: number for number, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(numbers, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", numbers["[CLS]"]), ("[SEP]", numbers["[SEP]"])]
    )
    return tokenizer
