"""Tables that a PDF page shows by where things stand: cells between ruled lines, labels beside their amounts.

Programs draw such tables in any order, often column by column; here each row comes together by its place on the page.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from indexer.readers.raised import power

CELL_GAP = 1.3
"""Ems of white between two words that make them cells of a table; justified text stays below one."""
_MARK_SIZE = 0.85
"""Most size of a raised number, in that of the words before it."""
_SPACE = 0.15
"""Ems of white that are a space."""
_MAX_PATHS = 3_000
_MAX_SEGMENTS = 20_000
"""A page with more is a drawing."""
_TOUCHING = 3.0
"""Points between two ruled lines that are one, or that meet."""
_MIN_LENGTH = 6.0
_MIN_HEIGHT = 8.0
"""Points from one line to the next where there is a row between; lines under words are closer."""
_MIN_FILLED = 0.5
"""Share of the cells of a ruled table that hold something, at least; a plot's grid is empty."""
_MAX_CELL = 1_000
_SPANNING = 0.4
"""Share of a table's width or height that a border of its rows or columns reaches over, at least."""
_SAME_PLACE = 4.0
_SAME_BASE = 3.0
_MIN_ROWS = 3
_MATCHED = 0.8
"""Share of the labels that stand beside something in the next column, at least."""
_BULLET = re.compile(r"\s*(?:[•◦▪‣·*–—-]|\(?\d{1,3}[.)])\s")
_LABEL_WORDS = 3.5
"""Words of a label or an amount, in the mean, at most; a line of prose has more."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """Words that stand together; places in points from the left and the bottom of the page."""

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool = False
    mark: str = ""
    """The small raised number before the words: of a note, or a power of what stands before."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A ruled line along one axis: at `place` of the other axis, from `start` to `end`."""

    place: float
    start: float
    end: float


Row = Sequence[Fragment]
"""The fragments of a printed line, from left to right."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The borders of a ruled table: `columns` from left to right, `rows` from top to bottom."""

    columns: tuple[float, ...]
    rows: tuple[float, ...]

    def holds(self, fragment: Fragment) -> bool:
        """Tell a fragment that begins inside of the table."""
        is_beside = self.columns[0] - _TOUCHING <= fragment.left < self.columns[-1]
        return is_beside and self.rows[-1] - _TOUCHING <= fragment.base < self.rows[0]

    def cell(self, fragment: Fragment) -> tuple[int, int]:
        """Return row and column of a fragment that the table holds."""
        middle = fragment.base + fragment.size / 3
        row = sum(middle < border for border in self.rows[1:-1])
        column = sum(fragment.left + _TOUCHING >= border for border in self.columns[1:-1])
        return row, column


def rules_of(page: Any) -> tuple[list[Rule], list[Rule]]:
    """Return the horizontal and the vertical lines of a pypdfium2 page; none of a page that is a drawing."""
    from pypdfium2 import raw

    across: list[Rule] = []
    down: list[Rule] = []
    count = 0
    for number, drawing in enumerate(page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3)):
        points = list(_points(drawing))
        count += len(points)
        if number >= _MAX_PATHS or count > _MAX_SEGMENTS:
            return [], []
        for (x, y, _), (to_x, to_y, draws) in pairwise(points):
            if not draws:
                continue
            if abs(y - to_y) < 1 and abs(x - to_x) > _MIN_LENGTH:
                across.append(Rule(y, min(x, to_x), max(x, to_x)))
            elif abs(x - to_x) < 1 and abs(y - to_y) > _MIN_LENGTH:
                down.append(Rule(x, min(y, to_y), max(y, to_y)))
    return across, down


def _points(drawing: Any) -> Iterator[tuple[float, float, bool]]:
    """Yield the points of a path on the page, each with whether a straight line leads to it."""
    from pypdfium2 import raw

    matrix = drawing.get_matrix()
    x, y = ctypes.c_float(), ctypes.c_float()
    begin: tuple[float, float] | None = None
    for number in range(min(raw.FPDFPath_CountSegments(drawing.raw), _MAX_SEGMENTS)):
        segment = raw.FPDFPath_GetPathSegment(drawing.raw, number)
        if not segment or not raw.FPDFPathSegment_GetPoint(segment, x, y):
            continue
        kind = raw.FPDFPathSegment_GetType(segment)
        place = matrix.on_point(x.value, y.value)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            begin = place
        yield *place, kind == raw.FPDF_SEGMENT_LINETO
        if begin is not None and raw.FPDFPathSegment_GetClose(segment):
            yield *begin, True


