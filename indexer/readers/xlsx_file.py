"""Spreadsheets: one block per row, each cell told with its header; a sheet is a page."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.archive import open_archive
from indexer.readers.office import properties
from indexer.readers.rows import MAX_COLUMNS, MAX_ROWS, cell_text, header_of, is_header, row_text
from indexer.types import Block, Reading


def read(name: str, data: bytes) -> Reading:
    """Read the values that were last calculated, sheet by sheet; formulas and macros are never run."""
    with open_archive(data) as archive:
        title, metadata = properties(archive)
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    notes: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that it does not keep; we only read
            workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            sheets = list(enumerate(workbook.worksheets, 1))
            blocks = [block for number, sheet in sheets for block in _sheet(sheet, number, notes)]
    except (InvalidFileException, BadZipFile, KeyError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        raise Unreadable("damaged spreadsheet") from error
    return Reading(tuple(blocks), "xlsx", title, metadata, tuple(notes))


def _sheet(sheet: Any, number: int, notes: list[str]) -> Iterator[Block]:
    sheet.reset_dimensions()  # what a file says about its size may be a million rows of nothing
    header: list[str] | None = None
    first: tuple[list[str], int] | None = None
    yield Block(sheet.title, "heading", 1, page=number)
    for line, values in enumerate(sheet.iter_rows(values_only=True), 1):
        if line > MAX_ROWS:
            notes.append(f"sheet {number}: only the first {MAX_ROWS:,} rows were read")
            break
        cells = [cell_text(value) for value in values[:MAX_COLUMNS]]
        if not any(cells):
            continue
        if first is None:
            first = (cells, line)
            continue
        if header is None:
            header = header_of(first[0]) if is_header(first[0], cells) else []
            if not header:
                yield Block(row_text([], first[0]), "row", page=number, line=first[1])
        yield Block(row_text(header, cells), "row", page=number, line=line)
    if first is not None and header is None:
        yield Block(row_text([], first[0]), "row", page=number, line=first[1])
