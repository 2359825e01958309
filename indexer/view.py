"""One state of a collection, opened for searching: both arms, and what they find, from one read transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from indexer import naming, schema, words
from indexer.pages import PAGED
from indexer.schema import chunks, documents
from indexer.types import Hit, Section, Vectors

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Row
    from sqlalchemy.sql.elements import ColumnElement

    from indexer.naming import Named
    from indexer.segments import DenseIndex


@dataclass(frozen=True, slots=True)
class Made:
    """How a collection's chunks and vectors were made; chunks and vectors of two makings are never mixed."""

    encoder: str
    """Name or folder the encoder was given by."""
    fingerprint: str
    """Hash of the encoder's weights and settings."""
    dim: int
    max_tokens: int
    """Most tokens in a chunk, its context included."""
    pipeline: int
    """Version of reading, cleaning and chunking; another one makes every document count as changed."""


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as it is stored, with what is known of its document."""

    id: int
    source: str
    sha256: str
    title: str
    context: str
    start: int
    end: int
    page: int | None
    line: int | None
    text: str
    simhash: int
    numbers: int
    document_id: int


class View:
    """One state of a collection: everything asked of it comes from the same generation. Close it soon."""

    def __init__(self, connection: Connection, dense: DenseIndex, generation: int, made: Made) -> None:
        self._connection, self._dense = connection, dense
        self.generation, self.made = generation, made
        self._headings: dict[int, dict[int | None, Section]] = {}

    def dense(self, query: Vectors, k: int, where: ColumnElement[bool] | None = None) -> list[Hit]:
        """Return the `k` chunks nearest to the unit vector `query` (dim,) by cosine, best first."""
        allowed = None
        if where is not None:
            import numpy as np

            rows = self._connection.execute(select(chunks.c.id).join(documents).where(where))
            allowed = np.asarray(rows.scalars().all(), dtype=np.int64)
            if not len(allowed):
                return []
        return self._dense.search(query, k, allowed)

    def words(self, question: str, k: int, where: ColumnElement[bool] | None = None) -> list[Hit]:
        """Return the `k` chunks that match the question's words best by BM25, best first."""
        return words.search(self._connection, question, k, where)

    def has_a_word(self, question: str, where: ColumnElement[bool] | None = None) -> bool:
        """Tell whether any chunk has any of the question's words."""
        return words.matches(self._connection, question, where)

    def named(self, question: str, ranked: Sequence[int], where: ColumnElement[bool] | None = None) -> Named:
        """Return what the question names: chunks that say it, or whose document is called so.

        Of a document that is named these are the chunks that are `ranked` already, or else its first.
        """
        return naming.search(self._connection, question, ranked, where)

    def matched_words(self, question: str, chunk_ids: Sequence[int]) -> dict[int, list[str]]:
        """Return which words of each chunk matched the question."""
        return words.matched_words(self._connection, question, chunk_ids)

    def word_shares(self, question: str, chunk_ids: Sequence[int]) -> dict[int, float]:
        """Return what share of the question's words each chunk has, 0 to 1."""
        return words.shares(self._connection, question, chunk_ids)

    def chunks(self, ids: Sequence[int]) -> list[StoredChunk]:
        """Return the chunks with these ids, in the order asked for; an id that is not stored is left out."""
        found = {row.id: row for row in self._connection.execute(CHUNKS.where(chunks.c.id.in_(ids)))}
        return [stored_chunk(found[chunk_id]) for chunk_id in ids if chunk_id in found]

    def part(self, document_id: int, start: int, end: int) -> tuple[str, tuple[Section, ...]]:
        """Return the stored text of a document from character `start` to `end`, and the sections in it.

        The first section is cut to begin at `start`, with the line that stands there.
        """
        row = self._connection.execute(select(documents.c.sections).where(documents.c.id == document_id)).scalar()
        overlapping = [Section(*each) for each in json.loads(row or "[]") if each[0] < end and each[1] > start]
        first = min([start, *(section.start for section in overlapping)])
        slice_ = func.substr(documents.c.text, first + 1, end - first)
        text = str(self._connection.execute(select(slice_).where(documents.c.id == document_id)).scalar() or "")
        if first < start:
            cut = overlapping[0]
            line = None if cut.line is None else cut.line + text.count("\n", cut.start - first, start - first)
            overlapping[0] = replace(cut, start=start, line=line)
        return text[start - first :], tuple(overlapping)

    def page_names(self, document_id: int, pages: Iterable[int | None]) -> dict[int, str]:
        """Return what these sheets or slides of a document are called: their first headings. Pages have no names."""
        wanted = documents.c.id == document_id
        if self._connection.execute(select(documents.c.format).where(wanted)).scalar() not in PAGED:
            return {}
        if document_id not in self._headings:
            row = self._connection.execute(select(documents.c.sections).where(wanted)).scalar()
            sections = reversed([Section(*each) for each in json.loads(row or "[]")])
            self._headings[document_id] = {each.page: each for each in sections if each.kind == "heading"}
        headings = self._headings[document_id]
        names: dict[int, str] = {}
        for page in sorted({page for page in pages if page is not None and page in headings}):
            text = func.substr(documents.c.text, headings[page].start + 1, headings[page].end - headings[page].start)
            names[page] = str(self._connection.execute(select(text).where(wanted)).scalar() or "").strip()
        return names

    def vectors(self, ids: Sequence[int]) -> dict[int, Vectors]:
        """Return the vectors (dim,) of these chunks by id."""
        import numpy as np

        query = select(schema.vectors.c.chunk_id, schema.vectors.c.vector)
        rows = self._connection.execute(query.where(schema.vectors.c.chunk_id.in_(ids)))
        return {row[0]: np.frombuffer(row[1], dtype="<f4") for row in rows}

    def count(self) -> int:
        """Return how many chunks there are."""
        return int(self._connection.execute(select(func.count()).select_from(chunks)).scalar() or 0)


CHUNKS = select(chunks, documents.c.source, documents.c.sha256, documents.c.title).join(documents)


def stored_chunk(row: Row[Any]) -> StoredChunk:
    """Return the chunk that a row of `CHUNKS` holds."""
    return StoredChunk(
        row.id, row.source, row.sha256, row.title, row.context, row.start, row.end, row.page, row.line, row.text,
        row.simhash, row.numbers, row.document_id,
    )  # fmt: skip
