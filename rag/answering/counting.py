"""How many documents, or which: a search through all of them, by their words and their fields, with every one cited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from indexer import words
from indexer.collection import Collection
from indexer.schema import chunks, documents
from rag.answering.composing import Shown, passages
from rag.answering.evidence import Evidence, Seen
from rag.answering.fields import has_field
from rag.answering.heads import head
from rag.answering.units import Unit, units
from rag.generator import Copied, Written
from rag.question import stems
from rag.terms import terms
from rag.types import Passage

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

HEAD = 700
"""Characters of a document that are looked at beside its title and file name."""
MOST = 12
"""Documents that are named; of more only the number is told."""
DEEP = 400
"""Chunks in which the words are looked for where no title and no head holds them all."""
BY_HEAD, BY_TEXT = 0.62, 0.4
"""Confidence where heads hold all words of the question, and where only a chunk does."""
COMMON = 0.25
"""Share of all documents from which on a name tells nothing, and the other words of the question have to be said too:
among documents about Python, "Which of them added the match statement to Python?"."""
_SAYS_NOTHING = stems(
    "how many which what list all every find show name me my our these those there file files document documents"
    " article articles paper papers note notes page pages chapter chapters module modules report reports mail mails"
    " email emails message messages policy policies letter letters folder collection contract contracts write wrote"
    " written author authored by about mention mentions mentioned discuss discusses say says talk contain contains"
    " have has give tell directive directives text texts them pep peps co"
)
_MENTIONS = re.compile(
    r"\b(?:mention|discuss|contain|refer|talk|say|deal|about|cite|erwähn|mentionne)\w*", re.IGNORECASE
)
_WROTE = re.compile(r"\b(?:wr[io]te|written|authors?|authored|by)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Match:
    document_id: int
    chunk: tuple[int, int] | None = None
    """Where in the document the words stand, when it is not the head."""


def counting(evidence: Evidence, own: Sequence[Seen], chances: Sequence[float], collection: Collection) -> Shown:
    """Show how many documents there are, and the line of each that says so; passages where no document matches."""
    question = evidence.asked.question
    specific = terms(question)
    wanted = {word for word in specific.names | specific.numbers if word not in _SAYS_NOTHING}
    said = {word for word in specific.words if word not in _SAYS_NOTHING}
    wanted = wanted or said
    if not wanted:
        return passages(evidence, own, chances)
    mentions = _MENTIONS.search(question) is not None
    with collection.reading() as connection:
        total = int(connection.execute(select(func.count()).select_from(documents)).scalar() or 0)
        found = []
        if _WROTE.search(question):  # a document that names them elsewhere is not by them
            found = _by_head(connection, wanted, ("author", "from"))
        if not mentions and not found:
            found = _by_head(connection, wanted)
        sure = BY_HEAD
        if len(found) > COMMON * total and said > wanted:
            about = {match.document_id for match in _by_text(connection, question, said - wanted)}
            found, sure = [match for match in found if match.document_id in about], BY_TEXT
        if not found:
            found, sure = _by_text(connection, question, wanted), BY_TEXT
            if len(found) > COMMON * total and said > wanted:
                found = _by_text(connection, question, said)
    if not found:
        return passages(evidence, own, chances)
    read: list[Passage] = []
    pieces: list[Copied | Written] = [Written(f"{len(found)} of {total} documents:", supported=True)]
    for match in found[:MOST]:
        passage = _passage(collection, match, evidence.passages[0])
        line = _line(passage, wanted)
        if line is not None:
            pieces += [Written(f"\n{passage.name}: ", supported=True), Copied(len(read), line.start, line.end)]
            read.append(passage)
    if not read:
        return passages(evidence, own, chances)
    return Shown("count", tuple(pieces), tuple(own[:1]), sure=sure, passages=tuple(read), documents=total)


def _by_head(connection: Connection, wanted: set[str], fields: Sequence[str] = ()) -> list[_Match]:
    """Return the documents of which the name, or one line of the head, holds all of the words.

    With `fields`, only lines of the head count that give one of them.
    """
    begin = func.substr(documents.c.text, 1, HEAD)
    rows = connection.execute(
        select(documents.c.id, documents.c.source, documents.c.title, begin.label("head")).order_by(documents.c.id)
    )
    found = []
    for row in rows:
        lines = _lines(row.head)
        if fields:
            lines = [line for line in lines if any(has_field(line, name) for name in fields)]
        else:
            lines.append(f"{_name(row.source)} {row.title}")
        if _says(wanted, lines):
            found.append(_Match(row.id))
    return found


def _lines(head: str) -> list[str]:
    """Return the lines of a head; one that is indented goes on with the line before it."""
    return re.sub(r"\n[ \t]+", " ", head).split("\n")


def _says(wanted: set[str], lines: Sequence[str]) -> bool:
    return any(wanted <= terms(line).words for line in lines)


def _by_text(connection: Connection, question: str, wanted: set[str]) -> list[_Match]:
    """Return the documents with a chunk that holds all of the words."""
    ids = [hit.chunk_id for hit in words.search(connection, question, DEEP)]
    query = select(chunks.c.document_id, chunks.c.start, chunks.c.end, chunks.c.text, chunks.c.context)
    found: dict[int, _Match] = {}
    for row in connection.execute(query.where(chunks.c.id.in_(ids)).order_by(chunks.c.id)):
        if wanted <= terms(f"{row.context} {row.text}").words:
            found.setdefault(row.document_id, _Match(row.document_id, (row.start, row.end)))
    return sorted(found.values(), key=lambda match: match.document_id)


def _name(source: str) -> str:
    path = PurePath(source)
    return re.sub(r"[\W_]+", " ", f"{path.parent.name} {path.stem}")


def _passage(collection: Collection, match: _Match, like: Passage) -> Passage:
    """Return the head of a document, or the part of it that holds the words, as a passage."""
    with collection.reading() as connection:
        query = select(documents.c.source, documents.c.sha256, documents.c.title)
        row = connection.execute(query.where(documents.c.id == match.document_id)).one()
    bare = replace(
        like, source=row.source, sha256=row.sha256, title=row.title, context=row.title, document_id=match.document_id
    )
    if match.chunk is None:
        return head(collection, bare)
    with collection.view() as view:
        text, sections = view.part(match.document_id, *match.chunk)
        names = view.page_names(match.document_id, (part.page for part in sections))
    found = replace(bare, start=match.chunk[0], end=match.chunk[0] + len(text), text=text, sections=sections)
    page, line = found.place(0)
    return replace(found, page=page, line=line, page_names=names)


def _line(passage: Passage, wanted: set[str]) -> Unit | None:
    """Return the unit that holds most of the words; of equals the first."""
    found = [unit for unit in units([passage])[0] if unit.end - unit.start <= 300]
    return max(
        found,
        key=lambda unit: (len(wanted & terms(passage.text[unit.start : unit.end]).words), -unit.start),
        default=None,
    )
