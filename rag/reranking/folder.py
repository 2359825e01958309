"""The folder of a reranker: a cross-encoder in the layout of Hugging Face, and how it is to be used, in reranker.json.

    FOLDER/  config.json  model.safetensors  tokenizer.json  reranker.json {"max_length", "depth", "weight"}

A folder without reranker.json is somebody else's cross-encoder, and is used with the defaults. Loads no model.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from indexer.encoders.fingerprint import fingerprint_of
from indexer.encoders.model_folder import ModelFolder
from indexer.errors import EncoderError
from indexer.model_files import (
    is_folder,
    json_object,
    json_object_or_empty,
    refuse_adapters,
    refuse_pickles_and_code,
    refuse_settings_with_code,
    require_tokenizer,
    weight_files,
)

SETTINGS = "reranker.json"
MODEL_TYPES = frozenset({"bert", "camembert", "electra", "roberta", "xlm-roberta"})
"""Architectures that read a pair in one sequence and take an additive mask."""
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Use:
    """How a reranker is used."""

    max_length: int = 256
    """Most tokens of question and passage together, special ones included."""
    depth: int = 20
    """Hits that it is asked about."""
    weight: float = 0.7
    """Its say in the order, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class RerankerFolder:
    """What a reranker's folder says, after the checks."""

    path: Path
    use: Use
    pad_id: int
    model: ModelFolder
    """As encoders describe theirs; what the fingerprint is made of."""

    def fingerprint(self, home: Path) -> str:
        """Return the SHA-256 over weights, tokenizer and configuration, in hexadecimal."""
        return fingerprint_of(self.model, home)


def read_reranker(path: Path) -> RerankerFolder:
    """Read and check a folder without loading it.

    Raises EncoderError where there is none, for pickled weights, code and adapters, for a model that does not give one
    score a pair, and for settings that cannot be.
    """
    if not is_folder(str(path)) or not (path / "config.json").is_file():
        raise EncoderError(
            f"There is no reranker in {path}: it has no config.json.",
            "Make one with: footnote train reranker, or give the folder of a cross-encoder; none leaves it out.",
        )
    refuse_adapters(path)
    refuse_pickles_and_code(path)
    refuse_settings_with_code(path)
    require_tokenizer(path)
    config = json_object(path / "config.json")
    kind, made_for = str(config.get("model_type", "")), "".join(map(str, config.get("architectures") or ()))
    if kind not in MODEL_TYPES or not made_for.endswith("ForSequenceClassification"):
        raise EncoderError(
            f"{path} holds a {made_for or 'model'} of type '{kind}', which is no reranker.",
            f"A reranker is a model for sequence classification of type {', '.join(sorted(MODEL_TYPES))}.",
        )
    if _labels(config) != 1:
        raise EncoderError(f"The model in {path} gives {_labels(config)} scores for a pair; a reranker gives one.")
    use = _use(json_object_or_empty(path / SETTINGS), path)
    model = ModelFolder(
        path=path, transformer=path, weights=weight_files(path), config=config, pooling="", max_length=use.max_length,
        modules=("CrossEncoder",), settings={"config": config, "max_length": use.max_length},
    )  # fmt: skip
    return RerankerFolder(path, use, int(config.get("pad_token_id") or 0), model)


def settings_json(use: Use) -> bytes:
    """Return the content of reranker.json."""
    return (json.dumps(asdict(use), indent=1) + "\n").encode()


def _labels(config: dict[str, Any]) -> int:
    names = config.get("id2label")
    return len(names) if isinstance(names, dict) else int(config.get("num_labels", 2))


def _use(given: dict[str, Any], path: Path) -> Use:
    try:
        use = Use(**{name: given[name] for name in ("max_length", "depth", "weight") if name in given})
        if 16 <= use.max_length <= _LONGEST and 1 <= use.depth <= 1000 and 0 <= use.weight <= 1:
            return use
    except TypeError:
        pass
    raise EncoderError(
        f"{path / SETTINGS} holds {given}, which cannot be.",
        f"max_length is from 16 to {_LONGEST}, depth from 1 to 1000, weight from 0 to 1.",
    )
