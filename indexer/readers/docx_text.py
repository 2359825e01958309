"""The words of a Word paragraph and of a table's cells, with what was accepted and without what was deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.readers.rows import header_of, is_header, row_text

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_GONE = frozenset((f"{W}del", f"{W}moveFrom", f"{W}rPr", f"{W}pPr", f"{W}sdtPr", _FALLBACK))
"""What a tracked change deleted or moved away; a text box again, for old programs; and what is no text."""
_WRAPPERS = frozenset(W + tag for tag in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"))
_SIGNS = {"FE": "☑", "FC": "✓", "FB": "✗", "FD": "☒", "A8": "☐", "6F": "☐", "78": "☒", "B7": "•", "E0": "→"}
"""Characters of the font Wingdings that say something, by the last two digits of their code."""
_MAX_SPAN = 100


def children(parent: Any) -> Iterator[Any]:
    """Yield what stands in a body, cell, row or table, through content controls and accepted changes."""
    for child in parent:
        if child.tag in _WRAPPERS:
            yield from children(child)
        else:
            yield child


def paragraph_text(paragraph: Any) -> str:
    """Return the words of a paragraph, without those of text boxes that hang on it."""
    return "".join(_pieces(paragraph)).strip()


def boxes(paragraph: Any) -> Iterator[Any]:
    """Yield the text boxes that hang on a paragraph, each once."""
    for box in paragraph.iter(f"{W}txbxContent"):
        if next(box.iterancestors(_FALLBACK), None) is None:
            yield box


def _pieces(node: Any) -> Iterator[str]:
    for child in node:
        tag = child.tag
        if tag in _GONE or tag == f"{W}txbxContent" or not isinstance(tag, str):
            continue
        if tag == f"{W}t":
            yield child.text or ""
        elif tag == f"{W}sym":
            yield _SIGNS.get(child.get(f"{W}char", "")[-2:].upper(), "")
        elif tag in (f"{W}tab", f"{W}ptab"):
            yield "\t"
        elif tag in (f"{W}br", f"{W}cr"):
            yield "\n"
        elif tag == f"{W}noBreakHyphen":
            yield "-"
        else:
            yield from _pieces(child)


def table_rows(table: Any) -> list[list[str]]:
    """Return the cells of each row, merged ones repeated; rows that a tracked change deleted are left out."""
    rows: list[list[str]] = []
    above: dict[int, str] = {}
    for row in children(table):
        if row.tag != f"{W}tr" or row.find(f"{W}trPr/{W}del") is not None:
            continue
        found = [cell for cell in children(row) if cell.tag == f"{W}tc"]
        cells: list[str] = []
        for cell in found:
            text = cell_text(cell)
            if _goes_on(cell):
                text = text or above.get(len(cells), "")
            for _ in range(1 if len(found) == 1 else _span(cell)):
                above[len(cells)] = text
                cells.append(text)
        if any(cells):
            rows.append(cells)
    return rows


def cell_text(cell: Any) -> str:
    """Return what a cell says on one line; the rows of a table inside of it are told with their headers."""
    pieces: list[str] = []
    for child in children(cell):
        if child.tag == f"{W}p":
            pieces.append(paragraph_text(child))
            pieces.extend(cell_text(box) for box in boxes(child))
        elif child.tag == f"{W}tbl":
            pieces.append(_told(table_rows(child)))
    return " ".join(" ".join(pieces).split())


def _told(rows: list[list[str]]) -> str:
    header = header_of(rows[0]) if len(rows) > 1 and is_header(rows[0], rows[1]) else []
    return ". ".join(row_text(header, row) for row in (rows[1:] if header else rows))


def _span(cell: Any) -> int:
    span = cell.find(f"{W}tcPr/{W}gridSpan")
    value = span.get(f"{W}val", "1") if span is not None else "1"
    return max(1, min(int(value), _MAX_SPAN)) if value.isascii() and value.isdigit() else 1


def _goes_on(cell: Any) -> bool:
    merged = cell.find(f"{W}tcPr/{W}vMerge")
    return merged is not None and merged.get(f"{W}val", "continue") != "restart"
