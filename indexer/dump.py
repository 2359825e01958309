"""What a collection holds, as plain values in a fixed order: for exports, and for telling whether two are equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from indexer.collection import Collection
from indexer.schema import chunks, documents, vectors

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Row

_DUMPED = ("start", "end", "page", "line", "simhash", "numbers", "context", "text", "bigrams", "language", "stems")


def dump(collection: Collection) -> Iterator[dict[str, Any]]:
    """Yield every document by source, each with its chunks and their vectors; whatever differs by history is left out.

    Two collections that hold the same have equal dumps: no row ids, no generation, no cache. One state, read in a
    stream.
    """
    with collection.reading() as connection:
        pieces = stored_chunks(connection)
        waiting = next(pieces, None)
        for document in stored_documents(connection):
            mine = []
            while waiting is not None and waiting.document_id == document.id:
                columns = {name: getattr(waiting, name) for name in _DUMPED}
                mine.append(columns | {"digest": waiting.digest.hex(), "vector": waiting.vector.hex()})
                waiting = next(pieces, None)
            yield document_values(document) | {"chunks": mine}


def content_hash(collection: Collection) -> str:
    """Return the SHA-256 of what the collection holds, in hexadecimal: equal for equal dumps."""
    digest = hashlib.sha256()
    for each in dump(collection):
        digest.update(json.dumps(each, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def stored_documents(connection: Connection) -> Iterator[Row[Any]]:
    """Yield the rows of all documents, by source."""
    query = select(documents).order_by(documents.c.source)
    yield from connection.execute(query.execution_options(yield_per=100))


def stored_chunks(connection: Connection) -> Iterator[Row[Any]]:
    """Yield the rows of all chunks with their vectors, by source and place in the document."""
    query = (
        select(chunks, vectors.c.vector, vectors.c.precision)
        .join(vectors, vectors.c.chunk_id == chunks.c.id)
        .join(documents, documents.c.id == chunks.c.document_id)
        .order_by(documents.c.source, chunks.c.start, chunks.c.id)
    )
    yield from connection.execute(query.execution_options(yield_per=1000))


def document_values(row: Row[Any]) -> dict[str, Any]:
    """Return the columns of a document's row as JSON values, without its id."""
    values = {
        name: getattr(row, name) for name in ("source", "sha256", "origin", "modified", "title", "format", "text")
    }
    parsed = {name: json.loads(getattr(row, name)) for name in ("metadata", "notes", "repairs", "sections")}
    return values | parsed
