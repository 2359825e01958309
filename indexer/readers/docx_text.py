"""The words of a Word paragraph and of a table's cells, with what was accepted and without what was deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.readers.raised import is_signed_number, printed_power
from indexer.readers.rows import header_of, is_header, row_text
from indexer.readers.symbols import is_symbol_font, symbol

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_GONE = frozenset((f"{W}del", f"{W}moveFrom", f"{W}rPr", f"{W}pPr", f"{W}sdtPr", _FALLBACK))
"""What a tracked change deleted or moved away; a text box again, for old programs; and what is no text."""
_WRAPPERS = frozenset(W + tag for tag in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"))
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
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
    text = ""
    for piece, is_raised in _pieces(paragraph):
        text += printed_power(text, piece) if is_raised and is_signed_number(piece) else piece
    return text.strip()


def boxes(paragraph: Any) -> Iterator[Any]:
    """Yield the text boxes that hang on a paragraph, each once."""
    for box in paragraph.iter(f"{W}txbxContent"):
        if next(box.iterancestors(_FALLBACK), None) is None:
            yield box


def _pieces(node: Any, font: str = "", is_raised: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield pieces of text, each with whether it is printed raised."""
    for child in node:
        tag = child.tag
        if tag in _GONE or tag == f"{W}txbxContent" or not isinstance(tag, str):
            continue
        if tag == f"{W}t":
            yield _printed(child.text or "", font), is_raised
        elif tag == f"{W}sym":
            yield symbol_of(child), False
        elif tag in (f"{W}tab", f"{W}ptab"):
            yield "\t", False
        elif tag in (f"{W}br", f"{W}cr"):
            yield "\n", False
        elif tag == f"{W}noBreakHyphen":
            yield "-", False
        elif tag == f"{W}fldChar":
            yield _check_box(child), False
        elif tag == f"{W}r":
            yield from _pieces(child, _setting(child, "rFonts", "ascii"), _setting(child, "vertAlign") == "superscript")
        elif tag.startswith(_M):
            yield formula(child), False
        else:
            yield from _pieces(child, font, is_raised)


def _check_box(field: Any) -> str:
    """Return the box that a form field of Word's older kind shows, "" for other fields."""
    box = field.find(f"{W}ffData/{W}checkBox")
    if box is None:
        return ""
    checked, default = box.find(f"{W}checked"), box.find(f"{W}default")
    state = checked if checked is not None else default
    return "☒" if state is not None and state.get(f"{W}val", "1") not in ("0", "false", "off") else "☐"


def symbol_of(sym: Any) -> str:
    """Return the character of a `w:sym` element, "" where it is not known."""
    code = sym.get(f"{W}char", "")
    try:
        return symbol(sym.get(f"{W}font", ""), int(code, 16))
    except ValueError:
        return ""


def formula(node: Any) -> str:
    """Return a formula on one line: (a + b)/2, x^2, √(x)."""
    parts = {child.tag.removeprefix(_M): formula(child) for child in node if isinstance(child.tag, str)}
    name = node.tag.removeprefix(_M)
    if name == "t":
        return node.text or ""
    if name == "f":
        return f"{_grouped(parts.get('num', ''))}/{_grouped(parts.get('den', ''))}"
    if name == "rad":
        return f"√({parts.get('e', '')})"
    if name in ("sSup", "sSub", "sSubSup"):
        raised, lowered = parts.get("sup", ""), parts.get("sub", "")
        below = f"_{_grouped(lowered)}" if lowered else ""
        return parts.get("e", "") + below + (f"^{_grouped(raised)}" if raised else "")
    return "".join(formula(child) for child in node if isinstance(child.tag, str))


def _grouped(text: str) -> str:
    return text if text.isalnum() else f"({text})"


def _printed(text: str, font: str) -> str:
    """Return a run's text as it prints: letters of a symbol font are its symbols."""
    is_symbol = is_symbol_font(font)
    if not is_symbol and not any("\uf000" <= each <= "\uf0ff" for each in text):
        return text
    return "".join(
        symbol(font, ord(each)) or each if is_symbol or "\uf000" <= each <= "\uf0ff" else each for each in text
    )


def _setting(run: Any, name: str, key: str = "val") -> str:
    found = run.find(f"{W}rPr/{W}{name}")
    return str(found.get(f"{W}{key}", "")) if found is not None else ""


def is_bold(paragraph: Any) -> bool:
    """Tell a paragraph all of whose words are in bold print."""
    runs = [run for run in paragraph.iter(f"{W}r") if "".join(run.itertext()).strip()]
    marks = [run.find(f"{W}rPr/{W}b") for run in runs]
    return bool(runs) and all(mark is not None and mark.get(f"{W}val") not in ("0", "false") for mark in marks)


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
