"""The model card: what a generator was trained on, how, and what it scored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from indexer import storage
from indexer.errors import UsageError
from rag.copying.folder import CARD, CONFIDENCE, file_hash

if TYPE_CHECKING:
    from finetune.generator import Estimate, Options


@dataclass(frozen=True)
class Source:
    """A file of questions to learn from."""

    path: Path
    weight: float = 1.0
    """How often each of its questions is learnt in one pass; 0.2: a fifth of them."""
    licence: str = "not stated"
    held_out: bool = True
    """Whether some of its documents are held out."""

    @cached_property
    def sha256(self) -> str:
        """Of the file's bytes."""
        return file_hash(self.path)


def parsed(text: str, licence: str = "not stated") -> Source:
    """Return the source that `PATH` or `PATH:WEIGHT` names."""
    path, colon, weight = text.rpartition(":")
    if not colon or Path(text).exists():
        path, weight = text, "1"
    try:
        share = float(weight)
    except ValueError:
        path, share = text, 1.0
    if not share > 0:
        raise UsageError(f"The weight of {path} must be larger than 0, not {weight}.", f"For example: {path}:0.5")
    if not Path(path).is_file():
        raise UsageError(f"There is no file {path}.", "Give SQuAD-format files or JSON lines.")
    return Source(Path(path), share, licence)


def write_card(
    folder: Path, sources: Sequence[Source], options: Options, estimate: Estimate, scores: Mapping[str, float]
) -> None:
    """Write README.md into a model folder."""
    fitted = json.loads((folder / CONFIDENCE).read_text())
    rows = "\n".join(f"| {each.path.name} | {each.weight:g} | {each.licence} | `{each.sha256}` |" for each in sources)
    measured = "\n".join(f"| {name} | {value:.1f} |" for name, value in scores.items())
    confidence = "\n".join(
        f"| {kind} | {model['fitted_on']['questions']} | {model['fitted_on']['right']} "
        f"| {model['fitted_on']['brier']:.3f} | {model['threshold']:.3f} |"
        for kind, model in fitted.items()
    )
    text = f"""---
library_name: footnote
pipeline_tag: question-answering
base_model: sentence-transformers/all-MiniLM-L6-v2
---

# A copying generator

It reads passages with a question and answers with spans of them, or refuses. Made by `footnote train generator`
(footnote {_version()}), {estimate.parameters:,} trained parameters, {estimate.examples:,} examples, {estimate.steps:,}
steps, computed in {estimate.precision}. Its frozen embeddings are those of the encoder that it began with, which are
not in this folder.

## Learnt from

| file | weight | licence | SHA-256 |
|---|---|---|---|
{rows}

A share of {options.held_out:g} of the questions, whole documents, was held out for what follows. No test set was used.

## Held-out questions, right passage given, in per cent

| score | |
|---|---|
{measured}

## Confidence, fitted on other held-out questions

| passages | questions | answered right | Brier score | default threshold |
|---|---|---|---|---|
{confidence}

## Options

```json
{json.dumps(asdict(options), indent=1)}
```
"""
    storage.write_file(folder / CARD, text.encode())


def _version() -> str:
    try:
        return version("footnote")
    except PackageNotFoundError:
        return "from source"
