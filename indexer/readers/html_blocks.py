"""From an element tree to blocks: one walk that serves HTML itself and the tree that trafilatura makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.types import Block, BlockKind

_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_LISTS = frozenset(("ul", "ol", "list", "dl", "menu"))
_ITEMS = frozenset(("li", "item", "dt", "dd"))
_LINES = frozenset(("br", "lb", "hr", "option"))
_ROWS = frozenset(("tr", "row"))
_CELLS = frozenset(("td", "th", "cell"))
_BLOCKS = frozenset(
    (
        *("p", "div", "section", "article", "main", "body", "blockquote", "quote", "address", "figure", "figcaption"),
        *("details", "summary", "fieldset", "nav", "header", "footer", "aside", "form", "caption", "center", "table"),
        *("thead", "tbody", "tfoot", "graphic"),
    )
)
_MAX_CELL = 2_000
"""Characters; a table with a larger cell serves the layout of the page, not its data."""


def blocks_of(tree: Any) -> Iterator[Block]:
    """Yield the blocks below an lxml element, in document order, in time linear in its size."""
    from lxml import etree

    walk = _Walk()
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if not isinstance(element.tag, str):
            continue
        if event == "start":
            walk.enter(element)
        else:
            walk.leave(element, is_root=element is tree)
        if walk.done:
            yield from walk.done
            walk.done.clear()
    walk.flush()
    yield from walk.done


class _Walk:
    """The text of the block under way, and how deep inside lists, tables and code the walk stands."""

    def __init__(self) -> None:
        self.done: list[Block] = []
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._lists = 0
        self._table: Any = None
        self._code: Any = None
        self._layout: list[Any] = []

    def enter(self, element: Any) -> None:
        tag = element.tag
        if self._code is not None:
            self._code_text(element, tag)
            return
        if _is_code(element):
            self.flush()
            self._code = element
        elif self._table is not None:
            if tag in _CELLS and any(piece.strip() for piece in self._pieces):
                self._pieces.append(" | ")
            elif tag in _BLOCKS or tag in _ITEMS or tag in _LINES:
                self._pieces.append(" ")
        elif tag == "table" and _holds_data(element):
            self.flush()
            self._table = element
        elif _level(element):
            self.flush()
        elif tag in _LISTS:
            self._break()
            self._lists += 1
        elif tag in _ITEMS:
            self._end_line()
            if tag != "dt":
                self._pieces.append("- ")
        elif tag in _LINES:
            self._end_line()
        elif tag in _BLOCKS or tag in _ROWS or tag in _CELLS:
            self._break()
        if element.text:
            self._pieces.append(element.text)

    def leave(self, element: Any, *, is_root: bool) -> None:
        tag = element.tag
        if element is self._code:
            self._end_code()
        elif self._code is not None:
            pass
        elif element is self._table:
            self._end_line()
            self._table = None
            self.flush("table")
        elif self._table is not None:
            if tag in _ROWS:
                self._end_line()
        elif level := _level(element):
            self.flush("heading", level)
        elif tag in _LISTS:
            self._end_line()
            self._lists -= 1
            if not self._lists:
                self.flush()
        elif tag in _ITEMS:
            self._end_line()
        elif tag in _BLOCKS or tag in _ROWS or tag in _CELLS:
            self._break()
        if element.tail and not is_root:
            self._pieces.append(element.tail)

    def flush(self, kind: BlockKind = "paragraph", level: int = 0) -> None:
        """End the block under way."""
        self._end_line()
        if self._lines:
            separator = " " if kind == "heading" else "\n"
            self.done.append(Block(separator.join(self._lines), kind, level))
            self._lines = []

    def _break(self) -> None:
        """End a block, or inside of a list only a line: a list stays together."""
        if self._lists:
            if self._pieces != ["- "]:
                self._end_line()
        else:
            self.flush()

    def _end_line(self) -> None:
        text = " ".join("".join(self._pieces).split())
        self._pieces = []
        if self._table is not None:
            text = text.rstrip(" |")
        if text and text != "-":
            self._lines.append(text)

    def _code_text(self, element: Any, tag: str) -> None:
        if tag in _LINES:
            self._pieces.append("\n")
        if element.text:
            self._pieces.append(element.text)

    def _end_code(self) -> None:
        text = "".join(self._pieces).expandtabs(4)
        self._pieces, self._code = [], None
        if text.strip():
            self.done.append(Block(text, "code"))


def _level(element: Any) -> int:
    if element.tag == "head":  # trafilatura's name for a heading
        return _HEADINGS.get(element.get("rend", ""), 0)
    return _HEADINGS.get(element.tag, 0)


def _is_code(element: Any) -> bool:
    return element.tag == "pre" or (element.tag == "code" and "\n" in "".join(element.itertext()).strip())


def _holds_data(table: Any) -> bool:
    if table.find(".//table") is not None:
        return False
    cells = list(table.iter("td", "th", "cell"))
    return len(cells) > 1 and all(len("".join(cell.itertext())) <= _MAX_CELL for cell in cells)
