"""What must hold between the tables and files of one epoch, compared the slow and obvious way; changes nothing."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, select

from indexer import native, segments
from indexer.chunker import passage_text
from indexer.findable import names_of, word_columns
from indexer.schema import chunks, documents, names, tombstones, vectors
from indexer.segments import DenseIndex, Segment
from indexer.types import Chunk, Vectors
from indexer.view import Made
from indexer.writer import DOCUMENT_NAMES, WORD_COLUMNS

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

BLOCK = 10_000
"""Vectors that are looked at together."""
QUERIES = 10
NEAREST = 10
TOLERANCE = 1e-5
"""Difference between two scores of the same pair, float32 summed in another order."""


def integrity(connection: Connection) -> list[str]:
    """Return what SQLite finds wrong with the database's pages and indexes."""
    rows = connection.exec_driver_sql("PRAGMA integrity_check(10)").scalars().all()
    return [str(row) for row in rows if row != "ok"]


def orphans(connection: Connection) -> list[str]:
    """Return the rows that refer to rows which are not there."""
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return [f"row {row[1]} of {row[0]}" for row in rows]


def wrong_chunks(connection: Connection) -> list[str]:
    """Return the sources of documents with a chunk that is not their text at its place, or of another digest."""
    wrong: dict[str, None] = {}
    pieces = connection.execute(select(chunks).order_by(chunks.c.document_id).execution_options(yield_per=1000))
    for document_id, group in itertools.groupby(pieces, key=lambda row: row.document_id):
        found = connection.execute(select(documents.c.source, documents.c.text).where(documents.c.id == document_id))
        document = found.one_or_none()
        for row in group:
            digest = hashlib.sha256(passage_text(Chunk(row.start, row.end, row.text, row.context)).encode()).digest()
            if document is None or document.text[row.start : row.end] != row.text or digest != row.digest:
                wrong[document.source if document else f"document {document_id}"] = None
    return list(wrong)


def wrong_vectors(connection: Connection, dim: int) -> list[int]:
    """Return the chunks without a vector of the right size, finite and of length one."""
    query = select(chunks.c.id, vectors.c.vector).join(vectors, isouter=True).order_by(chunks.c.id)
    wrong: list[int] = []
    for rows in connection.execute(query.execution_options(yield_per=BLOCK)).partitions():
        sized = [row for row in rows if isinstance(row.vector, bytes) and len(row.vector) == 4 * dim]
        wrong.extend({row.id for row in rows} - {row.id for row in sized})
        matrix = np.frombuffer(b"".join(row.vector for row in sized), dtype="<f4").reshape(-1, dim)
        with np.errstate(all="ignore"):
            lengths = np.sqrt(np.square(matrix.astype(np.float64)).sum(axis=1))
        off = ~(np.abs(lengths - 1) <= segments.UNIT_TOLERANCE)  # true for NaN as well
        wrong.extend(sized[place].id for place in np.flatnonzero(off))
    return sorted(wrong)


def wrong_names(connection: Connection) -> list[str]:
    """Return the sources of documents whose names, or whose words for full-text search, are not what they must be."""
    stored = connection.execute(select(names).order_by(names.c.document_id).execution_options(yield_per=1000))
    by_document = itertools.groupby(stored, key=lambda row: row.document_id)
    waiting = next(by_document, None)
    wrong: dict[str, None] = {}
    for document in connection.execute(select(*DOCUMENT_NAMES).order_by(documents.c.id)).all():
        while waiting is not None and waiting[0] < document.id:  # of a document that is not there
            wrong[f"document {waiting[0]}"] = None
            waiting = next(by_document, None)
        found: set[tuple[str, int, int]] = set()
        if waiting is not None and waiting[0] == document.id:
            found = {(row.form, row.chunk_id, row.match) for row in waiting[1]}
            waiting = next(by_document, None)
        query = select(*WORD_COLUMNS).where(chunks.c.document_id == document.id).order_by(chunks.c.id)
        pieces = connection.execute(query).all()
        called = {(row["form"], row["chunk_id"], row["match"]) for row in names_of(document, pieces)}
        columns = word_columns([(piece.context, piece.text) for piece in pieces])
        unlike = any(getattr(piece, name) != value for piece, own in zip(pieces, columns, strict=True)
                     for name, value in own.items())  # fmt: skip
        if found != called or unlike:
            wrong[document.source] = None
    return [*wrong, *([f"document {waiting[0]}"] if waiting is not None else [])]