def grids_of(across: Sequence[Rule], down: Sequence[Rule]) -> list[Grid]:
    """Return the tables that lines enclose: those with two rows and two columns at least."""
    found: list[Grid] = []
    for lines, borders in _groups(across, down):
        width = max(line.end for line in lines) - min(line.start for line in lines)
        height = max(border.end for border in borders) - min(border.start for border in borders)
        rows = _places(lines, _SPANNING * width)
        columns = _places(borders, _SPANNING * height)
        are_cells = all(above - below > _MIN_HEIGHT for below, above in pairwise(rows))
        if len(rows) > 2 and len(columns) > 2 and are_cells:
            found.append(Grid(tuple(columns), tuple(reversed(rows))))
    return found


def _groups(across: Sequence[Rule], down: Sequence[Rule]) -> Iterator[tuple[list[Rule], list[Rule]]]:
    """Yield the lines that belong together: those in a stretch of the page where vertical lines leave no gap."""
    bands: list[list[float]] = []
    for border in sorted(down, key=lambda rule: rule.start):
        if bands and border.start <= bands[-1][1] + _TOUCHING:
            bands[-1][1] = max(bands[-1][1], border.end)
        else:
            bands.append([border.start, border.end])
    for low, high in bands:
        borders = [rule for rule in down if low - _TOUCHING <= rule.start and rule.end <= high + _TOUCHING]
        lines = [rule for rule in across if low - _TOUCHING <= rule.place <= high + _TOUCHING]
        if lines and borders:
            yield lines, borders


def _places(rules: Sequence[Rule], length: float) -> list[float]:
    """Return where lines stand that together reach over `length`, those that nearly meet taken as one."""
    places: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda rule: rule.place):
        if places and rule.place - places[-1][-1].place <= _TOUCHING:
            places[-1].append(rule)
        else:
            places.append([rule])
    return [one[0].place for one in places if sum(rule.end - rule.start for rule in one) >= length]


def in_rows(rows: Sequence[Row], grids: Sequence[Grid]) -> list[Row]:
    """Return the rows with those of ruled tables put together; a table stands where its first words were drawn."""
    told: list[Row] = []
    held: dict[Grid, list[Fragment]] = {grid: [] for grid in grids}
    places: dict[int, Grid] = {}
    for row in rows:
        outside: list[Fragment] = []
        for fragment in row:
            grid = next((grid for grid in grids if grid.holds(fragment)), None)
            if grid is None:
                outside.append(fragment)
                continue
            if not held[grid]:
                places[len(told)] = grid
                told.append(())
            held[grid].append(fragment)
        if outside:
            told.append(outside)
    return [
        row
        for place, kept in enumerate(told)
        for row in (_table(places[place], held[places[place]]) if place in places else [kept])
    ]


def _table(grid: Grid, fragments: Sequence[Fragment]) -> list[Row]:
    """Return the rows of a ruled table; the fragments as they came where it is none after all."""
    cells: dict[tuple[int, int], list[Fragment]] = {}
    for fragment in fragments:
        cells.setdefault(grid.cell(fragment), []).append(fragment)
    texts = {
        place: " ".join(each.text.strip() for each in sorted(inside, key=lambda each: (-round(each.base), each.left)))
        for place, inside in cells.items()
    }
    width, height = len(grid.columns) - 1, len(grid.rows) - 1
    is_table = (
        len(cells) >= _MIN_FILLED * width * height
        and len({column for _, column in cells}) > 1
        and len({row for row, _ in cells}) > 1
        and max(map(len, texts.values())) <= _MAX_CELL
    )
    if not is_table:
        return [[fragment] for fragment in fragments]
    rows: list[Row] = []
    for row in sorted({row for row, _ in cells}):
        first = next(cells[row, column][0] for column in range(width) if (row, column) in cells)
        rows.append(
            [
                replace(
                    first, text=texts.get((row, column), ""), left=grid.columns[column], right=grid.columns[column + 1]
                )
                for column in range(width)
            ]
        )
    return rows


