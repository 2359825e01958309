"""Pages of stored PDFs to show: drawn, and with the places of a quote, in limited processes; the last ones are kept.

A page is shown only where its file still has the very bytes that were indexed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from sqlalchemy import select

from indexer.collection import Collection
from indexer.errors import NotFound, Unreadable
from indexer.folders import read_file
from indexer.page_places import PagePlaces
from indexer.sandbox import Limits, Sandbox
from indexer.schema import documents
from rag.service.batching import Full
from rag.service.documents import Names, source_of

LIMITS = Limits(memory=1 << 29, cpu=10, wall=20.0)
"""What one page may cost; a scan has as many seconds again for Tesseract."""
WORKERS = 2
MOST_WAITING = 32
"""Pages that are worked on or wait."""
_MOST_PICTURES = 32_000_000
"""Bytes of pictures that are kept."""
_MOST_PLACES = 16_000_000
"""Bytes of places that are kept; a page of text has some 60,000."""
_MOST_FILES = 1_000
_LANGUAGES = re.compile(r"\(([A-Za-z_+]+)\)$")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class StoredPdf:
    """A PDF as the collection knows it."""

    collection: str
    id: str
    source: str
    name: str
    sha256: str
    languages: str
    """That its scans were read in, "" where it has none."""


def stored_pdf(collection: Collection, wanted: str, names: Names) -> StoredPdf:
    """Return the PDF of this id. Raises NotFound where there is none of it, or no file that it was read from."""
    source = source_of(collection, wanted)
    columns = documents.c
    wanted_columns = (columns.format, columns.origin, columns.sha256, columns.title, columns.metadata)
    with collection.reading() as connection:
        row = connection.execute(select(*wanted_columns).where(columns.source == source)).one_or_none()
    if row is None:
        raise NotFound(f"The document {wanted} has just been removed.", _hint(collection.name, ""))
    name = names.name(source, row.title)
    if row.format != "pdf":
        raise NotFound(f"{name!r} is no PDF, but {row.format}.", _hint(collection.name, wanted))
    if row.origin != "file":
        raise NotFound(f"There is no file of {name!r}: only its text was given.", _hint(collection.name, wanted))
    languages = _LANGUAGES.search(str(json.loads(row.metadata).get("ocr", "")))
    return StoredPdf(collection.name, wanted, source, name, row.sha256, languages[1] if languages else "")


def page_sections(collection: Collection, pdf: StoredPdf, number: int) -> list[tuple[int, str]]:
    """Return the parts of the stored text that stand on a page, with the offset of each."""
    document = collection.document(pdf.source)
    return [(each.start, document.text[each.start : each.end]) for each in document.sections if each.page == number]


class PdfPages:
    """Draws and reads pages. Used from one event loop; the sandbox starts its processes with the first page."""

    def __init__(self, limits: Limits = LIMITS, most_waiting: int = MOST_WAITING) -> None:
        self._sandbox = Sandbox(WORKERS, limits)
        self._waiting, self._most_waiting = 0, most_waiting
        self._pictures: _Recent[bytes] = _Recent(_MOST_PICTURES, len)
        self._places: _Recent[PagePlaces] = _Recent(_MOST_PLACES, lambda found: 24 * len(found.offsets) + 500)
        self._checked: _Recent[tuple[int, ...]] = _Recent(_MOST_FILES, lambda _: 1)

    async def picture(self, pdf: StoredPdf, number: int, scale: float) -> bytes:
        """Return a page as PNG. Raises NotFound, Unreadable, and Full where too many pages wait."""
        key = pdf.sha256, number, scale
        kept = self._pictures.get(key)
        if kept is not None and await asyncio.to_thread(self._is_unchanged, pdf):
            return kept
        data = await asyncio.to_thread(self._content, pdf)
        drawn = await self._done(pdf, number, lambda: self._sandbox.picture(data, number, scale))
        self._pictures.keep(key, drawn)
        return drawn

    async def places(self, pdf: StoredPdf, number: int, sections: list[tuple[int, str]]) -> PagePlaces:
        """Return where the characters of a page's stored sections stand. Raises as `picture` does."""
        key = pdf.sha256, number, hashlib.sha256(json.dumps(sections).encode()).digest()
        kept = self._places.get(key)
        if kept is not None and await asyncio.to_thread(self._is_unchanged, pdf):
            return kept
        data = await asyncio.to_thread(self._content, pdf)
        found = await self._done(pdf, number, lambda: self._sandbox.places(data, number, sections, pdf.languages))
        self._places.keep(key, found)
        return found

    def close(self) -> None:
        """End the processes, at once."""
        self._sandbox.close()

    async def _done(self, pdf: StoredPdf, number: int, begin: Callable[[], Future[Value]]) -> Value:
        """Return what comes of a piece of work; cancelling this takes it back where it has not begun."""
        if self._waiting >= self._most_waiting:
            raise Full(self._waiting, 2.0)
        self._waiting += 1
        try:
            return await asyncio.wrap_future(begin())
        except NotFound as missing:
            message = f"There is no page {number} in {pdf.name!r}: {missing.message}."
            raise NotFound(message, _hint(pdf.collection, pdf.id)) from missing
        except Unreadable as unreadable:
            message = f"Page {number} of {pdf.name!r} cannot be shown: {unreadable.reason}."
            raise Unreadable(message, _hint(pdf.collection, pdf.id)) from unreadable
        finally:
            self._waiting -= 1

    def _content(self, pdf: StoredPdf) -> bytes:
        """Return the bytes of the file. Raises NotFound where they are not those that were indexed."""
        again = f"Bring the collection up to date: POST /v1/collections/{pdf.collection}/index"
        if not os.path.lexists(pdf.source):
            raise NotFound(f"The file of {pdf.name!r} is gone.", again)
        seen = _signature(pdf.source)
        try:
            data = read_file(Path(pdf.source))
        except (Unreadable, OSError) as error:
            raise NotFound(f"The file of {pdf.name!r} cannot be read: {error}.", again) from error
        if hashlib.sha256(data).hexdigest() != pdf.sha256:
            raise NotFound(f"The file of {pdf.name!r} has changed since it was indexed.", again)
        self._checked.keep((pdf.source, pdf.sha256), seen)
        return data

    def _is_unchanged(self, pdf: StoredPdf) -> bool:
        """Tell whether the file is as it was when its bytes were last compared."""
        seen = self._checked.get((pdf.source, pdf.sha256))
        return bool(seen) and seen == _signature(pdf.source)


def _signature(source: str) -> tuple[int, ...]:
    """Return what differs once a file has been written to; () where there is none."""
    try:
        found = os.lstat(source)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _hint(collection: str, document: str) -> str:
    """Return how to come to the text instead, or to the documents."""
    where = f"/v1/collections/{collection}/documents"
    return f"Its text: GET {where}/{document}" if document else f"Which there are: GET {where}"


class _Recent(Generic[Value]):
    """The values that were used last, as many as fit into a size. Safe in threads."""

    def __init__(self, most: int, size: Callable[[Value], int]) -> None:
        self._most, self._size, self._total = most, size, 0
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def keep(self, key: Hashable, value: Value) -> None:
        with self._lock:
            self._drop(key)
            self._values[key] = value
            self._total += self._size(value)
            while self._total > self._most:
                self._drop(next(iter(self._values)))

    def _drop(self, key: Hashable) -> None:
        if key in self._values:
            self._total -= self._size(self._values.pop(key))
