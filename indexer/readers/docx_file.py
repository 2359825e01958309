"""Word documents: paragraphs, headings, lists, tables, text boxes and charts in the order of the document.

Notes, comments, headers and footers follow at its end.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.archive import open_archive
from indexer.readers.chart import chart_text
from indexer.readers.docx_numbering import Numbering
from indexer.readers.docx_text import W, boxes, children, paragraph_text, table_rows
from indexer.readers.office import properties
from indexer.types import Block, Reading

_ITEM = -1
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read(name: str, data: bytes) -> Reading:
    """Read a document; text that a tracked change deleted is left out, macros are never looked at."""
    with open_archive(data) as archive:
        title, metadata = properties(archive)
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from lxml.etree import XMLSyntaxError

    try:
        document = docx.Document(io.BytesIO(data))
    except (PackageNotFoundError, XMLSyntaxError, KeyError, ValueError, AttributeError) as error:
        raise Unreadable("damaged Word document") from error
    body = _Body(document)
    blocks = [*body.blocks(document.element.body), *_after(document)]
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    return Reading(tuple(blocks), "docx", title or first, metadata)


def _levels(styles: Any) -> dict[str, int]:
    """Return the level of each style that makes a heading, `_ITEM` for a list; styles based on one count as well."""
    levels: dict[str, int] = {}
    for style in styles.iter(f"{W}style"):
        key = style.get(f"{W}styleId", "")
        name = style.find(f"{W}name")
        label = (name.get(f"{W}val", "") if name is not None else "").lower()
        outline = style.find(f"{W}pPr/{W}outlineLvl")
        based = style.find(f"{W}basedOn")
        if label == "title":
            levels[key] = 1
        elif label.startswith("heading ") and label[8:].isdigit():
            levels[key] = int(label[8:])
        elif outline is not None and outline.get(f"{W}val", "9").isdigit() and int(outline.get(f"{W}val", "9")) < 9:
            levels[key] = int(outline.get(f"{W}val")) + 1
        elif based is not None and based.get(f"{W}val") in levels:
            levels[key] = levels[based.get(f"{W}val")]
        elif style.find(f"{W}pPr/{W}numPr") is not None:
            levels[key] = _ITEM
    return levels


class _Body:
    """What reading the paragraphs of one document needs: its styles, its lists and its charts."""

    def __init__(self, document: Any) -> None:
        styles = document.styles.element
        self.levels = _levels(styles)
        self.lists = {
            style.get(f"{W}styleId", ""): found
            for style in styles.iter(f"{W}style")
            if (found := style.find(f"{W}pPr/{W}numPr")) is not None
        }
        self.parts = {key: relation for key, relation in document.part.rels.items() if not relation.is_external}
        numbering = [each.target_part for each in self.parts.values() if each.reltype.endswith("/numbering")]
        self.numbering = Numbering(numbering[0].element if numbering else None)

    def blocks(self, parent: Any) -> Iterator[Block]:
        """Yield the blocks of a body or text box, through content controls and tracked insertions.

        python-docx's own iterator passes over both, and with them over cover pages and accepted text.
        """
        items: list[str] = []
        for child in children(parent):
            is_paragraph = child.tag == f"{W}p"
            text = paragraph_text(child) if is_paragraph else ""
            mark = self._mark(child) if text else ""
            if mark:
                items.append(mark + text)
                continue
            if items and (not is_paragraph or text):
                yield Block("\n".join(items))
                items = []
            if text:
                level = self._level(child)
                yield Block(text, "heading" if level > 0 else "paragraph", max(level, 0))
            if is_paragraph:
                yield from self._hanging(child)
            elif child.tag == f"{W}tbl":
                yield Block("\n".join(" | ".join(row).rstrip(" |") for row in table_rows(child)), "table")
        if items:
            yield Block("\n".join(items))

    def _hanging(self, paragraph: Any) -> Iterator[Block]:
        """Yield what hangs on a paragraph: the text boxes and charts."""
        for box in boxes(paragraph):
            yield from self.blocks(box)
        for chart in paragraph.iter(_CHART):
            relation = self.parts.get(chart.get(_ID, ""))
            if relation is not None and (text := chart_text(_root(relation.target_part))):
                yield Block(text, "table")

    def _style(self, paragraph: Any) -> str:
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        return str(style.get(f"{W}val", "")) if style is not None else ""

    def _level(self, paragraph: Any) -> int:
        return self.levels.get(self._style(paragraph), 0)

    def _mark(self, paragraph: Any) -> str:
        """Return what stands before an item of a list, "" for what is none."""
        level = self._level(paragraph)
        own = paragraph.find(f"{W}pPr/{W}numPr")
        if level > 0 or (own is None and level != _ITEM):
            return ""
        found = own if own is not None else self.lists.get(self._style(paragraph))
        list_id, depth = _part(found, "numId"), _part(found, "ilvl")
        if list_id == "0":
            return ""  # numbering taken away
        return self.numbering.mark(list_id, int(depth) if depth.isascii() and depth.isdigit() else 0)


def _part(numbered: Any, name: str) -> str:
    found = numbered.find(f"{W}{name}") if numbered is not None else None
    return str(found.get(f"{W}val", "")) if found is not None else ""


def _root(part: Any) -> Any:
    from docx.oxml import parse_xml

    return parse_xml(part.blob)


def _after(document: Any) -> Iterator[Block]:
    """Yield the notes, then the comments, then what headers and footers say, each line of these once."""
    relations = [each for each in document.part.rels.values() if not each.is_external]
    for relation in relations:
        if relation.reltype.endswith(("/footnotes", "/endnotes")):
            for note in _root(relation.target_part):
                text = "\n".join(filter(None, map(paragraph_text, note.iter(f"{W}p"))))
                if text and note.get(f"{W}type") is None:
                    yield Block(text)
    for relation in relations:
        if relation.reltype.endswith("/comments"):
            for comment in _root(relation.target_part):
                text = " ".join(filter(None, map(paragraph_text, comment.iter(f"{W}p"))))
                if text:
                    author = comment.get(f"{W}author", "").strip()
                    yield Block(f"Comment by {author}: {text}" if author else f"Comment: {text}")
    for ending, label in (("/header", "Header"), ("/footer", "Footer")):
        lines = (
            " ".join(paragraph_text(paragraph).split())
            for relation in relations
            if relation.reltype.endswith(ending)
            for paragraph in _root(relation.target_part).iter(f"{W}p")
        )
        for line in dict.fromkeys(lines):
            if sum(map(str.isalpha, line.lower().replace("page", "").replace("of", ""))) > 2:  # more than its number
                yield Block(f"{label}: {line}", "row")
