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

from indexer.readers.pdf_grids import CELL_GAP, Fragment, Row, beside_labels, on_one_line
from indexer.readers.pdf_ruled import Grid, grids_of, in_rows, rules_of
from indexer.readers.pdf_tables import Line, Table
from indexer.readers.raised import power
from indexer.types import Block

_BOLD = 600
"""Font weight from which on a line counts as bold; 400 is normal."""
_PARAGRAPH_GAP = 1.22
"""Distance of two lines, in the page's usual distance, that separates paragraphs."""
_LARGER = 1.12
"""Size of a heading, in that of the running text."""
_MAX_HEADING = 150
_RAISED_SIZE = 0.85
"""Most size of a raised digit, in that of the digit before it."""
_RAISED = re.compile(r"(?<=[^\s\d])\d{1,3}(?:, ?\d{1,2}){0,5}(?![\w.,]*\d)|\d{2,6}")
"""Digits that may be raised: behind a word, or the end of a number."""
_SHIFTED = re.compile(r"[!-~\x03-\x1f]*[\x03-\x08\x0b\x0c\x0e-\x1f][!-~\x03-\x1f]*")
_MIN_LETTERS = 200
_FEWEST_VOWELS, _MOST_VOWELS = 0.18, 0.7
"""Of a text in Latin letters some 0.4 are vowels, in every language."""
_LABELLED = re.compile(r"\s*[^\W\d_][^:|.!?\n]{0,40}: +\S")
_MAX_LABELLED = 100


def printed_lines(page: Any, text_page: Any) -> list[Line]:
    """Return the lines of a pypdfium2 page; cells of a table row are set apart by " | "."""
    return [line_of(row) for row in printed_rows(page, text_page, characters_of(text_page))]


def printed_rows(page: Any, text_page: Any, text: str) -> list[Row]:
    """Return the same lines as fragments, each with the places of its characters in `text`, which is the page's."""
    grids = grids_of(*rules_of(page))
    printed = re.finditer(r"[^\r\n]*[^\r\n ][^\r\n]*", text)
    rows = [_fragments(text_page, found[0], found.start(), grids) for found in printed]
    return beside_labels(on_one_line(in_rows(rows, grids)))


def characters_of(text_page: Any) -> str:
    """Return the characters of a page, each at the place that pdfium counts it at."""
    from pypdfium2 import raw

    text: str = text_page.get_text_range()
    count = text_page.count_chars()
    if len(text) != count:  # pdfium leaves out some that it has places for, as spaces of a font without a table
        codes = (raw.FPDFText_GetUnicode(text_page.raw, place) for place in range(count))
        text = "".join("\ufffd" if 0xD800 <= code < 0xE000 or code > 0x10FFFF else chr(code or 32) for code in codes)
    # pdfium marks a hyphen which it takes for that of a broken word by a character of its own.
    return text.replace("\ufffe", "\u00ad").replace("\x02", "\u00ad")


def line_of(row: Row) -> Line:
    """Return a printed line; its fragments are cells."""
    first = row[0]
    text = " | ".join(f"{fragment.mark} {fragment.text.strip()}".strip() for fragment in row)
    lefts = tuple(fragment.left for fragment in row)
    return Line(text, first.size, first.bold, first.base, lefts, begins=bool(first.mark))


def _fragments(page: Any, text: str, place: int, grids: Sequence[Grid]) -> list[Fragment]:
    """Return the pieces of a printed line between wide spaces and the borders of cells."""
    from pypdfium2 import raw

    mark = _mark_before(page, text, place)
    first = place + (mark.end() if mark else len(text) - len(text.lstrip()))
    size = raw.FPDFText_GetFontSize(page.raw, first)
    _, bottom, _, top = page.get_charbox(first, loose=True)
    # A font may be declared with size 1 and scaled by a matrix; the box tells the size it has in print.
    size = size if size > 2 else top - bottom
    bold = raw.FPDFText_GetFontWeight(page.raw, first) >= _BOLD
    beside = [border for grid in grids if grid.rows[-1] <= bottom <= grid.rows[0] for border in grid.columns]
    found: list[Fragment] = []
    begin, left = first - place, page.get_charbox(first, loose=True)[0]

    def end(until: int, right: float) -> None:
        words = _with_powers(page, text[begin:until], place + begin)
        number = mark[1] if mark and not found else ""
        places = ((place + begin if found else place, place + until),)
        # Beside a cell over several rows, words of two heights are taken for one line.
        base = page.get_charbox(place + begin, loose=True)[1] if found and beside else bottom
        found.append(Fragment(words, left, right, base, round(size, 1), bold, number, places))

    for space in re.compile(r"(?<=\S) +(?=\S)").finditer(text, begin, begin + 500):
        before = page.get_charbox(place + space.start() - 1)[2]
        after = page.get_charbox(place + space.end())[0]
        if after - before > CELL_GAP * size or any(before <= border <= after for border in beside):
            end(space.start(), before)
            begin, left = space.end(), after
    end(len(text), page.get_charbox(place + len(text.rstrip()) - 1)[2])
    return found


