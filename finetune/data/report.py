"""What cleaning did: counts and examples as JSON, and as a page for a person, the card of the data set."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finetune.card import made_by
from finetune.data.records import Changes
from indexer import storage
from indexer.types import Skip

REPORT, CARD, DROPPED = "report.json", "README.md", "dropped.tsv"
_SHOWN = 5
"""Examples of each kind that the page shows; the others are in the JSON."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A document that is not in the data set."""

    id: str
    reason: str
    twin: str = ""
    """The earlier document that it is nearly the same as."""
    similarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """What cleaning did."""

    documents: int
    """That were read and had text."""
    kept: int
    characters_before: int
    characters: int
    words: int
    sha256: str
    """Over the ids and texts of all documents as they were read."""
    changes: Changes
    dropped: tuple[Dropped, ...]
    skipped: tuple[Skip, ...]
    languages: Mapping[str, int]
    """Documents by language, where languages were asked for."""
    diff_cut: bool = False
    """Whether the diff became too long, and its end is left out."""
    seconds: float = 0.0
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reasons(self) -> dict[str, int]:
        """How many documents were dropped, by reason, most first."""
        return dict(Counter(each.reason for each in self.dropped).most_common())

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        plain = ("documents", "kept", "characters_before", "characters", "words", "sha256", "diff_cut", "seconds")
        return {
            **{name: getattr(self, name) for name in plain},
            "dropped": self.reasons,
            "changed": dict(self.changes.counts.most_common()),
            "examples": {
                kind: [{"id": id, "before": before, "after": after} for id, before, after in rows]
                for kind, rows in self.changes.examples.items()
            },
            "languages": dict(self.languages),
            "skipped": [{"source": skip.source, "reason": skip.reason} for skip in self.skipped],
            "options": dict(self.options),
        }


def write_report(folder: Path, report: Report, given: Sequence[str], collection: str) -> None:
    """Write report.json, README.md and dropped.tsv."""
    storage.write_file(folder / REPORT, (json.dumps(report.to_json(), indent=1) + "\n").encode())
    rows = ["id\treason\tnear-duplicate of\tsimilarity"]
    rows += [f"{_shown(each.id)}\t{each.reason}\t{_shown(each.twin)}\t{each.similarity:.2f}" for each in report.dropped]
    storage.write_file(folder / DROPPED, ("\n".join(rows) + "\n").encode(errors="backslashreplace"))
    names = [Path(each).name for each in given] + ([f"the collection {collection}"] if collection else [])
    storage.write_file(folder / CARD, _page(report, names).encode(errors="backslashreplace"))


def _page(report: Report, names: Sequence[str]) -> str:
    dropped = "\n".join(f"| {reason} | {count:,} |" for reason, count in report.reasons.items()) or "| none | |"
    changed = "\n".join(f"| {kind} | {count:,} |" for kind, count in report.changes.counts.most_common())
    examples = "\n".join(
        f"\n{kind}:\n\n" + "\n".join(_example(before, after) for _, before, after in rows[:_SHOWN])
        for kind, rows in report.changes.examples.items()
    )
    skipped = "".join(f"* {_shown(skip.source.rpartition('/')[2])}: {skip.reason}\n" for skip in report.skipped[:50])
    left = max(0, len(report.skipped) - 50)
    return f"""# A data set of {report.kept:,} texts

From {", ".join(_shown(name) for name in names)}. Made by {made_by()}, `footnote train data`.
{report.words:,} words, {report.characters:,} characters (of {report.characters_before:,} that were read).
SHA-256 of what was read: `{report.sha256}`

`texts.jsonl` holds a text a line: `id`, `title`, `text`, `metadata`. `dropped.tsv` names every text that
was left out; `changes.diff` shows every changed line{", up to 20 million characters" if report.diff_cut else ""}.

## Left out, of {report.documents:,} documents

| reason | documents |
|---|---|
{dropped}

## Changed

| what | times |
|---|---|
{changed or "| nothing | |"}

### Examples
{examples or "None."}

## Skipped files

{skipped or "None."}{f"and {left:,} more, in report.json" if left else ""}

## Options

```json
{json.dumps(report.options, indent=1)}
```
"""


def _example(before: str, after: str) -> str:
    return f"* {_quoted(before)} → {_quoted(after) if after else 'removed'}"


def _quoted(text: str) -> str:
    """Return text as inline code, with its controls spelled out."""
    flat = _shown(text)
    marks = "``" if "`" in flat else "`"
    return f"{marks}{' ' if marks == '``' else ''}{flat}{' ' if marks == '``' else ''}{marks}"


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "⏎" if c == "\n" else f"\\u{ord(c):04x}" for c in text)
