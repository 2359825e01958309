"""The model card: what a model folder was made from, how, by which version, and what it scored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from indexer import storage
from indexer.errors import UsageError
from rag.copying.folder import CARD, file_hash


@dataclass(frozen=True)
class Source:
    """A file to learn from."""

    path: Path
    weight: float = 1.0
    """How often each of its rows is learnt in one pass; 0.2: a fifth of them."""
    licence: str = "not stated"
    held_out: bool = True
    """Whether some of its documents are held out."""

    @cached_property
    def sha256(self) -> str:
        """Of the file's bytes."""
        return file_hash(self.path)


@dataclass(frozen=True, slots=True)
class Card:
    """What a model card tells."""

    title: str
    summary: str
    """One paragraph: what it does, how large it is, how long it learnt."""
    sources: Sequence[Source]
    options: Mapping[str, Any]
    """As JSON holds them."""
    sections: Mapping[str, str] = field(default_factory=dict)
    """Further headings and what stands below each, in Markdown: held-out scores, samples."""
    parent: str = ""
    """The model that it was trained on from: a name, or a folder and the hash of its weights."""
    front: Mapping[str, str] = field(default_factory=dict)
    """Further entries of the front matter: pipeline_tag, base_model."""


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


def write_card(folder: Path, card: Card) -> None:
    """Write README.md into a model folder."""
    front = "".join(f"{key}: {value}\n" for key, value in {"library_name": "footnote", **card.front}.items())
    rows = "\n".join(
        f"| {each.path.name} | {each.weight:g} | {each.licence} | `{each.sha256}` |" for each in card.sources
    )
    parent = f"\n\nParent: {card.parent}." if card.parent else ""
    sections = "".join(f"\n## {heading}\n\n{text.strip()}\n" for heading, text in card.sections.items())
    text = f"""---
{front}---

# {card.title}

{card.summary}

Made by {made_by()}.{parent}

## Learnt from

| file | weight | licence | SHA-256 |
|---|---|---|---|
{rows}
{sections}
## Options

```json
{json.dumps(card.options, indent=1)}
```
"""
    storage.write_file(folder / CARD, text.encode())


def table(scores: Mapping[str, float], heading: str = "score", digits: int = 1) -> str:
    """Return scores as a Markdown table, a row each."""
    rows = "\n".join(f"| {name} | {value:.{digits}f} |" for name, value in scores.items())
    return f"| {heading} | |\n|---|---|\n{rows}"


def made_by() -> str:
    """Return the version of this program, and the commit where it runs from a clone of its repository."""
    try:
        name = f"footnote {version('footnote')}"
    except PackageNotFoundError:
        name = "footnote from source"
    commit = _commit(Path(__file__).parent.parent)
    return f"{name}, commit {commit}" if commit else name


def _commit(root: Path) -> str:
    """Return the commit that is checked out in `root`, read from git's own files; "" where there is none."""
    try:
        git = root / ".git"
        if git.is_file():  # a worktree: one line says where its own part is
            git = root / git.read_text().removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        shared = git / (git / "commondir").read_text().strip() if (git / "commondir").exists() else git
        if (shared / name).exists():
            return (shared / name).read_text().strip()
        packed = (line.partition(" ") for line in (shared / "packed-refs").read_text().splitlines())
        return next((commit for commit, _, ref in packed if ref == name), "")
    except (OSError, UnicodeDecodeError):
        return ""
