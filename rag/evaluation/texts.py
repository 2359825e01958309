"""Documents that a language model is to predict, read and checked, and what it made of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from indexer.errors import NotFound
from rag.evaluation.faults import Faults, Source, objects, text_of

_JSON_LINES = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class Text:
    """A document to predict."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class TextSet:
    """Documents to predict."""

    name: str
    sha256: str
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class TextRow:
    """What a model made of one document: enough to score it again, alone or with others."""

    id: str
    nats: float
    """Sum over the tokens of -ln p(token | the tokens before it)."""
    tokens: int
    """Tokens that were predicted."""
    bytes: int
    """UTF-8 bytes of the text that these tokens stand for."""
    unknown: int = 0
    """Of the tokens, those that say only that the tokenizer does not know what stands there."""

    def to_json(self) -> dict[str, Any]:
        """Return the row's line; `from_json` reads it back to an equal row."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TextRow:
        """Return the row that `to_json` wrote. Raises KeyError, TypeError or ValueError where it is none."""
        return cls(
            id=str(value["id"]),
            nats=float(value["nats"]),
            tokens=int(value["tokens"]),
            bytes=int(value["bytes"]),
            unknown=int(value["unknown"]),
        )


def read_texts(paths: Sequence[Path]) -> TextSet:
    """Return the documents of files: each a document, or JSON lines with a `text` each; gzipped or not.

    Raises NotFound for a file that is not there, DataFaults with the place of the first faults and their counts.
    """
    faults = Faults(", ".join(map(str, paths)))
    found: list[Text] = []
    hashes = []
    for path in paths:
        if not path.is_file():
            raise NotFound(f"There is no file {path}.", "Give text files, or JSON lines with a text each.")
        source = Source(path, faults, "" if len(paths) == 1 else str(path))
        for key, where, text in _texts(source, faults):
            if not text.strip():
                faults.add("empty document", where)
            elif faults.note_id(key, where):
                found.append(Text(key, text))
        hashes.append(source.sha256)
    if not found and not faults.counts:
        faults.add("no documents", "all files")
    faults.check()
    name = paths[0].name if len(paths) == 1 else f"{paths[0].name} and {len(paths) - 1} more"
    return TextSet(name, hashlib.sha256("\n".join(hashes).encode()).hexdigest(), tuple(found))


def _texts(source: Source, faults: Faults) -> Iterator[tuple[str, str, str]]:
    """Yield id, place and text of a file's documents."""
    if not source.file.name.endswith(_JSON_LINES):
        yield str(source.file), str(source.file), source.whole()
        return
    for where, row in objects(source.lines(), faults):
        key = row.get("id", row.get("_id"))
        text = text_of(row, "text", where, faults)
        if text:
            yield f"{source.file} {key if isinstance(key, str | int) else where}", where, text
