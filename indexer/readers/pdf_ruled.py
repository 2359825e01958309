"""Tables that a PDF page shows by ruled lines: which fragments stand in which cell, whatever order they were drawn in.

A cell that reaches over several rows or columns, since the line between them is missing, is told in each of them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median_low
from typing import Any

from indexer.readers.pdf_grids import CELL_GAP, SAME_BASE, Fragment, Row

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
_MIN_DRAWN = 0.6
"""Share of a cell's side along which a line is drawn, at least."""
_MAX_LINE_GAP = 1.7
"""Most distance of two lines within a cell, in the size of their print."""
_SPANNING = 0.4
"""Share of a table's width or height that a border of its rows or columns reaches over, at least."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A ruled line along one axis: at `place` of the other axis, from `start` to `end`."""

    place: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Grid:
    """The borders of a ruled table: `columns` from left to right, `rows` from top to bottom."""

    columns: tuple[float, ...]
    rows: tuple[float, ...]
    across: tuple[Rule, ...] = field(default=(), compare=False)
    down: tuple[Rule, ...] = field(default=(), compare=False)
    """All the lines that it is drawn with."""

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
            found.append(Grid(tuple(columns), tuple(reversed(rows)), tuple(lines), tuple(borders)))
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
    stand: dict[tuple[int, int], list[Fragment]] = {}
    for fragment in fragments:
        stand.setdefault(grid.cell(fragment), []).append(fragment)
    cells = _with_merged(grid, stand)
    width, height = len(grid.columns) - 1, len(grid.rows) - 1
    is_table = (
        len(cells) >= _MIN_FILLED * width * height
        and len({column for _, column in cells}) > 1
        and len({row for row, _ in cells}) > 1
        and max(len(cell.text) for cell in cells.values()) <= _MAX_CELL
    )
    if not is_table:
        return [[fragment] for fragment in fragments]
    rows: list[Row] = []
    for row in sorted({row for row, _ in stand}):
        inside = [stand[row, column][0] for column in range(width) if (row, column) in stand]
        first, base = inside[0], median_low([each.base for each in inside])  # a merged cell's words may stand between
        empty = replace(first, text="", mark="", places=())
        rows.append(
            [
                replace(
                    cells.get((row, column), empty),
                    left=grid.columns[column],
                    right=grid.columns[column + 1],
                    base=base,
                )
                for column in range(width)
            ]
        )
    return rows


def _with_merged(grid: Grid, stand: Mapping[tuple[int, int], Sequence[Fragment]]) -> dict[tuple[int, int], Fragment]:
    """Return what each cell says; what stands in a merged one is said by each of its cells, but once if it fills rows.

    Between the cells of a merged one no line is drawn. Words in columns, or one line to a row, are still cells of their
    own.
    """
    told = {place: _cell(inside) for place, inside in stand.items()}
    width = len(grid.columns) - 1
    for area in _areas(grid):
        inside = [(place, fragment) for place in area for fragment in stand.get(place, ())]
        others = [each for place, found in stand.items() if place not in area for each in found]
        height = len({row for row, _ in area})
        if not inside or not _is_one_cell(inside, others, height):
            continue
        whole = _cell([fragment for _, fragment in inside])
        fills_rows = len({column for _, column in area}) == width
        first = min(place[0] for place, _ in inside), 0
        for row, column in area:
            if not fills_rows or (row, column) == first:
                told[row, column] = whole
            else:
                told.pop((row, column), None)
    return told


def _cell(inside: Sequence[Fragment]) -> Fragment:
    """Return the words of a cell, line by line, as one fragment."""
    lines = sorted(inside, key=lambda each: (-round(each.base), each.left))
    words = " ".join(each.text.strip() for each in lines)
    return replace(lines[0], text=words, places=tuple(span for each in lines for span in each.places))


def _is_one_cell(inside: Sequence[tuple[tuple[int, int], Fragment]], others: Sequence[Fragment], height: int) -> bool:
    """Tell words that go on across cells, over `height` rows, from words of which each stands in a cell of its own."""
    for (place, one), (other_place, other) in pairwise(
        sorted(inside, key=lambda each: (-round(each[1].base), each[1].left))
    ):
        is_beside = abs(one.base - other.base) <= SAME_BASE
        if is_beside and place[1] != other_place[1] and other.left - one.right > CELL_GAP * other.size:
            return False
        if not is_beside and one.base - other.base > _MAX_LINE_GAP * max(one.size, other.size):
            return False
    if len({place[0] for place, _ in inside}) < max(2, height):
        return True
    return not all(any(abs(one.base - other.base) <= SAME_BASE for other in others) for _, one in inside)


def _areas(grid: Grid) -> Iterator[set[tuple[int, int]]]:
    """Yield the rectangles of several cells that no line parts."""
    height, width = len(grid.rows) - 1, len(grid.columns) - 1
    right = {
        (row, column)
        for column, drawn in enumerate(_drawn(grid.down, grid.columns[1:-1]))
        for row, (top, bottom) in enumerate(pairwise(grid.rows))
        if not _covers(drawn, bottom, top)
    }
    below = {
        (row, column)
        for row, drawn in enumerate(_drawn(grid.across, grid.rows[1:-1]))
        for column, (low, high) in enumerate(pairwise(grid.columns))
        if not _covers(drawn, low, high)
    }
    seen: set[tuple[int, int]] = set()
    for start in ((row, column) for row in range(height) for column in range(width)):
        area, waiting = {start}, [] if start in seen else [start]
        while waiting:
            row, column = waiting.pop()
            beside = (
                ((row, column + 1), (row, column) in right), ((row, column - 1), (row, column - 1) in right),
                ((row + 1, column), (row, column) in below), ((row - 1, column), (row - 1, column) in below),
            )  # fmt: skip
            fresh = [place for place, is_open in beside if is_open and place not in area]
            area.update(fresh)
            waiting.extend(fresh)
        seen |= area
        rows, columns = {row for row, _ in area}, {column for _, column in area}
        if 1 < len(area) == len(rows) * len(columns) < height * width:
            yield area


def _drawn(rules: Sequence[Rule], places: Sequence[float]) -> Iterator[list[Rule]]:
    """Yield the lines at each of these places."""
    for place in places:
        yield [rule for rule in rules if abs(rule.place - place) <= _TOUCHING]


def _covers(rules: Sequence[Rule], low: float, high: float) -> bool:
    """Tell whether lines are drawn along most of a stretch."""
    drawn = sum(max(0.0, min(rule.end, high) - max(rule.start, low)) for rule in rules)
    return drawn >= _MIN_DRAWN * (high - low)
