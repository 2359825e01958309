"""From an element tree to blocks: one walk that serves HTML itself and the tree that trafilatura makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.readers.html_tables import caption, holds_data, raised, table_text
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
_INDENT = "  "


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
        self._lists: list[int] = []  # of each list around: the number of its last item, -1 where they have none
        self._table: Any = None
        self._code: Any = None
        self._raised: Any = None
        self._marked = 0  # pieces at the beginning of the line that are the mark of a list item

    def enter(self, element: Any) -> None:
        tag = element.tag
        if self._code is not None:
            self._code_text(element, tag)
            return
        if self._table is not None or self._raised is not None:
            return
        if _is_code(element):
            self.flush()
            self._code = element
        elif tag == "table" and holds_data(element):
            self.flush()
            self._lines = caption(element)
            self.flush()
            self._table = element
            return
        elif (mark := raised(element)) is not None:
            self._pieces.append(mark)
            self._raised = element
            return
        elif _level(element):
            self.flush()
        elif tag in _LISTS:
            self._break()
            self._lists.append(_before_first(element))
        elif tag in _ITEMS:
            self._enter_item(element)
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
            self._table = None
            self._lines = [line for line in table_text(element).split("\n") if line]
            self.flush("table")
        elif element is self._raised:
            self._raised = None
        elif self._table is not None or self._raised is not None:
            return
        elif level := _level(element):
            self.flush("heading", level)
        elif tag in _LISTS:
            self._end_line()
            if self._lists:
                self._lists.pop()
            if not self._lists:
                self.flush()
        elif tag in _ITEMS:
            if tag == "dt" and _is_defined(element):
                self._pieces.append(" " if _text(element).endswith((":", "?", "!", ".")) else ": ")
            else:
                self._end_line()
                self._pieces, self._marked = [], 0  # an empty item leaves no mark
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
            if any(piece.strip() for piece in self._pieces[self._marked :]):
                self._end_line()
        else:
            self.flush()

    def _end_line(self) -> None:
        mark = self._pieces[0] if self._marked and self._pieces else ""
        text = " ".join("".join(self._pieces[self._marked :]).split())
        if text:
            self._lines.append(mark + text)
        if text or not mark:
            self._pieces, self._marked = [], 0

    def _enter_item(self, item: Any) -> None:
        """Begin a line with its mark; a definition goes on with the line of its term."""
        previous = item.getprevious()
        if item.tag == "dd" and previous is not None and previous.tag == "dt":
            return
        self._end_line()
        if item.tag != "dt":
            indent = _INDENT * max(0, len(self._lists) - 1)
            numbered = bool(self._lists) and self._lists[-1] >= 0
            if numbered:
                self._lists[-1] += 1
            self._pieces, self._marked = [indent + (f"{self._lists[-1]}. " if numbered else "- ")], 1

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


def _before_first(element: Any) -> int:
    """Return the number before that of a list's first item, -1 for a list without numbers."""
    if element.tag != "ol" and not (element.tag == "list" and element.get("rend") == "ol"):
        return -1
    start = element.get("start") or "1"
    return int(start) - 1 if start.isascii() and start.isdigit() else 0


def _is_defined(term: Any) -> bool:
    following = term.getnext()
    return following is not None and following.tag == "dd"


def _text(element: Any) -> str:
    return "".join(element.itertext()).strip()
