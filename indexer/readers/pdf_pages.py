"""One page of a PDF for a person: as a picture, and where each character of its stored text stands on it.

Runs in the sandbox's child, as the readers do. The places are found by reading the page again and comparing.
"""

from __future__ import annotations

import ctypes
import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from indexer.errors import NotFound
from indexer.matching import matched
from indexer.page_places import NOWHERE, Box, PagePlaces
from indexer.readers.ocr import Scans, Word
from indexer.readers.pdf_fields import Entry, form_entries
from indexer.readers.pdf_lines import characters_of, decoded, is_nonsense, line_of, printed_rows

MAX_PIXELS = 12_000_000
"""Of a picture; a larger page is drawn smaller."""
_MAX_SIDE = 8_000
_MAX_CHARACTERS = 200_000
"""Of a page's stored text; of more, no place is told."""
_FINE = 1_000_000
"""Units of the page's width and height in which pdfium, which counts in whole numbers, gives places."""
_MOST_LOOSE = 0.15
"""Height that a font gives its characters, in that of the page, above which it is not believed."""


def picture(data: bytes, number: int, scale: float) -> bytes:
    """Return page `number` (from 1) as PNG, `scale` pixels a point wide, or fewer where it would grow too large.

    Raises NotFound where there is
    no such page.
    """
    with _page(data, number) as (page, _):
        width, height = page.get_size()
        most = min((MAX_PIXELS / max(width * height, 1.0)) ** 0.5, _MAX_SIDE / max(width, height, 1.0))
        bitmap = page.render(scale=min(scale, most))
        buffer = io.BytesIO()
        bitmap.to_pil().save(buffer, "PNG")
        bitmap.close()
        return buffer.getvalue()


def places(data: bytes, number: int, sections: Sequence[tuple[int, str]], languages: str) -> PagePlaces:
    """Return where the characters of these stored sections (offset and text of each) stand on page `number`.

    `languages` are those that the document's scans were read in, "" for none. Raises NotFound where there is
    no such page.
    """
    with _page(data, number) as (page, document):
        found = PagePlaces(len(document), *page.get_size())
        stored = "\n".join(text for _, text in sections)
        offsets = [at for start, text in sections for at in range(start, start + len(text) + 1)]
        printed = _Printed(page)
        if 0 < len(stored) <= _MAX_CHARACTERS:
            printed.add_all(document.formenv, languages)
        for character, offset, at in zip(stored, offsets, matched(stored, printed.text), strict=False):
            if at >= 0 or character.isalnum():
                found.add(offset, printed.box(at) if at >= 0 else NOWHERE)
        return found


@contextmanager
def _page(data: bytes, number: int) -> Iterator[tuple[Any, Any]]:
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        if not 1 <= number <= len(document):
            count = len(document)
            raise NotFound(f"it has {count} page{'' if count == 1 else 's'}")
        document.init_forms()  # before the page is opened; what was filled in is drawn, too
        page = document[number - 1]
        yield page, document
        page.close()
    finally:
        document.close()


class _Printed:
    """The characters of a page in the order in which the reader takes them, and the box of each."""

    def __init__(self, page: Any) -> None:
        self.text = ""
        self._page = page
        self._text_page = page.get_textpage()
        self._sources: list[int | Box | None] = []
        """Of each character: its number on the page, or its box, or None for a space between two pieces."""

    def add_all(self, form: Any, languages: str) -> None:
        """Take what is printed on the page and filled into its form, or the words of a page that was read as a scan."""
        text = characters_of(self._text_page)
        rows = printed_rows(self._page, self._text_page, text)
        is_scan = not any(map(str.isalnum, text)) or is_nonsense([line_of(row) for row in rows])
        if is_scan and languages:
            for line in Scans(languages).words(self._page):
                for word in line:
                    self._add_in_box(word.text, self._part_of_picture(word))
            return
        entries = form_entries(self._page, form)[0]
        for row in rows:
            for fragment in row:
                for start, end in fragment.places:
                    self._add(decoded(text[start:end]), range(start, end))
            beside = [entry for entry in entries if entry.is_beside(row[0].base)]
            entries = [entry for entry in entries if entry not in beside]
            self._add_entries(beside)
        self._add_entries(entries)

    def box(self, at: int) -> Box:
        """Return the box of the character at this place of `text`."""
        source = self._sources[at]
        if not isinstance(source, int):
            return source or NOWHERE
        from pypdfium2 import raw

        tight, loose = (self._text_page.get_charbox(source, loose=each) for each in (False, True))
        turned = abs(math.sin(raw.FPDFText_GetCharAngle(self._text_page.raw, source))) > 0.7
        along = (0, 2) if turned else (1, 3)  # the height of the font, so that the boxes of a line are alike
        if loose[along[1]] - loose[along[0]] <= _MOST_LOOSE * min(self._page.get_size()):
            tight = tuple(loose[side] if side in along else tight[side] for side in range(4))
        return self._part_of_page(*tight)

    def _add(self, text: str, sources: Sequence[int | Box]) -> None:
        self.text += f"{text} "
        self._sources.extend([*sources, None])

    def _add_in_box(self, text: str, box: Box) -> None:
        """Add words that share one box, each character as wide as the others."""
        left, top, right, bottom = box
        edges = [left + (right - left) * at / len(text) for at in range(len(text) + 1)]
        self._add(text, [(begin, top, end, bottom) for begin, end in pairwise(edges)])

    def _add_entries(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._add_in_box(entry.value, self._part_of_page(entry.left, entry.bottom, entry.right, entry.top))

    def _part_of_picture(self, word: Word) -> Box:
        width, height = self._page.get_size()
        right, bottom = word.left + word.width, word.top + word.height
        return word.left / width, word.top / height, right / width, bottom / height

    def _part_of_page(self, left: float, bottom: float, right: float, top: float) -> Box:
        """Return a box in points from the lower left corner as parts of the page, which may be turned and cropped."""
        from pypdfium2 import raw

        across, down = ctypes.c_int(), ctypes.c_int()
        corners: list[tuple[float, float]] = []
        for x, y in ((left, bottom), (right, top)):
            raw.FPDF_PageToDevice(self._page.raw, 0, 0, _FINE, _FINE, 0, x, y, across, down)
            corners.append((across.value / _FINE, down.value / _FINE))
        (one, other), (second, third) = corners
        edges = (min(one, second), min(other, third), max(one, second), max(other, third))
        return tuple(min(max(edge, 0.0), 1.0) for edge in edges)  # type: ignore[return-value]
