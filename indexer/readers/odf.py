"""OpenDocument texts, sheets and slides, packed (.odt, .ods, .odp) and flat (.fodt): the same elements in each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.archive import open_archive, read_member
from indexer.readers.dates import iso_date
from indexer.readers.fields import is_placeholder
from indexer.readers.notes import counted
from indexer.readers.office import described
from indexer.readers.raised import is_signed_number, printed_power
from indexer.readers.rows import MAX_COLUMNS, MAX_ROWS
from indexer.readers.tables import Row, table_blocks
from indexer.types import Block, Reading

_NS = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_TEXT, _TABLE, _OFFICE, _DRAW, _STYLE = (_NS % name for name in ("text", "table", "office", "drawing", "style"))
_PRESENTATION, _SVG = _NS % "presentation", _NS % "svg-compatible"
_FORMS = {"text": "odt", "spreadsheet": "ods", "presentation": "odp", "drawing": "odp"}
_SILENT = frozenset(
    (
        f"{_TEXT}tracked-changes",
        f"{_TEXT}table-of-content",
        f"{_TEXT}sequence-decls",
        f"{_OFFICE}forms",
        f"{_TEXT}note-citation",
    )
)
_FIELDS = {
    "author": ("initial-creator", "creator"),
    "subject": ("subject",),
    "description": ("description",),
    "keywords": ("keyword",),
    "created": ("creation-date",),
    "last modified": ("date",),
}
_HANGING = (f"{_DRAW}frame", f"{_DRAW}custom-shape")
_MAX_REPEATED = 1_000


def read(name: str, data: bytes) -> Reading:
    """Read an OpenDocument file; changes that were deleted and generated tables of contents are left out."""
    if data.startswith(b"PK"):
        with open_archive(data) as archive:
            members = set(archive.namelist())
            if b"manifest:encryption-data" in (
                read_member(archive, "META-INF/manifest.xml") if "META-INF/manifest.xml" in members else b""
            ):
                raise Unreadable("encrypted")
            root = _parsed(read_member(archive, "content.xml"))
            about, styles = (
                _parsed(read_member(archive, name)) if name in members else None for name in ("meta.xml", "styles.xml")
            )
    else:
        root = about = styles = _parsed(data)
    body = root.find(f".//{_OFFICE}body")
    content = next(iter(body), None) if body is not None else None
    if content is None:
        raise Unreadable("damaged OpenDocument file")
    form = _FORMS.get(content.tag.rpartition("}")[2], "odt")
    walk = _Walk(root, _raised_styles(root, styles))
    if form == "ods":
        blocks = tuple(_sheets(content, walk))
    elif form == "odp":
        blocks = tuple(_slides(content, walk))
    else:
        blocks = (*walk.blocks(content), *_around(styles, walk))
    title, fields = _about(about)
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    notes = counted({"pictures": walk.pictures, "charts": walk.charts}, "not read")
    return Reading(blocks, form, title or (first if form != "ods" else ""), fields, notes)


def _raised_styles(*roots: Any) -> frozenset[str]:
    """Return the names of the styles that print letters above the line."""
    return frozenset(
        style.get(f"{_STYLE}name", "")
        for root in roots
        if root is not None
        for style in root.iter(f"{_STYLE}style")
        for each in style.iterfind(f"{_STYLE}text-properties")
        if re.match(r"super|[1-9]\d*%", each.get(f"{_STYLE}text-position", ""))
    )


def _around(styles: Any, walk: _Walk) -> Iterator[Block]:
    """Yield what stands above and below every page, each line once."""
    seen: set[str] = set()
    for name in ("header", "footer"):
        for part in styles.iter(f"{_STYLE}{name}") if styles is not None else ():
            text = " ".join(filter(None, map(walk.text, part.iter(f"{_TEXT}p"))))
            if text and text not in seen:
                seen.add(text)
                yield Block(f"{name.capitalize()}: {text}", "row")


def _parsed(data: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable("damaged OpenDocument file") from error
    if root is None:
        raise Unreadable("damaged OpenDocument file")
    return root


def _about(root: Any) -> tuple[str, dict[str, str]]:
    if root is None:
        return "", {}
    meta = root.find(f".//{_OFFICE}meta")
    if meta is None:
        return "", {}

    def filled(names: tuple[str, ...]) -> str:
        found = (" ".join("".join(each.itertext()).split()) for name in names for each in meta.iterfind(f"{{*}}{name}"))
        return next((value for value in found if not is_placeholder(value)), "")

    fields = {ours: filled(theirs) for ours, theirs in _FIELDS.items()}
    for key in ("created", "last modified"):
        fields[key] = iso_date(fields[key].partition(".")[0])
    fields["date"] = fields["last modified"] or fields["created"]
    if fields["created"][:10] == fields["last modified"][:10]:
        del fields["last modified"]
    return filled(("title",)), {key: value for key, value in fields.items() if value}


class _Walk:
    """Reads texts: headings, paragraphs, lists and tables, one after the other."""

    def __init__(self, root: Any, raised: frozenset[str]) -> None:
        self.page: int | None = None
        self.pictures = self.charts = 0
        self._raised = raised
        self._titles = {"Title"}
        self._numbered: set[tuple[str, str]] = set()
        for style in root.iter(f"{_STYLE}style"):
            if style.get(f"{_STYLE}parent-style-name") == "Title":
                self._titles.add(style.get(f"{_STYLE}name", ""))
        for style in root.iter(f"{_TEXT}list-style"):
            for level in style.iter(f"{_TEXT}list-level-style-number"):
                if level.get(f"{_STYLE}num-format"):
                    self._numbered.add((style.get(f"{_STYLE}name", ""), level.get(f"{_TEXT}level", "1")))

    def text(self, element: Any) -> str:
        """Return the words of an element, without those of its notes and frames; raised digits are powers."""
        text = ""
        for piece, is_raised in _pieces(element, self._raised):
            text += printed_power(text.rstrip(), piece) if is_raised and is_signed_number(piece) else piece
        return text.strip()

    def blocks(self, parent: Any) -> Iterator[Block]:
        """Yield the blocks below an element."""
        for child in parent:
            tag = child.tag
            if tag in _SILENT or not isinstance(tag, str):
                continue
            if tag == f"{_TEXT}h":
                level = child.get(f"{_TEXT}outline-level", "1")
                yield from self._block(child, min(int(level), 6) if level.isdigit() else 1)
            elif tag == f"{_TEXT}p":
                yield from self._block(child, child.get(f"{_TEXT}style-name") in self._titles)
            elif tag == f"{_TEXT}list":
                text = "\n".join(self._items(child, child.get(f"{_TEXT}style-name", ""), 0))
                if text:
                    yield Block(text, page=self.page)
            elif tag == f"{_TABLE}table":
                rows = [" | ".join(row).rstrip(" |") for row in _rows(child, self.text) if any(row)]
                if rows:
                    yield Block("\n".join(rows), "table", page=self.page)
            elif tag == f"{_DRAW}frame":
                yield from self.frame(child)
            else:
                yield from self.blocks(child)

    def _block(self, paragraph: Any, level: int) -> Iterator[Block]:
        text = self.text(paragraph)
        if text:
            yield Block(text, "heading" if level else "paragraph", int(level), self.page)
        for hanging in paragraph.iter(*_HANGING):
            if next(hanging.iterancestors(*_HANGING, f"{_TEXT}p", f"{_TEXT}h"), None) is paragraph:
                yield from self.frame(hanging) if hanging.tag == _HANGING[0] else self.blocks(hanging)
        for note in paragraph.iter(f"{_TEXT}note-body"):
            if said := self._paragraphs_of(note):
                yield Block(said, page=self.page)
        for comment in paragraph.iter(f"{_OFFICE}annotation"):
            if told := self.comment(comment):
                yield Block(told, page=self.page)

    def frame(self, frame: Any) -> Iterator[Block]:
        """Yield what stands in a frame: the text of a box, or what was written about a picture."""
        if frame.find(f"{_TABLE}table") is not None:
            yield from self.blocks(frame)
            return  # what else is in it is a picture of the table
        for box in frame.iterfind(f"{_DRAW}text-box"):
            yield from self.blocks(box)
        about = next((each.text for name in ("desc", "title") for each in frame.iterfind(f"{_SVG}{name}")), "") or ""
        if frame.find(f"{_DRAW}object") is not None:
            self.charts += 1
        elif frame.find(f"{_DRAW}image") is not None:
            if told := described(about):
                yield Block(f"Picture: {told}", page=self.page)
            else:
                self.pictures += 1

    def _paragraphs_of(self, element: Any) -> str:
        return " ".join(filter(None, map(self.text, element.iter(f"{_TEXT}p"))))

    def comment(self, annotation: Any, place: str = "") -> str:
        """Return a comment with its author, "" for an empty one."""
        author = " ".join((annotation.findtext("{*}creator") or "").split())
        said = self._paragraphs_of(annotation)
        return f"Comment{f' on {place}' if place else ''}{f' by {author}' if author else ''}: {said}" if said else ""

    def _items(self, items: Any, style: str, depth: int) -> Iterator[str]:
        number = 0
        for item in items:
            for child in item:
                if child.tag == f"{_TEXT}list":
                    yield from self._items(child, child.get(f"{_TEXT}style-name", style), depth + 1)
                elif text := self.text(child):
                    number += 1
                    is_numbered = (style, str(depth + 1)) in self._numbered
                    yield "  " * depth + (f"{number}. " if is_numbered else "- ") + " ".join(text.split())


def _pieces(element: Any, raised: frozenset[str], is_raised: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield pieces of text, each with whether it is printed above the line."""
    yield element.text or "", is_raised
    for child in element:
        tag = child.tag
        if tag == f"{_TEXT}s":
            count = child.get(f"{_TEXT}c", "1")
            yield " " * (min(int(count), 100) if count.isdigit() else 1), False
        elif tag == f"{_TEXT}tab":
            yield "\t", False
        elif tag == f"{_TEXT}line-break":
            yield "\n", False
        elif isinstance(tag, str) and tag not in (
            f"{_TEXT}note",
            f"{_OFFICE}annotation",
            f"{_DRAW}frame",
            f"{_DRAW}custom-shape",
        ):
            yield from _pieces(child, raised, is_raised or child.get(f"{_TEXT}style-name") in raised)
        yield child.tail or "", is_raised


