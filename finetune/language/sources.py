"""What a model card says of the files and the model that a training began with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from finetune.card import Source
from finetune.language.corpus import text_files
from rag.copying.folder import file_hash

LISTED = 50
"""Files that are named one by one, at most."""


def sources_of(paths: Sequence[Path]) -> list[Source]:
    """Return the files that were read, the first `LISTED` of them."""
    return [Source(file) for path in paths for file in text_files(path)][:LISTED]


def parent_of(folder: str | None) -> str:
    """Return the name of the model gone on from, with the hash of its weights; "" where there is none."""
    if folder is None:
        return ""
    weights = Path(folder) / "model.safetensors"
    return f"{Path(folder).name}, weights `{file_hash(weights)}`" if weights.is_file() else Path(folder).name
