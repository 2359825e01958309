"""What the print of a PDF page says about its text: sizes make headings, gaps paragraphs, wide spaces tables.

Knows the lines of one document and where they stand; opens nothing and removes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Any

from indexer.readers.pdf_tables import Line, Table
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
_RAISED_SIZE = 0.85
"""Most size of a raised digit, in that of the digit before it."""
_LABELLED = re.compile(r"\s*[^\W\d_][^:|.!?\n]{0,40}: +\S")
_MAX_LABELLED = 100


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
    lefts = [page.get_charbox(first, loose=True)[0]]
    for space in re.finditer(r"(?<=\S) +(?=\S)", text[:500]):
        before = page.get_charbox(place + space.start() - 1)
        after = page.get_charbox(place + space.end())
        if after[0] - before[2] > _CELL_GAP * size:
            cells.append(_with_powers(page, text[begin : space.start()], place + begin))
            begin = space.end()
            lefts.append(after[0])
    cells.append(_with_powers(page, text[begin:], place + begin))
    bold = raw.FPDFText_GetFontWeight(page.raw, first) >= _BOLD
    return Line(" | ".join(cell.strip() for cell in cells), round(size, 1), bold, bottom, tuple(lefts))


def _with_powers(page: Any, text: str, place: int) -> str:
    """Return `text` with a "^" before digits that are printed small and raised after others: 10^6 is not 106."""
    from pypdfium2 import raw

    pieces, done = [], 0
    for run in re.finditer(r"\d{2,6}", text):
        sizes = [raw.FPDFText_GetFontSize(page.raw, place + at) for at in range(*run.span())]
        small = next((at for at, size in enumerate(sizes) if size < _RAISED_SIZE * sizes[0]), 0)
        if not small:
            continue
        at = run.start() + small
        base, raised = (page.get_charbox(place + each)[1] for each in (run.start(), at))
        if raised > base + 0.1 * sizes[0]:
            pieces += [text[done:at], "^"]
            done = at
    return "".join([*pieces, text[done:]])


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
        lines = _with_labels(lines)
        pending: list[str] = []
        table = Table()
        last = Line("")
        for line in lines:
            is_row = " | " in line.text and not line.is_row
            level = (marks.pop(key(line.text), 0) if marks else 0) or (
                0 if is_row else levels.get(_style(line, body), 0)
            )
            if table.goes_on(line, usual, last):
                table.go_on(line)
                last = line
                continue
            if table.rows and not is_row:
                yield from table.blocks(number)
                table = Table()
            if pending and (is_row or level):
                yield from _run(pending, number)
                pending = []
            if line.is_row:
                yield from _run(pending, number)
                pending = []
                yield Block(line.text.strip(), "row", page=number + 1)
            elif level:
                yield Block(line.text.strip() + "\n", "heading", level, number + 1)
            elif is_row:
                table.add(line)
            else:
                if _parts(last, line, usual):
                    pending.append("")
                pending.append(line.text)
            last = line
        yield from table.blocks(number)
        yield from _run(pending, number)


def _with_labels(lines: Sequence[Line]) -> list[Line]:
    """Return the lines, those marked as rows that are a label and its value among others of the kind."""
    labelled = [bool(_LABELLED.match(line.text)) and len(line.text) <= _MAX_LABELLED for line in lines]
    beside = [False, *labelled, False]
    return [
        replace(line, is_row=True) if is_labelled and (beside[place] or beside[place + 2]) else line
        for place, (line, is_labelled) in enumerate(zip(lines, labelled, strict=True))
    ]


def key(title: str) -> str:
    """Return a title's letters and digits alone, to compare a bookmark with a line."""
    return "".join(filter(str.isalnum, title)).lower()


def _run(lines: Sequence[str], number: int) -> Iterator[Block]:
    if any(map(str.strip, lines)):
        yield Block("\n".join(lines) + "\n", page=number + 1)


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