def wrong_segments(connection: Connection, folder: Path, made: Made) -> dict[str, str]:
    """Return the published segments that are not what the truth and the manifest say, and why."""
    wrong: dict[str, str] = {}
    for segment in segments.manifest(connection):
        try:
            _compare(connection, folder, segment, made)
        except (ValueError, OSError, RuntimeError) as error:
            wrong[segment.file] = str(error)
    return wrong


def _compare(connection: Connection, folder: Path, segment: Segment, made: Made) -> None:
    if (segment.fingerprint, segment.dim) != (made.fingerprint, made.dim):
        raise ValueError("it was made with another encoder")
    index = segments.load(folder, segment)
    covered = (segment.first_chunk, segment.last_chunk)
    stored = _ids(index)
    alive, rows = segments.read_vectors(connection, *covered, made.dim)
    gone = connection.execute(select(tombstones.c.chunk_id).where(tombstones.c.chunk_id.between(*covered)))
    if {*stored} != {*alive.tolist(), *gone.scalars()}:
        raise ValueError("it does not hold the chunks it covers")
    if segment.kind == "flat" and len(alive):
        place = {chunk_id: number for number, chunk_id in enumerate(stored)}
        flat = index.index.reconstruct_n(0, index.ntotal)
        if not np.array_equal(flat[[place[chunk_id] for chunk_id in alive.tolist()]], rows):
            raise ValueError("a vector in it is not the stored one")


def _ids(index: Any) -> list[int]:
    faiss = native.faiss()

    if isinstance(index, faiss.IndexIDMap):
        return [int(each) for each in faiss.vector_to_array(index.id_map)]
    lists = index.invlists
    parts = [faiss.rev_swig_ptr(lists.get_ids(n), lists.list_size(n)).tolist() for n in range(index.nlist)]
    return [int(each) for part in parts for each in part]


def uncovered(connection: Connection) -> int:
    """Return how many vectors lie between segments, where no search would find them."""
    published = segments.manifest(connection)
    if not published:
        return 0
    upto = select(func.count()).where(vectors.c.chunk_id <= published[-1].last_chunk)
    inside = sum(
        connection.execute(
            select(func.count()).where(vectors.c.chunk_id.between(each.first_chunk, each.last_chunk))
        ).scalar_one()
        for each in published
    )
    return int(connection.execute(upto).scalar_one()) - inside


def wrong_searches(connection: Connection, folder: Path, made: Made) -> list[int]:
    """Return the chunks whose vector, used as a question, finds something else than comparing with every vector does.

    A tenth place that two chunks share may go to either.
    """
    ids = connection.execute(select(vectors.c.chunk_id).order_by(vectors.c.chunk_id)).scalars().all()
    asked = ids[:: max(1, len(ids) // QUERIES)][:QUERIES]
    dense = DenseIndex(connection, folder, made.fingerprint, made.dim)
    # All probed, where an index is approximate: then it must be exact too.
    allowed = np.asarray(ids, dtype=np.int64) if any(s.kind != "flat" for s in segments.manifest(connection)) else None
    wrong = []
    for chunk_id in asked:
        _, row = segments.read_vectors(connection, chunk_id, chunk_id, made.dim)
        scores = {each: score for block in _blocks(connection, made.dim) for each, score in _scores(row, block)}
        best = sorted(scores.values(), reverse=True)[:NEAREST]
        hits = dense.search(row[0], NEAREST, allowed)
        same = len(hits) == len(best) and all(
            abs(hit.score - score) < TOLERANCE and abs(hit.score - scores.get(hit.chunk_id, 9)) < TOLERANCE
            for hit, score in zip(hits, best, strict=True)
        )
        if not same or len({hit.chunk_id for hit in hits}) != len(hits):
            wrong.append(chunk_id)
    return wrong


def _blocks(connection: Connection, dim: int) -> Iterator[tuple[segments.Ids, Vectors]]:
    newest = connection.execute(select(func.max(vectors.c.chunk_id))).scalar() or 0
    for first in range(1, newest + 1, BLOCK):
        yield segments.read_vectors(connection, first, first + BLOCK - 1, dim)


def _scores(row: Vectors, block: tuple[segments.Ids, Vectors]) -> Iterator[tuple[int, float]]:
    ids, rows = block
    return zip(ids.tolist(), (rows @ row[0]).tolist(), strict=True)
