"""Rows of a sheet or file taken apart into tables: titles above, which row names the columns, what stands side by side.

Knows cells as texts only. Looks ahead over a few rows and never holds a whole sheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice, pairwise

from indexer.readers.rows import header_of, is_header, is_number, row_text
from indexer.types import Block

_LOOKED_AHEAD = 50
_MAX_TITLE = 120
_MAX_TITLES = 12
_MIN_COLUMNS = 2
_UNIT_NOTE = re.compile(
    r"\b(?:all|amounts?|budget|costs?|figures?|prices?|sums?|values?) (?:\w+ ){0,3}(?:in|are|incl\.?)\b", re.I
)
_MIN_NOTE_WORDS = 3
_MAX_GROUP = 40
"""Characters of the name of a group of columns; a longer one explains."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row as texts; `line` is its number in the file or sheet."""

    cells: Sequence[str]
    line: int
    is_bold: bool = False
    """Whether all that is written in it is in bold print."""

    @property
    def filled(self) -> int:
        """Return how many cells hold something."""
        return sum(1 for cell in self.cells if cell.strip())


@dataclass(slots=True)
class _Table:
    """The columns [start, end) of the rows under way, and their names."""

    start: int
    end: int
    header: list[str] = field(default_factory=list)


def table_blocks(rows: Iterable[Row], page: int | None = None) -> Iterator[Block]:
    """Yield a row block for each row, its cells told with their headers, and a heading for each table's title.

    A blank row ends a table where what follows has a header of its own; empty columns part tables that stand side by
    side. A row alone in its table and rows before the header are told bare.
    """
    tables: list[_Table] = []
    waiting: list[Row] = []  # rows of a single cell, which may be the titles of what follows
    for run in _runs(rows):
        head = list(islice(run, _LOOKED_AHEAD))
        titles = _title_rows(head)
        head = head[len(titles) :]
        waiting.extend(titles)
        if not head and len(waiting) <= _MAX_TITLES:
            continue
        begins = bool(head) and (not tables or _begins(head, tables))
        for title in waiting:
            yield from [_title(title, page)] if begins else _told(title, tables, page)
        waiting = []
        if begins:
            count = _bands(head)
            bands, head = head[:count], head[count:]
            for band in bands:
                if not _groups(band, head[0]):
                    yield from _told(band, [], page)
            for band in bands[::-1]:
                if _groups(band, head[0]):
                    head = [replace(head[0], cells=_grouped(head[0].cells, band.cells)), *head[1:]]
            tables = _tables(head)
            named = [table for table in tables if table.header]
            for table in named:
                names = head[0].cells[table.start : table.end]
                yield from (Block(note, "row", page=page, line=head[0].line) for note in names if _is_unit_note(note))
            head = head[1:] if named else head
        for row in chain(head, run):
            yield from _told(row, tables, page)
    for row in waiting:
        yield from _told(row, tables, page)


def _runs(rows: Iterable[Row]) -> Iterator[Iterator[Row]]:
    """Yield the rows between blank ones; each run must be used up before the next."""
    source = iter(rows)
    returned: list[Row] = []
    while (row := returned.pop() if returned else next(source, None)) is not None:
        if row.filled:
            yield _run(row, source, returned)


def _run(first: Row, source: Iterator[Row], returned: list[Row]) -> Iterator[Row]:
    """Yield the rows up to a blank one; blank rows between names of columns and the values below end nothing.

    A row that was looked at and belongs to the next run goes to `returned`.
    """
    yield first
    row = next(source, None)
    if row is not None and not row.filled and first.filled >= _MIN_COLUMNS:
        row = next((below for below in source if below.filled), None)
        if row is not None and not (is_header(first.cells, row.cells) and any(map(is_number, row.cells))):
            returned.append(row)
            return
    while row is not None and row.filled:
        yield row
        row = next(source, None)


def _title_rows(head: Sequence[Row]) -> Sequence[Row]:
    """Return the rows of a single cell at the head of the others; a list of one column is no title."""
    count = 0
    while count < len(head) and head[count].filled == 1:
        count += 1
    return head[:count] if count <= _MAX_TITLES else head[:0]


def _bands(head: Sequence[Row]) -> int:
    """Return how many rows above the header name groups of its columns: fewer cells, or no names."""
    count = 0
    while count + 2 < len(head):
        above, header, below = head[count : count + 3]
        start = _start(header)
        are_alike = above.filled == header.filled and is_header(above.cells[start:], header.cells[start:])
        if above.filled > header.filled or are_alike or (above.is_bold and not header.is_bold):
            return count
        if not is_header(header.cells[start:], below.cells[start:]):
            return count
        count += 1
    return count


def _start(row: Row) -> int:
    return next(place for place, cell in enumerate(row.cells) if cell.strip())


def _title(row: Row, page: int | None) -> Block:
    text = row_text([], row.cells)
    if len(text) <= _MAX_TITLE and not text.endswith((".", ":", ";")) and not text.startswith("#"):
        return Block(text, "heading", 2, page, row.line)
    return Block(text, "row", page=page, line=row.line)