def _rows(table: Any, words: Callable[[Any], str]) -> Iterator[list[str]]:
    """Yield the cells of each row as shown; a cell over several columns or rows is repeated in each."""
    above: dict[int, tuple[str, int]] = {}
    for row in table.iter(f"{_TABLE}table-row"):
        if next(row.iterancestors(f"{_TABLE}table"), None) is not table:
            continue
        cells: list[str] = []
        for cell in row:
            covered = cell.tag == f"{_TABLE}covered-table-cell"
            if not covered and cell.tag != f"{_TABLE}table-cell":
                continue
            shown = (each for each in cell.iter(f"{_TEXT}p") if each.getparent().tag != f"{_OFFICE}annotation")
            text = " ".join(" ".join(filter(None, map(words, shown))).split())
            if covered:
                text, left = above.get(len(cells), ("", 0))
                above[len(cells)] = (text, left - 1) if left > 1 else ("", 0)
            wide, high = _count(cell, "number-columns-spanned"), _count(cell, "number-rows-spanned")
            for place in range(wide):
                above[len(cells) + place] = (
                    (text, high if high > 1 or wide > 1 else 0) if not covered else above.get(len(cells), ("", 0))
                )
            repeated = _count(cell, "number-columns-repeated")
            cells += [text] * (repeated if text else min(repeated, MAX_COLUMNS - len(cells)))
        while cells and not cells[-1]:
            cells.pop()
        repeated = _count(row, "number-rows-repeated")
        for _ in range(repeated if cells else 1):
            yield cells[:MAX_COLUMNS]


