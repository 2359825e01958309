"""A copying generator's model folder, in Hugging Face layout, and what makes one safe to open.

    config.json  model.safetensors  confidence.json  README.md (the model card)  SHA256SUMS  and perhaps tokenizer.json

Where it began with the default encoder, tokenizer and frozen embeddings are not in it: they come from that encoder's
own package, whose weights are named by their hash. Knows files; never imports torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.encoders.model_folder import DEFAULT_NAME, find_model_folder, inspect_model_folder
from indexer.errors import GeneratorError

SHIPPED = Path(__file__).with_name("model")
CONFIG, WEIGHTS, TOKENIZER, CONFIDENCE = "config.json", "model.safetensors", "tokenizer.json", "confidence.json"
CHECKED = (CONFIG, WEIGHTS, TOKENIZER, CONFIDENCE)
CARD, SUMS = "README.md", "SHA256SUMS"
MODEL_TYPE = "footnote-copying"


class GeneratorDamaged(GeneratorError):
    """A model folder is not what its SHA256SUMS says, or lacks a file."""


@dataclass(frozen=True, slots=True)
class CopyingFolder:
    """A folder whose small files were read."""

    path: Path
    config: dict[str, Any]
    confidence: dict[str, Any]
    sums: dict[str, str]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the sums of what is converted and the encoder that its embeddings come from, in hexadecimal."""
        converted = (CONFIG, WEIGHTS, TOKENIZER)
        parts = [*(f"{name} {self.sums.get(name)}" for name in converted), str(self.config.get("embeddings", ""))]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def is_copying(path: Path) -> bool:
    """Tell whether a folder holds a copying generator."""
    try:
        return bool(json.loads((path / CONFIG).read_bytes()).get("model_type") == MODEL_TYPE)
    except (OSError, ValueError, AttributeError):
        return False


def read_folder(path: Path | None = None) -> CopyingFolder:
    """Read the small files of a model folder (None: the one that is shipped) and check them against SHA256SUMS.

    The weights are checked by `check_weights`, when they are needed. Raises GeneratorDamaged.
    """
    folder = SHIPPED if path is None else path
    hint = "Install footnote again." if path is None else "Copy the folder again, or train it again."
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
        sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        small = {name: (folder / name).read_bytes() for name in CHECKED if name != WEIGHTS and _is_checked(name, sums)}
        for name, content in small.items():
            if sums.get(name) != hashlib.sha256(content).hexdigest():
                raise GeneratorDamaged(f"The file {name} of the generator in {folder} is damaged.", hint)
        config, confidence = (dict(json.loads(small[name])) for name in (CONFIG, CONFIDENCE))
    except (OSError, ValueError, TypeError) as error:
        raise GeneratorDamaged(f"The generator in {folder} does not open: {error}.", hint) from error
    if WEIGHTS not in sums or config.get("model_type") != MODEL_TYPE:
        raise GeneratorDamaged(f"{folder} does not hold a copying generator.", hint)
    return CopyingFolder(folder, config, confidence, sums)


def _is_checked(name: str, sums: Mapping[str, str]) -> bool:
    return name != TOKENIZER or name in sums


def tokenizer_file(folder: CopyingFolder) -> Path:
    """Return where the tokenizer is: in the folder, or with the encoder that it began with."""
    return (folder.path if TOKENIZER in folder.sums else base_encoder()) / TOKENIZER


def check_weights(folder: CopyingFolder) -> None:
    """Compare the weights with SHA256SUMS. Raises GeneratorDamaged."""
    try:
        found = file_hash(folder.path / WEIGHTS)
    except OSError as error:
        raise GeneratorDamaged(f"The weights in {folder.path} cannot be read: {error}.") from error
    if found != folder.sums[WEIGHTS]:
        raise GeneratorDamaged(
            f"The file {WEIGHTS} of the generator in {folder.path} is damaged: its SHA-256 is {found[:12]}…, "
            f"not {folder.sums[WEIGHTS][:12]}….",
            "Install footnote again, or copy the folder again.",
        )


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS, last of all: it is the folder's receipt."""
    from indexer.encoders.converted import write_file

    there = [name for name in CHECKED if name != TOKENIZER or (folder / name).exists()]
    lines = [f"{file_hash(folder / name)}  {name}\n" for name in there]
    write_file(folder / SUMS, "".join(lines).encode())


def base_encoder(name: str | None = None) -> Path:
    """Return the folder of the encoder's transformer, where embeddings and tokenizer come from."""
    return inspect_model_folder(find_model_folder(name or DEFAULT_NAME)).transformer


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
