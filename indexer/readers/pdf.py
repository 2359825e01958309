"""PDF: the text of each page, by pypdfium2 or, where that gives up, by pypdf; bookmarks become headings.

Lines stay as they stand on the page; putting paragraphs together is the cleaner's work.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from indexer.errors import Unreadable
from indexer.readers.dates import iso_date
from indexer.types import Block, Reading

MAX_PAGES = 5_000
_MAX_BOOKMARKS = 5_000
_PASSWORD_ERROR = 4
"""FPDF_ERR_PASSWORD of fpdfview.h."""
_PDF_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?")
_MEANINGLESS = re.compile(r"untitled|microsoft (word|powerpoint) - .*|.*\.(docx?|indd|tex|dvi|qxd|pptx?)", re.I)


@dataclass(slots=True)
class _Content:
    """What either library found."""

    pages: list[str]
    info: dict[str, str]
    bookmarks: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    """Page counted from 0 -> (level counted from 1, title)."""


def read(name: str, data: bytes) -> Reading:
    """Read a PDF page by page.

    Raises Unreadable: "encrypted" when it asks for a password to be opened (an owner's password alone
    is no obstacle), "no text layer" for scans, a page limit, or damage that neither library survives.
    """
    notes: list[str] = []
    try:
        content = _by_pdfium(data)
    except (ValueError, RuntimeError, OSError):
        content = _by_pypdf(data)
        notes.append("damaged; read by the second library")
    if not any(page.strip() for page in content.pages):
        raise Unreadable("no text layer" if content.pages else "no pages")
    readable = sum(character.isalnum() for page in content.pages for character in page[:2000])
    unknown = sum(
        character == "\ufffd" or "\ue000" <= character <= "\uf8ff"
        for page in content.pages
        for character in page[:2000]
    )
    if unknown > readable:
        raise Unreadable("text layer without usable characters")
    empty = [str(number) for number, page in enumerate(content.pages, 1) if not page.strip()]
    if empty:
        notes.append(f"pages without text: {', '.join(empty[:20])}{' …' if len(empty) > 20 else ''}")
    blocks = [block for number, page in enumerate(content.pages) for block in _blocks(page, number, content)]
    title = content.info.get("Title", "").strip()
    metadata: dict[str, str | int] = {
        "author": content.info.get("Author", "").strip(),
        "date": _date(content.info.get("ModDate", "")) or _date(content.info.get("CreationDate", "")),
        "pages": len(content.pages),
    }
    return Reading(
        tuple(blocks),
        "pdf",
        "" if _MEANINGLESS.fullmatch(title) else title,
        {key: value for key, value in metadata.items() if value != ""},
        tuple(notes),
    )


def _by_pdfium(data: bytes) -> _Content:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD_ERROR:
            raise Unreadable("encrypted") from error
        raise
    try:
        _check_length(len(document))
        pages = []
        for number in range(len(document)):
            page = document[number]
            text = page.get_textpage()
            pages.append(_lines(text.get_text_range()))
            text.close()
            page.close()
        return _Content(pages, document.get_metadata_dict(), _bookmarks(document))
    finally:
        document.close()


def _by_pypdf(data: bytes) -> _Content:
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns of the damage we are here for
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("encrypted")
        _check_length(len(reader.pages))
        pages = [_lines(page.extract_text()) for page in reader.pages]
        info = {str(key).strip("/"): str(value) for key, value in (reader.metadata or {}).items()}
        return _Content(pages, info)
    except Unreadable:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError) as error:
        raise Unreadable("damaged PDF") from error


def _check_length(pages: int) -> None:
    if pages > MAX_PAGES:
        raise Unreadable(f"page limit: {pages:,} pages, at most {MAX_PAGES:,} are read")


def _lines(text: str) -> str:
    """Return the lines of a page; pdfium marks a hyphen that it takes for a broken word by a character of its own."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufffe", "\u00ad").replace("\x02", "\u00ad")


def _bookmarks(document: object) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = {}
    for count, mark in enumerate(document.get_toc(max_depth=8)):  # type: ignore[attr-defined]
        if count >= _MAX_BOOKMARKS:
            break
        place = mark.get_dest()
        number = place.get_index() if place is not None else None
        if number is not None and (title := " ".join(mark.get_title().split())):
            found.setdefault(number, []).append((mark.level + 1, title))
    return found


def _blocks(page: str, number: int, content: _Content) -> Iterator[Block]:
    """Yield the page's lines, cut at those which a bookmark names as headings."""
    marks = {_key(title): level for level, title in content.bookmarks.get(number, ())}
    pending: list[str] = []
    for line in page.split("\n"):
        level = marks.pop(_key(line), 0) if marks else 0
        if not level:
            pending.append(line)
            continue
        if any(map(str.strip, pending)):
            yield Block("\n".join(pending), page=number + 1)
        pending = []
        yield Block(line.strip(), "heading", level, number + 1)
    if any(map(str.strip, pending)):
        yield Block("\n".join(pending), page=number + 1)


def _key(title: str) -> str:
    return "".join(filter(str.isalnum, title)).lower()


def _date(value: str) -> str:
    match = _PDF_DATE.match(value)
    return iso_date("-".join(part or "01" for part in match.groups())) if match else ""
