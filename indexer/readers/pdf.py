"""PDF: the text of each page, by pypdfium2 or, where that gives up, by pypdf.

Lines stay as they stand on the page; putting paragraphs together is the cleaner's work.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.dates import iso_date
from indexer.readers.fields import is_placeholder
from indexer.readers.ocr import Scans, numbers
from indexer.readers.pdf_fields import form_entries, with_entries
from indexer.readers.pdf_lines import blocks_of, has_shifted_letters, is_nonsense, printed_lines
from indexer.readers.pdf_tables import Line
from indexer.types import Reading

MAX_PAGES = 5_000
_MAX_BOOKMARKS = 5_000
_MIN_PATHS = 50
"""Lines and curves on a page that may be letters."""
_PASSWORD_ERROR = 4
"""FPDF_ERR_PASSWORD of fpdfview.h."""
_PDF_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?")
_MEANINGLESS = re.compile(
    r"\(?(?:untitled|anonymous|unspecified)\)?|microsoft (word|powerpoint) - .*|.*\.(docx?|indd|tex|dvi|qxd|pptx?|pdf)",
    re.I,
)

_FIELDS = {"author": "Author", "subject": "Subject", "keywords": "Keywords"}


@dataclass(slots=True)
class _Content:
    """What either library found."""

    pages: list[list[Line]]
    info: dict[str, str]
    bookmarks: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    """Page counted from 0 -> (level counted from 1, title)."""
    scans: Scans = field(default_factory=Scans)
    notes: list[str] = field(default_factory=list)


def read(name: str, data: bytes) -> Reading:
    """Read a PDF page by page.

    Raises Unreadable: "encrypted" when it asks for a password to be opened (an owner's password alone
    is no obstacle), scans where they cannot be recognised, a page limit, or damage that neither library survives.
    """
    notes: list[str] = []
    try:
        content = _by_pdfium(data)
    except (ValueError, RuntimeError, OSError):
        content = _by_pypdf(data)
        notes.append("damaged; read by the second library")
    _check_text(content)
    unread = content.scans.unread
    empty = [at for at, page in enumerate(content.pages, 1) if not _has_text(page) and at not in unread]
    if empty:
        notes.append(f"pages without text: {numbers(empty)}")
    notes.extend((*content.notes, *content.scans.notes()))
    title = content.info.get("Title", "").strip()
    created, modified = (_date(content.info.get(key, "")) for key in ("CreationDate", "ModDate"))
    metadata: dict[str, str | int] = {
        **{ours: content.info.get(theirs, "").strip() for ours, theirs in _FIELDS.items()},
        "created": created,
        "last modified": modified if modified != created else "",
        "date": modified or created,
        "pages": len(content.pages),
        **content.scans.fields(),
    }
    return Reading(
        tuple(blocks_of(content.pages, content.bookmarks)),
        "pdf",
        "" if _MEANINGLESS.fullmatch(title) else title,
        {key: value for key, value in metadata.items() if not is_placeholder(str(value))},
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
        document.init_forms()  # before the first page is opened
        pages: list[list[Line]] = []
        scans, shifted, nonsense = Scans(), list[int](), list[int]()
        for number in range(len(document)):
            page = document[number]
            text = page.get_textpage()
            lines = printed_lines(page, text)
            if has_shifted_letters(text.get_text_range()):
                shifted.append(number + 1)
            text.close()
            if is_nonsense(lines):
                nonsense.append(number + 1)
                lines = scans.lines(page, number + 1)
            entries, notes = form_entries(page, document.formenv)
            lines = with_entries(lines, entries) + [Line(f"Note: {note}", is_row=True) for note in notes]
            if not _has_text(lines) and _shows_pictures(page):
                lines = scans.lines(page, number + 1)
            pages.append(lines)
            page.close()
        kinds = (
            (shifted, "letters of a font without a table of characters decoded"),
            (nonsense, "letters make no words"),
        )
        told = [f"pages {numbers(found)}: {what}" for found, what in kinds if found]
        return _Content(pages, document.get_metadata_dict(), _bookmarks(document), scans, told)
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
        pages = [[Line(line) for line in page.extract_text().splitlines()] for page in reader.pages]
        info = {str(key).strip("/"): str(value) for key, value in (reader.metadata or {}).items()}
        return _Content(pages, info)
    except Unreadable:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError) as error:
        raise Unreadable("damaged PDF") from error


def _check_length(pages: int) -> None:
    if pages > MAX_PAGES:
        raise Unreadable(f"page limit: {pages:,} pages, at most {MAX_PAGES:,} are read")


def _has_text(page: Sequence[Line]) -> bool:
    return any(line.text.strip() for line in page)


def _shows_pictures(page: Any) -> bool:
    """Tell a scan, or letters drawn as lines, from a blank page."""
    from pypdfium2 import raw

    drawn = page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH], max_depth=3)
    count = 0
    for drawing in drawn:
        count += _MIN_PATHS if drawing.type == raw.FPDF_PAGEOBJ_IMAGE else 1
        if count >= _MIN_PATHS:
            return True
    return False


def _check_text(content: _Content) -> None:
    pages = content.pages
    if not any(map(_has_text, pages)):
        problem = content.scans.problem
        reason = "no text layer" + (f"; {problem}" if problem else "")
        raise Unreadable(reason if pages else "no pages")
    sample = "".join(line.text[:200] for page in pages[:200] for line in page)
    unknown = sum(character == "\ufffd" or "\ue000" <= character <= "\uf8ff" for character in sample)
    if unknown > sum(map(str.isalnum, sample)):
        raise Unreadable("text layer without usable characters")


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


def _date(value: str) -> str:
    match = _PDF_DATE.match(value)
    return iso_date("-".join(part or "01" for part in match.groups())) if match else ""
