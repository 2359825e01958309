"""Words of a PDF page that belong on one line by where they stand: pieces drawn apart, labels and their amounts.

Programs draw them in any order, often column by column; here each row comes together by its place on the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from indexer.readers.raised import power

CELL_GAP = 1.3
"""Ems of white between two words that make them cells of a table; justified text stays below one."""
_MARK_SIZE = 0.85
"""Most size of a raised number, in that of the words before it."""
_SPACE = 0.15
"""Ems of white that are a space."""
_SAME_PLACE = 4.0
SAME_BASE = 3.0
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
    places: tuple[tuple[int, int], ...] = ()
    """Which of the page's characters it consists of: half-open spans in the order of its words."""


Row = Sequence[Fragment]
"""The fragments of a printed line, from left to right."""


def on_one_line(rows: Sequence[Row]) -> list[Row]:
    """Return the rows, those joined that were drawn one after the other on one line, from left to right.

    The mark of a note between them is left out.
    """
    told: list[Row] = []
    for row in rows:
        before = told[-1][-1] if told else None
        if before and _is_mark(before, row):
            words = f"{before.text.rstrip()}{power(before.text.rstrip(), row[0].text.strip())}"
            told[-1] = [*told[-1][:-1], _joined(before, words, row[0])]
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
            told[-1] = [*told[-1][:-1], _joined(before, words, row[0]), *row[1:]]
    return told


def _joined(before: Fragment, words: str, after: Fragment) -> Fragment:
    """Return a fragment that goes on with the one after it; `words` are those of both."""
    return replace(before, text=words, right=after.right, places=before.places + after.places)


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
            pending and len(row) == 1 and _is_aligned(row[0], pending[-1][0]) and row[0].base < pending[-1][0].base - 1
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


def _is_aligned(below: Fragment, above: Fragment) -> bool:
    """Tell what begins at one place, as labels do, or ends at one, as amounts do."""
    by_right = abs(below.right - above.right) <= _SAME_PLACE and any(map(str.isdigit, below.text + above.text))
    return abs(below.left - above.left) <= _SAME_PLACE or by_right


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
    if len(labels) < _MIN_ROWS or any(row[-1].right > min(other[0].left for other in column) for row in above):
        return False
    if all(_BULLET.match(row[0].text) for row in (*labels, *column)):
        return False  # two lists
    beside = [other for other in column if _beside(other, above)]
    entries = sum(not row[0].text[:1].islower() for row in (*labels, *beside))  # a wrapped line goes on in lower case
    if len(labels) < _MATCHED * len(above) or entries < _MATCHED * (len(labels) + len(beside)):
        return False
    return min(_words([row[0] for row in above]), _words([row[0] for row in column])) <= _LABEL_WORDS


def _beside(row: Row, column: Sequence[Row]) -> bool:
    return any(abs(row[0].base - other[0].base) <= SAME_BASE for other in column)


def _words(fragments: Sequence[Fragment]) -> float:
    return sum(len(fragment.text.split()) for fragment in fragments) / len(fragments)


def _side_by_side(above: Sequence[Row], column: Sequence[Row]) -> list[Row]:
    """Return the rows from top to bottom, those on one line joined."""
    told: list[Row] = []
    for row in sorted([*above, *column], key=lambda row: (-round(row[0].base / SAME_BASE), row[0].left)):
        if told and abs(told[-1][0].base - row[0].base) <= SAME_BASE:
            told[-1] = [*told[-1], *row]
        else:
            told.append(row)
    return told
