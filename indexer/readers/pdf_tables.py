"""Lines of a PDF page that stand in cells: rows with their wrapped lines, or two columns of prose side by side.

Knows lines and where they begin; a page without rules says no more than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from indexer.types import Block

_SAME_PLACE = 4.0
"""Points between two lines that begin at one place."""
_WRAPPED_GAP = 1.6
"""Most distance of a line that goes on with a cell, in the page's usual distance."""
_NEAR, _FAR = 20.0, 10_000.0
"""Points between the beginnings of two cells in one column, at most; a place where nothing is."""
_PARTING_GAP = 1.7
"""Distance of two rows, in the page's usual distance, that parts tables with different columns."""
_MIN_COLUMN_ROWS = 4
_MIN_COLUMN_WORDS = 4
"""Words a line of a column of prose has at least, in the mean."""
_FLOWING = 0.3
"""Share of the lines that begin in the middle of a sentence, where two columns are prose."""


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line; sizes and positions in points, 0 where they are not known."""

    text: str
    size: float = 0.0
    bold: bool = False
    base: float = 0.0
    """Height of the line above the bottom of the page."""
    lefts: tuple[float, ...] = ()
    """Where its cells begin, from the left of the page; where it begins, for a line without cells."""
    is_row: bool = False
    """Whether it stands for itself and goes on in no other line, as a label with its value does."""
    begins: bool = False
    """Whether it begins a paragraph whatever stands above: a note with its number."""


@dataclass(slots=True)
class Table:
    """The rows under way, each a list of cells, and where the cells of the last one begin."""

    rows: list[list[str]] = field(default_factory=list)
    lefts: tuple[float, ...] = ()
    first: tuple[float, ...] = ()
    """Where the cells of the first row begin."""

    def add(self, line: Line) -> None:
        """Begin a new row with the cells of `line`, each in the column of the first row that it stands below."""
        cells = line.text.split(" | ")
        self.first = self.first or line.lefts
        columns = [_nearest(self.first, left) for left in line.lefts]
        if len(cells) == len(columns) < len(self.first) and columns == sorted({*columns} - {-1}):
            self.rows.append([cells[columns.index(at)] if at in columns else "" for at in range(columns[-1] + 1)])
            self.lefts = tuple(
                line.lefts[columns.index(at)] if at in columns else -_FAR for at in range(columns[-1] + 1)
            )
            return
        self.rows.append(cells)
        self.lefts = line.lefts

    def is_parted_from(self, line: Line, usual: float, last: Line) -> bool:
        """Tell a row of another table: it stands well below the last row and has other columns."""
        return last.base - line.base > _PARTING_GAP * usual and len(line.lefts) != len(self.first)

    def goes_on(self, line: Line, usual: float, last: Line) -> bool:
        """Tell a line that goes on with cells of the last row: it begins below one that is not the first."""
        if not self.rows or not line.lefts or len(self.lefts) < 2 or line.is_row:
            return False
        distance = last.base - line.base
        if not 0 < distance <= _WRAPPED_GAP * usual or abs(line.size - last.size) > 0.1 * last.size:
            return False
        return all(self._column(left) for left in line.lefts)

    def go_on(self, line: Line) -> None:
        """Add the words of `line` to the cells that they stand below."""
        for left, text in zip(line.lefts, line.text.split(" | "), strict=False):
            self.rows[-1][self._column(left)] += f" {text.strip()}"

    def _column(self, left: float) -> int:
        """Return the cell of the last row that begins at `left`, 0 for none but the first."""
        places = range(min(len(self.lefts), len(self.rows[-1])))
        return next((place for place in places if abs(self.lefts[place] - left) <= _SAME_PLACE), 0)

    def blocks(self, number: int) -> Iterator[Block]:
        """Yield the rows as a table, or as two columns of prose; a single row is rather a line with a gap in it."""
        if _are_columns(self.rows):
            for column in (0, 1):
                lines = [row[column] for row in self.rows if len(row) > column]
                yield Block("\n".join(lines) + "\n", page=number + 1)
        elif len(self.rows) > 1:
            yield Block("\n".join(" | ".join(row) for row in self.rows), "table", page=number + 1)
        elif self.rows:
            yield Block(" ".join(self.rows[0]) + "\n", page=number + 1)


def _nearest(lefts: Sequence[float], left: float) -> int:
    """Return which of `lefts` is the nearest, -1 where none is near: amounts stand at the right of their column."""
    distances = [abs(each - left) for each in lefts]
    return distances.index(min(distances)) if distances and min(distances) <= _NEAR else -1


def _are_columns(rows: Sequence[Sequence[str]]) -> bool:
    """Tell two columns that were drawn line by line: long lines, many of which begin within a sentence."""
    if len(rows) < _MIN_COLUMN_ROWS or any(len(row) != 2 for row in rows[:-1]):
        return False
    for column in (0, 1):
        lines = [row[column].split() for row in rows if len(row) > column]
        if sum(map(len, lines)) < _MIN_COLUMN_WORDS * len(lines):
            return False
        begins = [line[0] for line in lines[1:] if line]
        if sum(word[0].islower() for word in begins) < _FLOWING * len(begins):
            return False
    return True
