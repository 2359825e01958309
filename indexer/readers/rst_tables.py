"""Tables of reStructuredText: simple, grid, list and CSV tables as rows of cells.

Knows lines; where a table stands in its document is `rst.py`'s.
https://docutils.sourceforge.io/docs/ref/rst/restructuredtext.html#tables
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_SIMPLE = re.compile(r"[ \t]*=+(?:[ ]+=+)+[ \t]*$")
_GRID = re.compile(r"[ \t]*\+(?:[-=]+\+)+[ \t]*$")
_DIRECTIVE = re.compile(r"\.\. (list-table|csv-table|table)::[ \t]*(.*)$")
_OPTION = re.compile(r"[ \t]+:([\w-]+):[ \t]*(.*)$")
_ROW = re.compile(r"[ \t]*\*[ \t]+-(?:[ \t]+(.*))?$")
_CELL = re.compile(r"[ \t]+-(?:[ \t]+(.*))?$")
_LONGEST = 5_000
"""Lines of a table, at most."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and the line after it."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    end: int

    @property
    def text(self) -> str:
        """Return a row a line, its cells set apart by bars."""
        return "\n".join(" | ".join(row).rstrip(" |") for row in self.rows if any(row))


def table_at(lines: Sequence[str], place: int) -> Table | None:
    """Return the table that begins at a line, None where none does."""
    if _SIMPLE.match(lines[place]):
        return _simple(lines, place)
    if _GRID.match(lines[place]):
        return _grid(lines, place)
    found = _DIRECTIVE.match(lines[place])
    if found is None:
        return None
    end = _end_of_indented(lines, place + 1)
    options = dict(_options(lines[place + 1 : end]))
    begin = place + 1 + sum(_OPTION.match(line) is not None for line in lines[place + 1 : end])
    body = lines[begin:end]
    if found[1] == "list-table":
        rows = [tuple(" ".join(cell.split()) for cell in row) for row in _listed(body)]
    elif found[1] == "csv-table":
        given = [options["header"], *body] if "header" in options else body
        rows = _separated(given, options.get("delim", ","))
    else:
        inner = next((at for at in range(begin, end) if lines[at].strip()), end)
        table = table_at(lines, inner) if inner < end else None
        rows = list(table.rows) if table is not None and not _DIRECTIVE.match(lines[inner]) else []
    return Table(found[2].strip(), tuple(rows), end) if any(map(any, rows)) else None


def _options(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if option := _OPTION.match(line):
            yield option[1], option[2].strip()


def _end_of_indented(lines: Sequence[str], place: int) -> int:
    end = last = place
    while end < len(lines) and (not lines[end].strip() or lines[end][0].isspace()):
        end += 1
        last = end if lines[end - 1].strip() else last
    return last


def _listed(lines: Sequence[str]) -> list[list[str]]:
    rows: list[list[str]] = []
    for line in lines:
        if row := _ROW.match(line):
            rows.append([row[1] or ""])
        elif rows and (cell := _CELL.match(line)):
            rows[-1].append(cell[1] or "")
        elif rows and line.strip():
            rows[-1][-1] += f" {line.strip()}"
    return rows


def _separated(lines: Sequence[str], delimiter: str) -> list[tuple[str, ...]]:
    mark = {"tab": "\t", "space": " "}.get(delimiter, delimiter)
    stripped = [line.strip() for line in lines if line.strip()]
    try:
        return [tuple(row) for row in csv.reader(stripped, delimiter=mark[:1] or ",", skipinitialspace=True)]
    except csv.Error:
        return []


def _simple(lines: Sequence[str], place: int) -> Table | None:
    """Return a table between lines of equals signs, which say where its columns begin."""
    begins = [run.start() for run in re.finditer("=+", lines[place])]
    rows: list[list[str]] = []
    for at in range(place + 1, min(len(lines), place + _LONGEST)):
        line = lines[at].rstrip()
        if _SIMPLE.match(line):
            if at + 1 == len(lines) or not lines[at + 1].strip():
                return Table("", tuple(map(tuple, rows)), at + 1)
            continue
        if not line or re.fullmatch(r"[- ]+", line):
            continue
        ends = [*begins[1:], len(line)]
        cells = [line[begin:end].strip() for begin, end in zip(begins, ends, strict=True)]
        if cells[0] or not rows:
            rows.append(cells)
        else:  # a row goes on below where its first column is empty
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], cells, strict=True)]
    return None


def _grid(lines: Sequence[str], place: int) -> Table | None:
    """Return a table drawn with plus signs and bars."""
    last = place
    while last + 1 < min(len(lines), place + _LONGEST) and lines[last + 1].lstrip()[:1] in ("+", "|"):
        last += 1
    borders = [line for line in lines[place : last + 1] if _GRID.match(line)]  # of which one may have fewer columns
    bounds = sorted({mark.start() for border in borders for mark in re.finditer(r"\+", border)})
    rows: list[list[str]] = []
    cells = [""] * (len(bounds) - 1)
    for line in lines[place + 1 : last + 1]:
        if re.search(r"\+[-=]+\+", line):
            rows.append(cells)
            cells = [""] * len(cells)
            continue
        first = 0
        for column in range(len(cells)):
            if line[bounds[column + 1] : bounds[column + 1] + 1] in ("|", "+", ""):
                text = line[bounds[first] + 1 : bounds[column + 1]].strip().removeprefix("| ")  # a block of lines
                for each in range(first, column + 1):  # a cell over several columns stands in each of them
                    cells[each] = " ".join(filter(None, (cells[each], text)))
                first = column + 1
    found = tuple(tuple(row) for row in rows if any(row))
    return Table("", found, last + 1) if found else None
