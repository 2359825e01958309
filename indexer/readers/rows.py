"""Rows of tables as sentences a search can find: each cell told with its header, so that a row stands alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_COLUMNS = 1_000
MAX_ROWS = 200_000
_FIELD = re.compile(r"; [^;:\n]{1,80}: ")


def row_text(header: Sequence[str], cells: Sequence[str]) -> str:
    """Return "header: value; header: value" for the cells that hold something; cells beyond the header stand alone.

    A cell with a semicolon in it stands between quotation marks, “so; it is: one”, since what follows would read as
    another cell.
    """
    pairs: list[str] = []
    is_alone = sum(bool(cell.strip()) for cell in cells) == 1 and not any(header)
    for place, cell in enumerate(cells):
        value = " ".join(cell.split()) if is_alone else one_value(cell)
        name = header[place] if place < len(header) else ""
        if value and not name and pairs and pairs[-1].endswith(":"):
            pairs[-1] += f" {value}"  # a form: the label is in the cell before
        elif value:
            pairs.append(f"{name}: {value}" if name else value)
    return "; ".join(pairs)


def one_value(cell: str) -> str:
    """Return a cell on one line, between quotation marks where a semicolon in it would seem to end it."""
    value = " ".join(cell.split())
    return f"“{value.replace('“', '‘').replace('”', '’')}”" if "; " in value else value


def unambiguous(value: str) -> str:
    """Return a value of a record, between quotation marks where a part of it reads as another field's."""
    return one_value(value) if _FIELD.search(value) else value


def is_header(first: Sequence[str], second: Sequence[str]) -> bool:
    """Tell whether the first row names the columns, above `second`: nearly all filled in and different, none a number.

    Years and dates may name columns of numbers; the corner above the names of the rows may be empty.
    """
    names = [cell.strip() for cell in first]
    while names and not names[-1]:
        names.pop()
    if len(names) < 2 or not any(cell.strip() for cell in second):
        return False
    named = names if names[0] else names[1:]
    filled = [name for name in named if name]
    if not filled or len(filled) < 0.8 * len(named) or (len(filled) < 2 and not names[0]):
        return False
    if 2 * sum(name.endswith(":") for name in filled) >= len(filled):
        return False  # labels of a form
    if any(name.endswith(".") and name.count(" ") >= 4 for name in filled):
        return False  # sentences
    numbers = [name for name in filled if is_number(name)]
    if numbers and not _are_periods(names, second):
        return False
    distinct = len(set(filled))
    return distinct == len(filled) or (2 * distinct >= len(filled) and _is_above_numbers(names, second))


def _are_periods(names: Sequence[str], second: Sequence[str]) -> bool:
    """Tell years and dates as names: a word or nothing first, then periods, all of them above numbers or nothing."""
    numbers = [place for place, name in enumerate(names) if is_number(name)]
    if 0 in numbers or (len(numbers) == 1 and len(names) > 2):
        return False
    below = [second[place] for place in numbers if place < len(second) and second[place].strip()]
    year = r"(?:1[5-9]|20)\d\d" if len(numbers) > 1 else r"(?:19|20)\d\d"  # one number alone is sooner an amount
    are_years = all(re.fullmatch(year, names[place]) for place in numbers)
    in_order = [names[place] for place in numbers]
    are_running = in_order in (sorted(set(in_order)), sorted(set(in_order), reverse=True))
    is_year_below = [bool(re.fullmatch(r"(?:1[5-9]|20)\d\d", value)) for value in below]
    return are_years and are_running and all(map(is_number, below)) and not (below and all(is_year_below))


def _is_above_numbers(names: Sequence[str], second: Sequence[str]) -> bool:
    return any(name and not is_number(name) and is_number(value) for name, value in zip(names, second, strict=False))


def header_of(first: Sequence[str]) -> list[str]:
    """Return the names of the columns on one line each; a column without a name gets its number.

    The first may go without: what stands below it are the names of the rows.
    """
    names = [" ".join(cell.split()) for cell in first]
    return [name or (f"column {place}" if place > 1 else "") for place, name in enumerate(names, 1)]


def is_number(text: str) -> bool:
    """Tell an amount, also with a sign, a currency or a percent sign."""
    bare = text.strip("+-$€£% ").replace(",", "").replace(".", "")
    return bare.isdigit()
