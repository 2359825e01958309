"""Tables of comma, semicolon, tab or bar separated values; one block per row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice

from indexer.readers.encoding import Decoded, decode
from indexer.readers.rows import MAX_COLUMNS, header_of, is_header, row_text
from indexer.readers.text import paragraphs, reading_of
from indexer.types import Block, Reading

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 50
_MAX_CELL = 10_000_000
"""Characters in one cell; the module's own limit of 131,072 is too small for exported texts."""


def read(name: str, data: bytes) -> Reading:
    """Read a table; every row becomes "header: value; header: value" and keeps the line it begins at.

    What is no table after all, or has over a thousand columns, is read as plain text with a note.
    """
    decoded = decode(data)
    csv.field_size_limit(_MAX_CELL)
    try:
        blocks = list(_rows(decoded.text, _delimiter(decoded.text)))
    except csv.Error:
        return _as_text(decoded, "not a regular table")
    except OverflowError:
        return _as_text(decoded, f"more than {MAX_COLUMNS:,} columns")
    return reading_of(decoded, "csv", iter(blocks))


def _as_text(decoded: Decoded, why: str) -> Reading:
    reading = reading_of(decoded, "csv", paragraphs(decoded.text))
    return Reading(reading.blocks, "csv", "", reading.metadata, (*reading.notes, f"{why}; read as plain text"))


def _rows(text: str, delimiter: str) -> Iterator[Block]:
    header: list[str] | None = None
    first: tuple[list[str], int] | None = None
    for cells, line in _numbered(text, delimiter):
        if first is None:
            first = (cells, line)
            continue
        if header is None:
            header = header_of(first[0]) if is_header(first[0], cells) else []
            if not header:
                yield Block(row_text([], first[0]), "row", line=first[1])
        yield Block(row_text(header, cells), "row", line=line)
    if first is not None and header is None:  # a single row has nothing to be the header of
        yield Block(row_text([], first[0]), "row", line=first[1])


def _numbered(text: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Yield each row that is not empty with the line it begins at; a quoted cell may span lines."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    line = 1
    for cells in reader:
        if len(cells) > MAX_COLUMNS:
            raise OverflowError
        if any(cell.strip() for cell in cells):
            yield cells, line
        line = reader.line_num + 1


def _delimiter(text: str) -> str:
    """Return the delimiter that gives most rows the same number of cells, and more than one."""

    def regularity(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in islice(csv.reader(io.StringIO(sample), delimiter=delimiter), _SAMPLE_ROWS) if row]
        common = max(widths, key=widths.count, default=1)
        return (widths.count(common) / len(widths), common) if common > 1 else (0.0, 1)

    sample = "\n".join(text[:200_000].split("\n")[:_SAMPLE_ROWS])
    return max(_DELIMITERS, key=regularity)  # the first of equals
