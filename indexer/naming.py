"""Looks up what a question calls by name: the chunks that say its identifiers, the documents that have its names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from indexer.names import WHOLE, names_in
from indexer.schema import chunks, documents, names

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection
    from sqlalchemy.sql.elements import ColumnElement

MOST = 100
"""Passages, or documents, that may share a name: what more of them are called singles none of them out."""
DOCUMENT = 2
"""How much more it says that a document is called so than that a passage says it."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a question calls by name."""

    chunks: Mapping[int, int]
    """Chunks that say it or whose document is called so, with how well each matches."""
    alone: bool
    """True when the question is little else than the name."""


def search(
    connection: Connection, question: str, ranked: Sequence[int], where: ColumnElement[bool] | None = None
) -> Named:
    """Return what `question` names; see `View.named`."""
    said = names_in(question)
    found: defaultdict[int, int] = defaultdict(int)
    of_documents: defaultdict[int, int] = defaultdict(int)
    alone = said.chiefly
    for form in dict.fromkeys([*said.identifiers, said.phrase]):
        rows = _rows(connection, form, where)
        if form not in said.identifiers:
            rows = [row for row in rows if row[2] == WHOLE]
            alone = alone or bool(rows)
        for document, chunk, match in rows:
            if chunk:
                found[chunk] += match
            else:
                of_documents[document] += DOCUMENT * match
    for chunk, document in _chunks_of(connection, list(of_documents), ranked):
        found[chunk] += of_documents[document]
    return Named(dict(found), alone)


def _rows(connection: Connection, form: str, where: ColumnElement[bool] | None) -> list[tuple[int, int, int]]:
    """Return document, chunk (0: the document itself) and match of what has this name, unless too many have it."""
    query = select(names.c.document_id, names.c.chunk_id, names.c.match).where(names.c.form == form)
    if where is not None:
        query = query.where(names.c.document_id.in_(select(documents.c.id).where(where)))
    rows = connection.execute(query.limit(2 * MOST + 1)).all()
    passages = sum(row.chunk_id > 0 for row in rows)
    singled = {True: passages <= MOST, False: len(rows) - passages <= MOST}
    return [(row.document_id, row.chunk_id, row.match) for row in rows if singled[row.chunk_id > 0]]


def _chunks_of(connection: Connection, named: Sequence[int], ranked: Sequence[int]) -> list[tuple[int, int]]:
    """Return (chunk, document) for the ranked chunks of these documents, and the first chunk of each of the others."""
    if not named:
        return []
    of_them = select(chunks.c.id, chunks.c.document_id).where(chunks.c.document_id.in_(named))
    listed = [tuple(row) for row in connection.execute(of_them.where(chunks.c.id.in_(ranked)))]
    others = set(named) - {document for _, document in listed}
    first = select(func.min(chunks.c.id), chunks.c.document_id).where(chunks.c.document_id.in_(others))
    return [*listed, *(tuple(row) for row in connection.execute(first.group_by(chunks.c.document_id)))]