def _count(element: Any, name: str) -> int:
    value = element.get(f"{_TABLE}{name}", "1")
    return max(1, min(int(value), _MAX_REPEATED)) if value.isascii() and value.isdigit() else 1


def _sheets(content: Any, walk: _Walk) -> Iterator[Block]:
    for number, table in enumerate(content.iterfind(f"{_TABLE}table"), 1):
        yield Block(table.get(f"{_TABLE}name", f"Sheet {number}"), "heading", 1, page=number)
        rows = (Row(cells, line) for line, cells in zip(range(1, MAX_ROWS + 1), _rows(table, walk.text), strict=False))
        yield from table_blocks(rows, number)
        walk.page = number
        for comment in table.iter(f"{_OFFICE}annotation"):
            if told := walk.comment(comment, _place(comment.getparent())):
                yield Block(told, "row", page=number)
        for frame in table.iter(f"{_DRAW}frame"):
            yield from walk.frame(frame)


def _place(cell: Any) -> str:
    """Return the place of a cell in its sheet, such as "C2"; "" for what is no cell."""
    row = cell.getparent()
    if row is None or row.tag != f"{_TABLE}table-row":
        return ""
    before = sum(_count(each, "number-columns-repeated") for each in cell.itersiblings(preceding=True))
    rows = (each for each in row.getparent().iter(f"{_TABLE}table-row"))
    above = sum(_count(each, "number-rows-repeated") for each in takewhile(lambda each: each is not row, rows))
    letters = ""
    column = before + 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{above + 1}"


def _slides(content: Any, walk: _Walk) -> Iterator[Block]:
    for number, slide in enumerate(content.iterfind(f"{_DRAW}page"), 1):
        walk.page = number
        for frame in slide:
            if frame.get(f"{_PRESENTATION}class") == "title":
                if title := " ".join(filter(None, map(walk.text, frame.iter(f"{_TEXT}p", f"{_TEXT}h")))):
                    yield Block(title, "heading", 1, page=number)
            elif frame.tag == f"{_PRESENTATION}notes":
                if notes := " ".join(filter(None, map(walk.text, frame.iter(f"{_TEXT}p")))):
                    yield Block(f"Notes: {notes}", page=number)
            elif frame.tag == f"{_DRAW}frame":
                yield from walk.frame(frame)
            else:
                yield from walk.blocks(frame)
