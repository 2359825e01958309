"""Rows of tables as sentences a search can find: each cell told with its header, so that a row stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time

MAX_COLUMNS = 1_000
MAX_ROWS = 200_000


def row_text(header: Sequence[str], cells: Sequence[str]) -> str:
    """Return "header: value; header: value" for the cells that hold something; cells beyond the header stand alone."""
    pairs = []
    for place, cell in enumerate(cells):
        value = " ".join(cell.split())
        name = header[place] if place < len(header) else ""
        if value:
            pairs.append(f"{name}: {value}" if name else value)
    return "; ".join(pairs)


def is_header(first: Sequence[str], second: Sequence[str]) -> bool:
    """Tell whether the first row names the columns: all filled in, all different, none a number, and not alone."""
    names = [cell.strip() for cell in first]
    while names and not names[-1]:
        names.pop()
    if len(names) < 2 or not any(cell.strip() for cell in second):
        return False
    filled = [name for name in names if name]
    return len(filled) >= 0.8 * len(names) and len(set(filled)) == len(filled) and not any(map(_is_number, filled))


def header_of(first: Sequence[str]) -> list[str]:
    """Return the names of the columns on one line each; a column without a name gets its number."""
    return [" ".join(cell.split()) or f"column {place}" for place, cell in enumerate(first, 1)]


def cell_text(value: object) -> str:
    """Return a spreadsheet's value as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == time(0):
        return value.date().isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _is_number(text: str) -> bool:
    bare = text.strip("+-$€£% ").replace(",", "").replace(".", "")
    return bare.isdigit()
