"""The BEIR layout: where its files are, and what their lines hold, each fault noted with its place.

    FOLDER/corpus.jsonl      _id, title, text
    FOLDER/queries.jsonl     _id, text
    FOLDER/qrels/test.tsv    query-id, corpus-id, score, under a line of these names

Thakur et al. 2021, https://arxiv.org/abs/2104.08663. The JSON lines may be gzipped; their names may then end in .gz.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rag.evaluation.faults import Faults, Source, key_of, objects, text_of
from rag.evaluation.questions import has_word

if TYPE_CHECKING:
    from indexer.sync import Given

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"


def member(folder: Path, name: str, faults: Faults) -> Path:
    """Return the path of one of a folder's files; that it is missing is a fault."""
    found = next((folder / each for each in (name, f"{name}.gz") if (folder / each).is_file()), None)
    if found is None:
        faults.add("missing file", name, "of the BEIR layout")
    return found or folder / name


def qrels_file(folder: Path, faults: Faults) -> Path:
    """Return the file of judgements: test.tsv, or the only one."""
    found = sorted((folder / QRELS).glob("*.tsv"))
    test = folder / QRELS / "test.tsv"
    if test in found or not found:
        return member(folder, f"{QRELS}/test.tsv", faults)
    if len(found) > 1:
        faults.add("several files of judgements", QRELS, ", ".join(each.name for each in found))
    return found[0]


def documents_of(source: Source, faults: Faults) -> Iterator[Given]:
    """Yield the documents of a corpus.jsonl, each id once. One that has a fault is there too, for its id is known."""
    from indexer.sync import MAX_ID, Given

    for where, row in objects(source.lines(), faults):
        key = key_of(row, "_id", where, faults)
        title = text_of(row, "title", where, faults, needed=False)
        text = text_of(row, "text", where, faults, needed=False)
        if "text" not in row:
            faults.add("no text", where)
        if key and (len(key) > MAX_ID or not key.isprintable()):
            faults.add("id that cannot name a document", where, repr(key))
        if key and faults.note_id(key, where):
            yield Given(key, text, title)


def queries_of(source: Source, faults: Faults) -> Iterator[tuple[str, str]]:
    """Yield id and text of the queries of a queries.jsonl, each id once, also those that have a fault."""
    for where, row in objects(source.lines(), faults):
        key, text = key_of(row, "_id", where, faults), text_of(row, "text", where, faults)
        if text and not has_word(text):
            faults.add("question without a word", where, text)
        if key and faults.note_id(key, where, "query id used twice"):
            yield key, text


def judgements_of(
    source: Source, documents: Container[str], queries: Container[str], faults: Faults
) -> dict[str, dict[str, int]]:
    """Return the grades by query and document. The line of names above them may be missing."""
    found: dict[str, dict[str, int]] = {}
    for number, (where, line) in enumerate(source.lines()):
        cells = line.split("\t")
        names = number == 0 and len(cells) == 3 and cells[0] not in queries and cells[1] not in documents
        if names and not _is_whole(cells[2]):
            continue
        if len(cells) != 3 or not _is_whole(cells[2]):
            faults.add("not query, document and a whole number between tabs", where, line)
            continue
        query, document, grade = cells
        if query not in queries:
            faults.add("judgement of an unknown query", where, query)
        if document not in documents:
            faults.add("judgement of an unknown document", where, document)
        if faults.note_id(f"{query} {document}", where, "judged twice"):
            found.setdefault(query, {})[document] = int(grade)
    return found


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isascii() and text.removeprefix("-").isdigit()
