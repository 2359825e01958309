"""Documents under ids that can stand in an address: found by them, named for people, and their text in parts.

An id is made of the document's source, so it outlives indexing again; it is looked up, and never becomes a path.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from indexer.collection import Collection, DocumentEntry
from indexer.errors import NotFound, Unreadable
from indexer.folders import read_file
from indexer.schema import documents
from indexer.types import Document

if TYPE_CHECKING:
    from rag.service.uploads import Uploads

MOST_TEXT = 200_000
"""Characters of a text that are sent at once."""
_ID = re.compile(r"[0-9a-f]{24}")


def document_id(source: str) -> str:
    """Return the id of the document with this source: 24 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(source.encode(errors="surrogatepass")).hexdigest()[:24]


def source_of(collection: Collection, wanted: str) -> str:
    """Return the source of the document with this id. Raises NotFound."""
    if _ID.fullmatch(wanted):
        with collection.reading() as connection:
            for source in connection.execute(select(documents.c.source)).scalars():
                if document_id(source) == wanted:
                    return str(source)
    raise NotFound(
        f"There is no document of that id in collection {collection.name!r}.",
        f"Which there are: GET /v1/collections/{collection.name}/documents",
    )


def holds(collection: Collection, source: str) -> bool:
    """True when the collection holds a document with exactly this source."""
    with collection.reading() as connection:
        return connection.execute(select(documents.c.id).where(documents.c.source == source)).first() is not None


def origin_of(collection: Collection, source: str) -> str:
    """Return the stored origin of the document with exactly this source: "file" or "given"."""
    with collection.reading() as connection:
        return str(connection.execute(select(documents.c.origin).where(documents.c.source == source)).scalar_one())


def file_of(collection: Collection, source: str) -> tuple[str, str, bytes]:
    """Return source, media type and bytes of the file that a document was read from.

    Raises NotFound where it was read from none, where the file is gone, and where it is no longer what was indexed.
    """
    with collection.reading() as connection:
        row = connection.execute(
            select(documents.c.origin, documents.c.sha256, documents.c.format).where(documents.c.source == source)
        ).one()
    if row.origin != "file":
        raise NotFound("This document was read from no file.", "Its text is all there is.")
    try:
        content = read_file(Path(source))
    except (Unreadable, OSError) as error:
        raise NotFound("The file of this document cannot be read any more.", "Its stored text is kept.") from error
    if hashlib.sha256(content).hexdigest() != row.sha256:
        raise NotFound("The file has changed since it was indexed.", "Read changed files again, then open it.")
    return source, _KINDS.get(row.format, "application/octet-stream"), content


_TEXT = "text/plain; charset=utf-8"
_KINDS = {"text": _TEXT, "markdown": _TEXT, "rst": _TEXT, "csv": _TEXT}
"""Media types of formats that every browser shows, and none runs; all others are to be saved."""


class Names:
    """What the documents of one collection are called for people."""

    def __init__(self, uploads: Uploads, collection: str) -> None:
        self._uploads, self._collection = uploads, collection

    def name(self, source: str, title: str) -> str:
        """Return the name a document was uploaded under, else its title, else its file's name."""
        return self._uploads.label(self._collection, source) or title or PurePath(source).name or source

    def label(self, source: str) -> str:
        """Return the source as a person knows it: the name it was uploaded under, else the source itself."""
        return self._uploads.label(self._collection, source) or source

    def title(self, source: str, title: str) -> str:
        """Return the title of a document, "" for an upload that has none but the name of its file in storage."""
        return "" if title == PurePath(source).name and self._uploads.is_upload(self._collection, source) else title

    def name_of_file(self, source: str) -> str:
        """Return what the file of a document is called, without its folder."""
        return PurePath(self.label(source)).name or source

    def origin(self, source: str, origin: str) -> str:
        """Return "upload", "file" or "given": a text without a file is no upload, whatever its id looks like."""
        return "upload" if origin == "file" and self._uploads.is_upload(self._collection, source) else origin

    def entry(self, entry: DocumentEntry) -> dict[str, Any]:
        """Return a stored document as `schemas.DocumentEntry`."""
        return {
            "id": document_id(entry.source),
            "source": entry.source,
            "name": self.name(entry.source, entry.title),
            "label": self.label(entry.source),
            "folder": str(PurePath(self.label(entry.source)).parent).removeprefix("."),
            "title": entry.title,
            "format": entry.format,
            "sha256": entry.sha256,
            "characters": entry.characters,
            "chunks": entry.chunks,
            "modified": entry.modified,
            "origin": self.origin(entry.source, entry.origin),
            "metadata": dict(entry.metadata),
            "warnings": [] if entry.chunks else ["read, 0 passages"],
        }

    def text(self, collection: Collection, source: str, start: int, end: int | None) -> dict[str, Any]:
        """Return a document's text from `start` to `end` (None: to its end) as `schemas.DocumentText`."""
        origin = origin_of(collection, source)
        document, generation = collection.document(source), collection.generation
        first = min(start, len(document.text))
        last = min(len(document.text), first + MOST_TEXT, len(document.text) if end is None else max(first, end))
        return {
            "id": document_id(source),
            "source": source,
            "name": self.name(source, document.title),
            "label": self.label(source),
            "title": document.title,
            "format": document.format,
            "sha256": document.sha256,
            "origin": self.origin(source, origin),
            "metadata": dict(document.metadata),
            "notes": list(document.notes),
            "characters": len(document.text),
            "start": first,
            "end": last,
            "text": document.text[first:last],
            "sections": _sections(document, first, last),
            "headings": list(document.headings_at(first)),
            "generation": generation,
        }


def with_notes(collection: Collection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return document entries with the notes of how each was read among its warnings."""
    with collection.reading() as connection:
        query = select(documents.c.source, documents.c.notes).where(
            documents.c.source.in_([row["source"] for row in rows])
        )
        notes = {source: json.loads(told) for source, told in connection.execute(query)}
    return [{**row, "warnings": [*row["warnings"], *notes.get(row["source"], [])]} for row in rows]


def _sections(document: Document, first: int, last: int) -> list[dict[str, Any]]:
    return [
        {"start": s.start, "end": s.end, "kind": s.kind, "level": s.level, "page": s.page, "line": s.line}
        for s in document.sections
        if s.start < last and s.end > first
    ]