def on_one_line(rows: Sequence[Row]) -> list[Row]:
    """Return the rows, those joined that were drawn one after the other on one line, from left to right.

    The mark of a note between them is left out.
    """
    told: list[Row] = []
    for row in rows:
        before = told[-1][-1] if told else None
        if before and _is_mark(before, row):
            words = f"{before.text.rstrip()}{power(before.text.rstrip(), row[0].text.strip())}"
            told[-1] = [*told[-1][:-1], replace(before, text=words, right=row[0].right)]
            continue
        gap = row[0].left - before.right if before and abs(before.base - row[0].base) <= 1 else -1.0
        if not before or gap <= 0:
            told.append(row)
        elif gap > CELL_GAP * row[0].size:
            told[-1] = [*told[-1], *row]
        else:
            space = " " if gap > _SPACE * row[0].size else ""
            raised = power(before.text.rstrip(), row[0].mark) if row[0].mark else ""
            space = " " if row[0].mark and row[0].text[:1].isalnum() else space
            words = f"{before.text.rstrip()}{raised}{space}{row[0].text.lstrip()}"
            told[-1] = [*told[-1][:-1], replace(before, text=words, right=row[0].right), *row[1:]]
    return told


def _is_mark(before: Fragment, row: Row) -> bool:
    """Tell a small raised number alone, close behind the words before it."""
    mark = row[0]
    is_small = len(row) == 1 and mark.text.strip().isdigit() and mark.size < _MARK_SIZE * before.size
    return is_small and 0 < mark.base - before.base < before.size and 0 <= mark.left - before.right < before.size / 2


def beside_labels(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with columns that were drawn one after the other put side by side: labels and their amounts.

    Columns of prose stay as they are: one of the two has short entries, and most labels stand beside an entry.
    """
    told: list[Row] = []
    for column in _columns(rows):
        above = told[len(told) - _height(told) :] if told else []
        if above and _stand_beside(above, column):
            del told[len(told) - len(above) :]
            told.extend(_side_by_side(above, column))
        else:
            told.extend(column)
    return told


def _columns(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield runs of single fragments, one below the other from the same place on; other rows each for itself."""
    pending: list[Row] = []
    for row in rows:
        goes_on = (
            pending
            and len(row) == 1
            and abs(row[0].left - pending[-1][0].left) <= _SAME_PLACE
            and row[0].base < pending[-1][0].base - 1
        )
        if pending and not goes_on:
            yield pending
            pending = []
        if len(row) == 1:
            pending.append(row)
        else:
            yield [row]
    if pending:
        yield pending


def _height(rows: Sequence[Row]) -> int:
    """Return how many of the last rows begin at one place, one below the other."""
    count = 1
    while count < len(rows):
        below, above = rows[-count][0], rows[-count - 1][0]
        if abs(below.left - above.left) > _SAME_PLACE or below.base >= above.base - 1:
            break
        count += 1
    return count


def _stand_beside(above: Sequence[Row], column: Sequence[Row]) -> bool:
    labels = [row for row in above if _beside(row, column)]
    if len(labels) < _MIN_ROWS or any(row[-1].right > column[0][0].left for row in above):
        return False
    if all(_BULLET.match(row[0].text) for row in (*labels, *column)):
        return False  # two lists
    beside = [other for other in column if _beside(other, above)]
    entries = sum(not row[0].text[:1].islower() for row in (*labels, *beside))  # a wrapped line goes on in lower case
    if len(labels) < _MATCHED * len(above) or entries < _MATCHED * (len(labels) + len(beside)):
        return False
    return min(_words([row[0] for row in above]), _words([row[0] for row in column])) <= _LABEL_WORDS


def _beside(row: Row, column: Sequence[Row]) -> bool:
    return any(abs(row[0].base - other[0].base) <= _SAME_BASE for other in column)


def _words(fragments: Sequence[Fragment]) -> float:
    return sum(len(fragment.text.split()) for fragment in fragments) / len(fragments)


def _side_by_side(above: Sequence[Row], column: Sequence[Row]) -> list[Row]:
    """Return the rows from top to bottom, those on one line joined."""
    told: list[Row] = []
    for row in sorted([*above, *column], key=lambda row: (-round(row[0].base / _SAME_BASE), row[0].left)):
        if told and abs(told[-1][0].base - row[0].base) <= _SAME_BASE:
            told[-1] = [*told[-1], *row]
        else:
            told.append(row)
    return told
