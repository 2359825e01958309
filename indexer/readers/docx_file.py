"""Word documents: paragraphs, headings, lists, tables, text boxes and charts in the order of the document.

Notes, comments, headers and footers follow at its end.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.archive import open_archive
from indexer.readers.chart import chart_text
from indexer.readers.docx_numbering import Numbering
from indexer.readers.docx_text import W, boxes, children, is_bold, paragraph_text, symbol_of, table_rows
from indexer.readers.notes import counted
from indexer.readers.office import described, properties, title_of
from indexer.types import Block, Reading

_ITEM, _CONTENTS = -1, -2
"""Levels of styles that make no heading: an item of a list, a line of the generated table of contents."""
_BOLD_LEVEL = 2
_MAX_BOLD = 100
_BOLD_SHARE = 0.3
"""Most share of the paragraphs that are headings, where bold print makes them."""
_PICTURE = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
_BLIP = "{http://schemas.openxmlformats.org/drawingml/2006/main}blip"
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
    return Reading(tuple(blocks), "docx", title_of(title, blocks), metadata, counted(body.not_read, "not read"))


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
        elif label.startswith(("toc ", "table of figures")):
            levels[key] = _CONTENTS
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
        self.bold = self._bold_headings(document.element.body)
        self.not_read: Counter[str] = Counter()
        self.not_read["symbols"] = sum(not symbol_of(sym) for sym in document.element.body.iter(f"{W}sym"))

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
            if text and self._level(child) == _CONTENTS:
                self.not_read["lines of the table of contents"] += 1
            elif text:
                level = self._level(child) if child not in self.bold else _BOLD_LEVEL
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
            else:
                self.not_read["charts"] += 1
        for picture in paragraph.iter(_PICTURE):
            about = " ".join((picture.get("descr") or "").split())
            if about and (told := described(about)):
                yield Block(f"Picture: {told}")
            elif picture.getparent().find(f".//{_BLIP}") is not None:
                self.not_read["pictures"] += 1

    def _bold_headings(self, body: Any) -> set[Any]:
        """Return the paragraphs that head others by bold print alone; none where a style makes headings."""
        paragraphs = [child for child in children(body) if child.tag == f"{W}p" and paragraph_text(child)]
        if any(self._level(each) > 1 for each in paragraphs):
            return set()
        plain = (each for each in pairwise([*paragraphs, None]) if not self._level(each[0]))
        found = {each for each, after in plain if after is not None and _heads(each) and not _heads(after)}
        return found if len(found) <= _BOLD_SHARE * len(paragraphs) + 1 else set()

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


def _heads(paragraph: Any) -> bool:
    text = paragraph_text(paragraph)
    if paragraph.find(f"{W}pPr/{W}numPr") is not None:
        return False  # an item of a list
    return len(text) <= _MAX_BOLD and text[-1] not in ".,;:" and any(map(str.isalpha, text)) and is_bold(paragraph)


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