def _begins(head: Sequence[Row], tables: Sequence[_Table]) -> bool:
    """Tell a new table below a blank row from one that goes on: its first row names columns for sure."""
    if len(head) < 2 or head[0].filled < _MIN_COLUMNS:
        return False
    first, second = head[0], head[1]
    start, end = _extent(head)
    if not any(table.header for table in tables):
        return True
    if not is_header(first.cells[start:end], second.cells[start:end]):
        return False
    pairs = zip(first.cells[start:end], second.cells[start:end], strict=False)
    typed = any(name.strip() and not is_number(name) and is_number(value) for name, value in pairs)
    elsewhere = (start, end) != (min(table.start for table in tables), max(table.end for table in tables))
    return typed or elsewhere or (first.is_bold and not second.is_bold)


def _extent(head: Sequence[Row]) -> tuple[int, int]:
    """Return the columns [start, end) that hold anything."""
    filled = [place for row in head for place, cell in enumerate(row.cells) if cell.strip()]
    return min(filled), max(filled) + 1


def _tables(head: Sequence[Row]) -> list[_Table]:
    """Return the tables that begin with these rows, from left to right; one where there is no telling them apart."""
    start, end = _extent(head)
    used = {place for row in head for place, cell in enumerate(row.cells) if cell.strip()}
    empty = [place for place in range(start, end) if place not in used]
    borders = [start, *(place + 1 for place, after in pairwise([*empty, end + 1]) if after != place + 1), end]
    parts = [_Table(first, last) for first, last in pairwise(borders) if last > first]
    if len(parts) > 1 and all(_stands_alone(part, head) for part in parts):
        for part in parts:
            part.header = _names(part, head)
        return parts
    whole = _Table(start, end)
    whole.header = _names(whole, head) if len(head) > 1 else []
    return [whole]


def _stands_alone(part: _Table, head: Sequence[Row]) -> bool:
    """Tell a table beside another: two named columns or more, the first of them with words in it."""
    names = [cell for cell in head[0].cells[part.start : part.end] if cell.strip()]
    keys = [row.cells[part.start] for row in head[1:] if part.start < len(row.cells) and row.cells[part.start].strip()]
    has_keys = bool(keys) and not all(map(is_number, keys))
    return len(names) >= _MIN_COLUMNS and has_keys and bool(_names(part, head))


def _names(table: _Table, head: Sequence[Row]) -> list[str]:
    first, *others = head
    names = first.cells[table.start : table.end]
    below = next((row.cells[table.start : table.end] for row in others if any(row.cells[table.start : table.end])), ())
    return header_of(["" if _is_unit_note(name) else name for name in names]) if is_header(names, below) else []


def _groups(band: Row, header: Row) -> bool:
    """Tell a row that names groups of the columns below ("2023" over "sold" and "left") from other rows above a header.

    What stands over the first column belongs to it alone.
    """
    first = min(_start(band), _start(header))
    above, name = (row.cells[first].strip() if first < len(row.cells) else "" for row in (band, header))
    are_short = all(len(cell) <= _MAX_GROUP for cell in band.cells)
    return are_short and (above in ("", name) or not name)


def _grouped(names: Sequence[str], band: Sequence[str]) -> list[str]:
    """Return the names of the columns, each with that of its group before it.

    A group reaches to the next one or to a column without names; the last at most as far as the one before it.
    """
    padded = [*band, *[""] * (len(names) - len(band))]
    bare, texts = ([" ".join(cell.split()) for cell in cells] for cells in (names, padded))
    starts = [place for place, name in enumerate(bare) if name and texts[place] not in ("", name)]
    width = starts[1] - starts[0] if len(starts) > 1 else len(names)
    told = [name or text for name, text in zip(bare, texts, strict=False)]
    for start in starts:
        for place in range(start, min(start + width, len(names))):
            if not bare[place] or (place > start and texts[place]):
                break
            told[place] = f"{texts[start]} {bare[place]}"
    return told


def _is_unit_note(name: str) -> bool:
    """Tell a note on all values ("all amounts in USD") that stands where a column has its name."""
    return bool(_UNIT_NOTE.search(name)) and len(name.split()) >= _MIN_NOTE_WORDS


def _is_note(row: Row, header: Sequence[str], page: int | None) -> bool:
    """Tell a line below a table or between its rows: a single cell; a sheet, which has a page, pads rows."""
    is_single = len(row.cells) == 1 or (page is not None and len(header) > _MIN_COLUMNS)
    return row.filled == 1 and len(header) >= _MIN_COLUMNS and is_single and bool(row.cells[0].strip())


def _told(row: Row, tables: Sequence[_Table], page: int | None) -> Iterator[Block]:
    parts = tables if len(tables) > 1 else [_Table(0, len(row.cells))]
    for part in parts:
        header = part.header if len(tables) > 1 else [""] * tables[0].start + tables[0].header if tables else []
        cells = row.cells[part.start : part.end]
        text = row_text([] if _is_note(row, header, page) else header, cells)
        if text:
            yield Block(text, "row", page=page, line=row.line)
    beyond = row.cells[tables[-1].end :] if len(tables) > 1 else ()
    if any(cell.strip() for cell in beyond):
        yield Block(row_text([], beyond), "row", page=page, line=row.line)
