"""Tables of values separated by commas, semicolons, tabs, bars or any other mark; one block per row."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from indexer.readers.encoding import Decoded, decode
from indexer.readers.rows import MAX_COLUMNS
from indexer.readers.tables import Row, table_blocks
from indexer.readers.text import paragraphs, reading_of
from indexer.types import Block, Reading

_DELIMITERS = (",", ";", "\t", "|")
_IN_WORDS = frozenset("\"'.,-_()[]{}#%&@+")
_BETWEEN_QUOTED = re.compile(r"(?<=\")([^\w\s\"'.)\]-])(?=\")")
_STATED = re.compile(r"\ufeff?sep=(.)\r?\n", re.I)
"""A first line that tells a spreadsheet what parts the values."""
_SAMPLE_ROWS = 50
_MAX_CELL = 10_000_000
"""Characters in one cell; the module's own limit of 131,072 is too small for exported texts."""


def read(name: str, data: bytes) -> Reading:
    """Read a table; every row becomes "header: value; header: value" and keeps the line it begins at.

    What is no table after all, or has over a thousand columns, is read as plain text with a note.
    """
    decoded = decode(data)
    csv.field_size_limit(_MAX_CELL)
    stated = _STATED.match(decoded.text)
    text = decoded.text[stated.end() :] if stated else decoded.text
    try:
        blocks = [
            replace(block, line=block.line + 1) if stated and block.line else block
            for block in _rows(text, stated[1] if stated else _delimiter(text))
        ]
    except csv.Error:
        return _as_text(decoded, "not a regular table")
    except OverflowError:
        return _as_text(decoded, f"more than {MAX_COLUMNS:,} columns")
    return reading_of(decoded, "csv", iter(blocks))


def _as_text(decoded: Decoded, why: str) -> Reading:
    reading = reading_of(decoded, "csv", paragraphs(decoded.text))
    return Reading(reading.blocks, "csv", "", reading.metadata, (*reading.notes, f"{why}; read as plain text"))


def _rows(text: str, delimiter: str) -> Iterator[Block]:
    return table_blocks(_numbered(text, delimiter))


def _numbered(text: str, delimiter: str) -> Iterator[Row]:
    """Yield each row with the line it begins at; a quoted cell may span lines."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    line = 1
    for cells in reader:
        if len(cells) > MAX_COLUMNS:
            raise OverflowError
        comment = cells[0].startswith("#") and not any(cells[2:]) if cells else False
        yield Row([delimiter.join(cells)] if comment else cells, line)
        line = reader.line_num + 1


def _delimiter(text: str) -> str:
    """Return the delimiter that gives most rows the same number of cells, and more than one.

    Other marks than the usual are tried where no usual one parts the rows.
    """

    def regularity(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in islice(csv.reader(io.StringIO(sample), delimiter=delimiter), _SAMPLE_ROWS) if row]
        common = max(widths, key=widths.count, default=1)
        return (widths.count(common) / len(widths), common) if common > 1 else (0.0, 1)

    sample = "\n".join(text[:200_000].split("\n")[:_SAMPLE_ROWS])
    if mark := _between_quoted(sample):
        return mark
    usual = max(_DELIMITERS, key=regularity)  # the first of equals
    if regularity(usual)[1] > 1:
        return usual
    return max((usual, *_others(sample)), key=regularity)


def _between_quoted(sample: str) -> str:
    """Return the unusual mark that parts quoted cells, as in "Nut"^"12"; "" where a usual one parts any."""
    marks = Counter(_BETWEEN_QUOTED.findall(sample))
    found = "" if not marks or not marks.keys().isdisjoint(_DELIMITERS) else marks.most_common(1)[0][0]
    return found if marks[found] > 1 else ""


def _others(sample: str) -> list[str]:
    """Return the marks that are neither letter, digit, space nor part of numbers and words, most frequent first."""
    marks = Counter(each for each in sample if not (each.isalnum() or each.isspace() or each in _IN_WORDS))
    return [mark for mark, _ in marks.most_common(10)]
