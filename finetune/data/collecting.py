"""Collects documents from files, folders and a collection, and lines of texts, as records of prose and code.

Files are read by the indexer's readers in their limited child process. JSON lines with a `text` each are documents of
their own; their faults are told with the line.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune.data.records import Changes, Note, Part, Record
from indexer.characters import clean, is_mojibake
from indexer.collection import Collection
from indexer.errors import Unreadable, UsageError
from indexer.folders import find, read_file, shown
from indexer.types import Document, Progress, Skip, silent
from rag.evaluation.faults import Faults, Source, objects, text_of

LINES = (".jsonl", ".jsonl.gz")
_KEPT_KINDS = ("code", "table", "row")
"""Kinds of sections that are not prose."""
_FENCED = re.compile(r"^(```+|~~~+)[^\n]*\n.*?(?:^\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Input:
    """A file that documents are taken from."""

    path: Path
    id: str
    """Its path below the folder that was given."""
    bytes: int


def inputs_of(paths: Sequence[Path], include: Sequence[str], exclude: Sequence[str], skips: list[Skip]) -> list[Input]:
    """Return the files under `paths`, in order; what cannot be one is added to `skips`.

    Raises NotFound for a path that is not there.
    """
    found: list[Input] = []
    ids: set[str] = set()
    for path in paths:
        root = path.expanduser().absolute()
        for each in find([root], include, exclude):
            if isinstance(each, Skip):
                skips.append(each)
                continue
            name = each.name if each == root else f"{root.name}/{each.relative_to(root)}"
            while name in ids:
                name += "'"  # two folders of one name were given
            ids.add(name)
            found.append(Input(each, name, each.stat().st_size))
    return found


def check_lines(inputs: Sequence[Input]) -> None:
    """Read all lines of texts once. Raises DataFaults with the places of what is wrong, before anything slow begins."""
    faults = Faults(", ".join(str(each.path) for each in inputs))
    for each in inputs:
        for _ in _texts(each, faults):
            pass
    faults.check()


def is_lines(path: Path) -> bool:
    """Tell whether a file is JSON lines of texts: by its name, and by the keys of its first line."""
    if not path.name.endswith(LINES):
        return False
    source = Source(path, Faults(str(path)))
    try:
        first = next(iter(source.lines()), None)
        return first is not None and isinstance(json.loads(first[1]).get("text"), str)
    except (UsageError, ValueError, AttributeError, TypeError):
        return False


def records_of_files(inputs: Sequence[Input], skips: list[Skip], progress: Progress = silent) -> Iterator[Record]:
    """Yield the records of files, in order; a file that gives no text is added to `skips` with its reason."""
    from indexer.sandbox import Sandbox

    ids = {str(each.path): each.id for each in inputs}

    def contents() -> Iterator[tuple[str, bytes]]:
        for done, each in enumerate(inputs):
            progress("reading", done, len(inputs))
            try:
                yield str(each.path), read_file(each.path)
            except (Unreadable, OSError) as error:
                reason = error.reason if isinstance(error, Unreadable) else (error.strerror or str(error))
                skips.append(Skip(shown(each.path), reason))
        progress("reading", len(inputs), len(inputs))

    with Sandbox() as sandbox:
        for result in sandbox.parse_many(contents()):
            if isinstance(result, Skip):
                skips.append(result)
            elif result.text:
                yield record_of(result, ids[result.source])


def records_of_lines(each: Input, changes: Changes) -> Iterator[Record]:
    """Yield a record for each line of a file of texts, its characters repaired and the repairs noted."""
    for key, title, text in _texts(each, Faults(str(each.path))):
        record = Record(f"{each.id}:{key}", _fenced(text), title)
        yield record.changed((_repaired,), changes.noting(record))


def records_of_collection(collection: Collection) -> Iterator[Record]:
    """Yield a record for each document of a collection, in the order of their sources."""
    sources = [entry.source for entry in collection.documents()]
    files = [source for source in sources if source.startswith("/")]
    common = os.path.commonpath([os.path.dirname(file) for file in files]) if files else ""  # noqa: PTH120  strings
    for source in sources:
        document = collection.document(source)
        if document.text:
            yield record_of(document, source.removeprefix(common).removeprefix("/"))


def record_of(document: Document, id: str) -> Record:
    """Return a document as a record: sections of code, tables and rows are kept apart from prose."""
    parts: list[Part] = []
    at = 0
    for section in document.sections:
        if section.kind in _KEPT_KINDS:
            parts += [Part(document.text[at : section.start]), Part(document.text[section.start : section.end], True)]
            at = section.end
    parts.append(Part(document.text[at:]))
    return Record(
        id,
        tuple(part for part in parts if part.text),
        document.title,
        document.sha256,
        document.format,
        document.repairs,
    )


def _texts(each: Input, faults: Faults) -> Iterator[tuple[str, str, str]]:
    """Yield id, title and text of the lines."""
    source = Source(each.path, faults)
    for number, (where, row) in enumerate(objects(source.lines(), faults), 1):
        text = text_of(row, "text", where, faults)
        key = row.get("id", row.get("_id", number))
        title = row.get("title")
        if isinstance(text, str) and text.strip():
            yield str(key), title if isinstance(title, str) else "", text


def _fenced(text: str) -> tuple[Part, ...]:
    """Return prose and fenced blocks of code in turn."""
    parts: list[Part] = []
    at = 0
    for block in _FENCED.finditer(text):
        parts += [Part(text[at : block.start()]), Part(block[0], True)]
        at = block.end()
    parts.append(Part(text[at:]))
    return tuple(part for part in parts if part.text)


def _repaired(text: str, note: Note) -> str:
    """Return the text as the indexer's cleaner would store it; a `Step`."""
    lines = text.split("\n")
    mojibake = is_mojibake(lines)
    made: list[str] = []
    for line in lines:
        repairs: Counter[str] = Counter()
        better = clean(line, repairs, mojibake=mojibake)
        for kind in repairs:
            note(kind, line[:200], better[:200])
        made.append(better)
    return "\n".join(made)
