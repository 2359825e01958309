"""Spreadsheets: one block per row, each cell told with its header as the sheet shows it; a sheet is a page."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.archive import open_archive, read_member
from indexer.readers.notes import counted
from indexer.readers.number_formats import shown
from indexer.readers.office import properties
from indexer.readers.rows import MAX_COLUMNS, MAX_ROWS
from indexer.readers.tables import Row, table_blocks
from indexer.readers.xlsx_comments import comments
from indexer.types import Block, Reading

_MERGED = re.compile(rb'<mergeCell ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')
_UNCOMPUTED = re.compile(rb"</f>\s*(?:<v\s*/>|<v></v>)?\s*</c>")
_SHOWN_ONLY = re.compile(r"xl/(charts/chart|media/image)\d*\.")
_MAX_MERGED = 10_000
_FIRST_ROWS = 20


def read(name: str, data: bytes) -> Reading:
    """Read the values that were last calculated, sheet by sheet; formulas and macros are never run."""
    with open_archive(data) as archive:
        title, metadata = properties(archive)
        notes: list[str] = []
        blocks = tuple(_blocks(data, archive, notes))
        members = Counter(found[1] for name in archive.namelist() if (found := _SHOWN_ONLY.match(name)))
        notes.extend(counted({"charts": members["charts/chart"], "pictures": members["media/image"]}, "not read"))
    return Reading(blocks, "xlsx", title, metadata, tuple(notes))


def _blocks(data: bytes, archive: zipfile.ZipFile, notes: list[str]) -> list[Block]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that it does not keep; we only read
            workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            sheets = list(enumerate(workbook.worksheets, 1))
            return [block for number, sheet in sheets for block in _sheet(sheet, number, archive, notes)]
    except (InvalidFileException, BadZipFile, KeyError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        raise Unreadable("damaged spreadsheet") from error


def _sheet(sheet: Any, number: int, archive: zipfile.ZipFile, notes: list[str]) -> Iterator[Block]:
    sheet.reset_dimensions()  # what a file says about its size may be a million rows of nothing
    if sheet.sheet_state != "visible":
        notes.append(f"sheet {number} is hidden")
    path = str(getattr(sheet, "_worksheet_path", "")).lstrip("/")
    source = read_member(archive, path) if path in archive.namelist() else b""
    if uncomputed := len(_UNCOMPUTED.findall(source)):
        notes.append(
            f"sheet {number}: {uncomputed:,} {'formula was' if uncomputed == 1 else 'formulas were'} never computed"
        )
    yield Block(sheet.title, "heading", 1, page=number)
    yield from table_blocks(_rows(sheet, number, _filled_down(source), notes), number)
    yield from (Block(comment, "row", page=number) for comment in comments(archive, path))


def _rows(sheet: Any, number: int, below: dict[tuple[int, int], tuple[int, int]], notes: list[str]) -> Iterator[Row]:
    """Yield the rows with cells as the sheet shows them; a cell merged downwards is repeated in each of its rows."""
    above: dict[tuple[int, int], str] = {}
    sources = set(below.values())
    after_blank = True
    for line, values in enumerate(sheet.iter_rows(), 1):
        if line > MAX_ROWS:
            notes.append(f"sheet {number}: only the first {MAX_ROWS:,} rows were read")
            return
        cells: list[str] = []
        bold = after_blank  # looked at only where a table may begin: it takes its time
        for column, cell in enumerate(values[:MAX_COLUMNS], 1):
            text = shown(cell.value, getattr(cell, "number_format", None) or "General")
            if (line, column) in sources:
                above[line, column] = text
            elif not text and (line, column) in below:
                text = above.get(below[line, column], "")
            if text and bold:
                bold = bool(getattr(getattr(cell, "font", None), "b", False))
            cells.append(text)
        after_blank = not any(cells) or (after_blank and line < _FIRST_ROWS)
        yield Row(cells, line, bold)


def _filled_down(source: bytes) -> dict[tuple[int, int], tuple[int, int]]:
    """Return (row, column) of each cell below the first in a merged one -> where its text stands."""
    from openpyxl.utils.cell import range_boundaries

    found: dict[tuple[int, int], tuple[int, int]] = {}
    for reference in _MERGED.findall(source)[:_MAX_MERGED]:
        left, top, _, bottom = range_boundaries(reference.decode("ascii"))
        for row in range(top + 1, min(bottom, top + 1_000) + 1):
            found[row, left] = (top, left)
    return found