def _mark_before(page: Any, text: str, place: int) -> re.Match[str] | None:
    """Return the small raised number that a line begins with, None for none."""
    found = re.match(r"\s*(\d{1,3}) *(?=\S)", text)
    if not found:
        return None
    number, after = place + found.start(1), place + found.end()
    sizes = [page.get_charbox(at, loose=True)[3] - page.get_charbox(at, loose=True)[1] for at in (number, after)]
    bottoms = [page.get_charbox(at, loose=True)[1] for at in (number, after)]
    return found if sizes[0] < _RAISED_SIZE * sizes[1] and bottoms[0] > bottoms[1] + 0.1 * sizes[1] else None


def has_shifted_letters(text: str) -> bool:
    """Tell a text with letters that are told only by their place in a font."""
    return _SHIFTED.search(text) is not None


def is_nonsense(lines: Sequence[Line]) -> bool:
    """Tell letters that make no words, as a font with a wrong table of characters gives: hardly any or only vowels."""
    letters = [each for line in lines for each in line.text if each.isalpha()]
    if len(letters) < _MIN_LETTERS or sum(map(str.isascii, letters)) < 0.8 * len(letters):
        return False
    vowels = sum(each in "aeiouyAEIOUY" for each in letters)
    return not _FEWEST_VOWELS < vowels / len(letters) < _MOST_VOWELS


def _with_powers(page: Any, text: str, place: int) -> str:
    """Return `text` with what its small raised digits stand for (10^6, m², nothing for the mark of a note).

    Letters of a font without a table of characters are told as what they are.
    """
    pieces, done = [], 0
    for run in _RAISED.finditer(text):
        begin = run.start() if not text[run.start() - 1 : run.start()].strip(" ") else run.start() - 1
        small = _first_raised(page, place + begin, place + run.end())
        if not small:
            continue
        at = begin + small
        told = power(text[:at].rstrip(), text[at : run.end()])
        pieces += [text[done:at], told]
        done = run.end() + (not told and re.match(r" [,.;:)]", text[run.end() :]) is not None)
    if not done:
        return decoded(text)
    return "".join([*pieces, text[done:]])


def _first_raised(page: Any, begin: int, end: int) -> int:
    """Return how far after `begin` a character is smaller and higher than that at `begin`, 0 where none is."""
    from pypdfium2 import raw

    sizes = [raw.FPDFText_GetFontSize(page.raw, at) for at in range(begin, end)]
    small = next((at for at, size in enumerate(sizes) if size < _RAISED_SIZE * sizes[0]), 0)
    if not small:
        return 0
    base, raised = (page.get_charbox(at, loose=True)[1] for at in (begin, begin + small))
    return small if raised > base + 0.1 * sizes[0] else 0


def decoded(text: str) -> str:
    """Return the text with letters that are told only by their place in a font as what they are, of the same length."""
    return _SHIFTED.sub(lambda found: _unshifted(found[0]), text)


def _unshifted(text: str) -> str:
    """Return letters that are told by their place in a TrueType font, which is 29 below that in ASCII."""
    letters = [chr(ord(each) + 29) for each in text]
    if not all(" " <= each <= "~" for each in letters):
        return text
    return "".join(letters)


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
            if table.rows and (not is_row or table.is_parted_from(line, usual, last)):
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
                if line.begins or _parts(last, line, usual):
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
