"""OpenDocument texts, sheets and slides, packed (.odt, .ods, .odp) and flat (.fodt): the same elements in each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.archive import open_archive, read_member
from indexer.readers.dates import iso_date
from indexer.readers.fields import is_placeholder
from indexer.readers.rows import MAX_COLUMNS, MAX_ROWS
from indexer.readers.tables import Row, table_blocks
from indexer.types import Block, Reading

_NS = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_TEXT, _TABLE, _OFFICE, _DRAW, _STYLE = (_NS % name for name in ("text", "table", "office", "drawing", "style"))
_PRESENTATION = _NS % "presentation"
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
    "author": ("creator", "initial-creator"),
    "subject": ("subject",),
    "description": ("description",),
    "keywords": ("keyword",),
    "created": ("creation-date",),
    "last modified": ("date",),
}
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
            about = _parsed(read_member(archive, "meta.xml")) if "meta.xml" in members else None
    else:
        root = about = _parsed(data)
    body = root.find(f".//{_OFFICE}body")
    content = next(iter(body), None) if body is not None else None
    if content is None:
        raise Unreadable("damaged OpenDocument file")
    form = _FORMS.get(content.tag.rpartition("}")[2], "odt")
    blocks = tuple(
        _sheets(content) if form == "ods" else _slides(content) if form == "odp" else _Walk(root).blocks(content)
    )
    title, fields = _about(about)
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    return Reading(blocks, form, title or (first if form != "ods" else ""), fields)


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

    def __init__(self, root: Any, page: int | None = None) -> None:
        self.page = page
        self._titles = {"Title"}
        self._numbered: set[tuple[str, str]] = set()
        for style in root.iter(f"{_STYLE}style"):
            if style.get(f"{_STYLE}parent-style-name") == "Title":
                self._titles.add(style.get(f"{_STYLE}name", ""))
        for style in root.iter(f"{_TEXT}list-style"):
            for level in style.iter(f"{_TEXT}list-level-style-number"):
                if level.get(f"{_STYLE}num-format"):
                    self._numbered.add((style.get(f"{_STYLE}name", ""), level.get(f"{_TEXT}level", "1")))

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
                rows = [" | ".join(row).rstrip(" |") for row in _rows(child) if any(row)]
                if rows:
                    yield Block("\n".join(rows), "table", page=self.page)
            else:
                yield from self.blocks(child)

    def _block(self, paragraph: Any, level: int) -> Iterator[Block]:
        text = _text(paragraph)
        if text:
            yield Block(text, "heading" if level else "paragraph", int(level), self.page)
        for frame in paragraph.iter(f"{_DRAW}text-box"):
            yield from self.blocks(frame)
        for note in paragraph.iter(f"{_TEXT}note-body", f"{_OFFICE}annotation"):
            if said := " ".join(filter(None, map(_text, note.iter(f"{_TEXT}p")))):
                yield Block(said, page=self.page)

    def _items(self, items: Any, style: str, depth: int) -> Iterator[str]:
        number = 0
        for item in items:
            for child in item:
                if child.tag == f"{_TEXT}list":
                    yield from self._items(child, child.get(f"{_TEXT}style-name", style), depth + 1)
                elif text := _text(child):
                    number += 1
                    is_numbered = (style, str(depth + 1)) in self._numbered
                    yield "  " * depth + (f"{number}. " if is_numbered else "- ") + " ".join(text.split())


def _text(element: Any) -> str:
    return "".join(_pieces(element)).strip()


def _pieces(element: Any) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        tag = child.tag
        if tag == f"{_TEXT}s":
            count = child.get(f"{_TEXT}c", "1")
            yield " " * (min(int(count), 100) if count.isdigit() else 1)
        elif tag == f"{_TEXT}tab":
            yield "\t"
        elif tag == f"{_TEXT}line-break":
            yield "\n"
        elif isinstance(tag, str) and tag not in (
            f"{_TEXT}note",
            f"{_OFFICE}annotation",
            f"{_DRAW}frame",
            f"{_DRAW}custom-shape",
        ):
            yield from _pieces(child)
        yield child.tail or ""


def _rows(table: Any) -> Iterator[list[str]]:
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
            text = " ".join(" ".join(filter(None, map(_text, cell.iter(f"{_TEXT}p")))).split())
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


def _sheets(content: Any) -> Iterator[Block]:
    for number, table in enumerate(content.iterfind(f"{_TABLE}table"), 1):
        yield Block(table.get(f"{_TABLE}name", f"Sheet {number}"), "heading", 1, page=number)
        rows = (Row(cells, line) for line, cells in zip(range(1, MAX_ROWS + 1), _rows(table), strict=False))
        yield from table_blocks(rows, number)


def _slides(content: Any) -> Iterator[Block]:
    for number, slide in enumerate(content.iterfind(f"{_DRAW}page"), 1):
        walk = _Walk(slide, number)
        for frame in slide:
            if frame.get(f"{_PRESENTATION}class") == "title":
                if title := " ".join(filter(None, map(_text, frame.iter(f"{_TEXT}p", f"{_TEXT}h")))):
                    yield Block(title, "heading", 1, page=number)
            elif frame.tag == f"{_PRESENTATION}notes":
                if notes := " ".join(filter(None, map(_text, frame.iter(f"{_TEXT}p")))):
                    yield Block(f"Notes: {notes}", page=number)
            else:
                yield from walk.blocks(frame)
