"""What the print of a PDF page says about its text: sizes make headings, gaps paragraphs, wide spaces tables.

Knows the lines of one document and where they stand; opens nothing and removes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from indexer.types import Block

_BOLD = 600
"""Font weight from which on a line counts as bold; 400 is normal."""
_CELL_GAP = 1.3
"""Ems of white between two words that make them cells of a table; justified text stays below one."""
_PARAGRAPH_GAP = 1.22
"""Distance of two lines, in the page's usual distance, that separates paragraphs."""
_LARGER = 1.12
"""Size of a heading, in that of the running text."""
_MAX_HEADING = 150


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line; sizes and positions in points, 0 where they are not known."""

    text: str
    size: float = 0.0
    bold: bool = False
    base: float = 0.0
    """Height of the line above the bottom of the page."""


def printed_lines(page: Any) -> list[Line]:
    """Return the lines of a pypdfium2 text page; cells of a table row are set apart by " | "."""
    # pdfium marks a hyphen which it takes for that of a broken word by a character of its own.
    text: str = page.get_text_range().replace("\ufffe", "\u00ad").replace("\x02", "\u00ad")
    if len(text) != page.count_chars():  # then characters and positions do not correspond
        return [Line(line) for line in text.splitlines()]
    return [_line(page, found[0], found.start()) for found in re.finditer(r"[^\r\n]+", text)]


def _line(page: Any, text: str, place: int) -> Line:
    from pypdfium2 import raw

    first = place + len(text) - len(text.lstrip())
    if first >= place + len(text):
        return Line("")
    size = raw.FPDFText_GetFontSize(page.raw, first)
    _, bottom, _, top = page.get_charbox(first, loose=True)
    # A font may be declared with size 1 and scaled by a matrix; the box tells the size it has in print.
    size = size if size > 2 else top - bottom
    cells, begin = [], 0
    for space in re.finditer(r"(?<=\S) +(?=\S)", text[:500]):
        before = page.get_charbox(place + space.start() - 1)
        after = page.get_charbox(place + space.end())
        if after[0] - before[2] > _CELL_GAP * size:
            cells.append(text[begin : space.start()])
            begin = space.end()
    cells.append(text[begin:])
    bold = raw.FPDFText_GetFontWeight(page.raw, first) >= _BOLD
    return Line(" | ".join(cell.strip() for cell in cells), round(size, 1), bold, bottom)


def blocks_of(pages: Sequence[Sequence[Line]], bookmarks: Mapping[int, Sequence[tuple[int, str]]]) -> Iterator[Block]:
    """Yield headings, tables and runs of lines, with blank lines between paragraphs.

    Headings are the lines that a bookmark names, else those in larger or bold print. Text that the
    cleaner is still to lay out ends in a line end.
    """
    body = _body_size(pages)
    levels = {} if bookmarks else _levels(pages, body)
    for number, lines in enumerate(pages):
        marks = {key(title): level for level, title in bookmarks.get(number, ())}
        usual = _usual_gap(lines)
        pending: list[str] = []
        table: list[str] = []
        last = Line("")
        for line in lines:
            is_row = " | " in line.text
            level = (marks.pop(key(line.text), 0) if marks else 0) or (
                0 if is_row else levels.get(_style(line, body), 0)
            )
            if table and not is_row:
                yield from _table(table, number)
                table = []
            if pending and (is_row or level):
                yield from _run(pending, number)
                pending = []
            if level:
                yield Block(line.text.strip() + "\n", "heading", level, number + 1)
            elif is_row:
                table.append(line.text)
            else:
                if _parts(last, line, usual):
                    pending.append("")
                pending.append(line.text)
            last = line
        yield from _table(table, number)
        yield from _run(pending, number)


def key(title: str) -> str:
    """Return a title's letters and digits alone, to compare a bookmark with a line."""
    return "".join(filter(str.isalnum, title)).lower()


def _run(lines: Sequence[str], number: int) -> Iterator[Block]:
    if any(map(str.strip, lines)):
        yield Block("\n".join(lines) + "\n", page=number + 1)


def _table(rows: Sequence[str], number: int) -> Iterator[Block]:
    """Yield rows as a table; a single row is more likely a line with a wide gap in it."""
    if len(rows) > 1:
        yield Block("\n".join(rows), "table", page=number + 1)
    elif rows:
        yield Block(rows[0].replace(" | ", " ") + "\n", page=number + 1)


def _parts(above: Line, below: Line, usual: float) -> bool:
    if not above.size or not below.size:
        return False
    distance = above.base - below.base
    return distance < 0 or distance > _PARAGRAPH_GAP * usual or abs(above.size - below.size) > 0.1 * above.size


def _usual_gap(lines: Sequence[Line]) -> float:
    gaps = [above.base - below.base for above, below in pairwise(lines)]
    return median([gap for gap in gaps if gap > 0] or [0.0])


def _body_size(pages: Sequence[Sequence[Line]]) -> float:
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _style(line: Line, body: float) -> tuple[float, bool] | None:
    """Return how a line that may be a heading is printed, None for one that is not."""
    text = line.text.strip()
    if not body or not line.size or not 1 < len(text) <= _MAX_HEADING or not any(map(str.isalpha, text)):
        return None
    if line.size >= _LARGER * body:
        return line.size, False
    is_title = line.bold and line.size >= 0.98 * body and len(text) <= 100 and text[-1] not in ".,;:"
    return (body, True) if is_title else None


def _levels(pages: Sequence[Sequence[Line]], body: float) -> dict[tuple[float, bool] | None, int]:
    """Return the level of each way to print a heading, the largest first; none where most of the text is so."""
    prints = Counter(how for lines in pages for line in lines if (how := _style(line, body)))
    total = sum(map(len, pages))
    ranked = sorted((how for how, count in prints.items() if count <= 0.3 * total), reverse=True)
    return {how: min(level, 6) for level, how in enumerate(ranked, 1)}
