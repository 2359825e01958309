"""HTML tables as rows of texts: spans repeated, cells set apart by " | ", nothing shifted by an empty cell."""

from __future__ import annotations

from typing import Any

from indexer.readers.raised import is_signed_number, power, raised_letters

MAX_CELL = 2_000
"""Characters; a table with a larger cell serves the layout of the page, not its data."""
_CELLS = ("td", "th", "cell")
_MAX_SPAN = 1_000
_MAX_WIDTH = 500


def holds_data(table: Any) -> bool:
    """Tell a table of data from one that lays out a page."""
    if table.find(".//table") is not None:
        return False
    cells = list(table.iter(*_CELLS))
    return len(cells) > 1 and all(len("".join(cell.itertext())) <= MAX_CELL for cell in cells)


def caption(table: Any) -> list[str]:
    """Return what a table is called, one line or none."""
    found = (" ".join("".join(each.itertext()).split()) for each in table.iterfind("caption"))
    return [text for text in found if text][:1]


def table_text(table: Any) -> str:
    """Return a row a line; what spans several rows or columns stands in each of them, but a cell over all in one."""
    grid: list[list[str]] = []
    waiting: dict[int, tuple[str, int]] = {}  # column -> text of a cell that goes on below, rows to go
    for row in table.iter("tr", "row"):
        cells = _row([cell for cell in row if cell.tag in _CELLS], waiting)
        if any(cells):
            grid.append(cells)
    return "\n".join(" | ".join(cells).rstrip(" |") for cells in grid)


def _row(cells: list[Any], waiting: dict[int, tuple[str, int]]) -> list[str]:
    texts: list[str] = []
    for cell in cells:
        _repeat(texts, waiting)
        text = cell_text(cell)
        wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
        for _ in range(1 if len(cells) == 1 else min(wide, _MAX_WIDTH - len(texts))):
            if high > 1:
                waiting[len(texts)] = (text, high - 1)
            texts.append(text)
    _repeat(texts, waiting)
    return texts


def _repeat(texts: list[str], waiting: dict[int, tuple[str, int]]) -> None:
    """Add what earlier rows left for the next columns."""
    while len(texts) in waiting:
        place = len(texts)
        text, rows = waiting.pop(place)
        if rows > 1:
            waiting[place] = (text, rows - 1)
        texts.append(text)


def _span(cell: Any, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return max(1, min(int(value), _MAX_SPAN)) if value.isascii() and value.isdigit() else 1


def cell_text(cell: Any) -> str:
    """Return what a cell says on one line; its lines and list items are set apart."""
    pieces: list[str] = []
    for element in cell.iter():
        if not isinstance(element.tag, str):
            continue
        if element is not cell and element.tag in ("br", "p", "div", "li", "lb", "item"):
            pieces.append(" ")
        mark = raised(element)
        pieces.append(mark if mark is not None else element.text or "")
        if element is not cell:
            pieces.append(element.tail or "")
    return " ".join("".join(pieces).split())


def raised(element: Any) -> str | None:
    """Return what raised print stands for ("10^6", "m³", nothing for the mark of a note), None for other elements."""
    if element.tag == "a" and _is_note_mark(element):
        return ""
    if element.tag != "sup" or len(element):
        return None
    text = (element.text or "").strip()
    before = _text_before(element)
    return power(before, text) if is_signed_number(text) else raised_letters(before, text)


def _text_before(element: Any) -> str:
    previous = element.getprevious()
    if previous is not None:
        return str(previous.tail or previous.text or "")
    parent = element.getparent()
    return str(parent.text or "") if parent is not None else ""


def _is_note_mark(element: Any) -> bool:
    kind = element.get("{http://www.idpf.org/2007/ops}type") or element.get("epub:type") or element.get("role") or ""
    text = "".join(element.itertext()).strip()
    if len(text) > 6:
        return False
    parent = element.getparent()
    in_sup = parent is not None and parent.tag == "sup"
    has_sup = len(element) == 1 and element[0].tag == "sup" and not (element.text or "").strip()
    return "noteref" in kind or ((in_sup or has_sup) and "#" in (element.get("href") or ""))
