"""Word documents: paragraphs, headings, lists and tables in the order of the document, footnotes at its end."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.archive import open_archive
from indexer.readers.office import properties
from indexer.types import Block, Reading

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ITEM = -1
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TRANSPARENT = frozenset(_W + tag for tag in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"))


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
    styles = _levels(document)
    blocks = [*_walk(document.element.body, styles), *_notes(document)]
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    return Reading(tuple(blocks), "docx", title or first, metadata)


def _levels(document: Any) -> dict[str, int]:
    """Return the level of each style that makes a heading, `_ITEM` for a list; styles based on one count as well."""
    levels: dict[str, int] = {}
    for style in document.styles.element.iter(f"{_W}style"):
        key = style.get(f"{_W}styleId", "")
        name = style.find(f"{_W}name")
        label = (name.get(f"{_W}val", "") if name is not None else "").lower()
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        based = style.find(f"{_W}basedOn")
        if label == "title":
            levels[key] = 1
        elif label.startswith("heading ") and label[8:].isdigit():
            levels[key] = int(label[8:])
        elif outline is not None and outline.get(f"{_W}val", "9").isdigit() and int(outline.get(f"{_W}val", "9")) < 9:
            levels[key] = int(outline.get(f"{_W}val")) + 1
        elif based is not None and based.get(f"{_W}val") in levels:
            levels[key] = levels[based.get(f"{_W}val")]
        elif style.find(f"{_W}pPr/{_W}numPr") is not None:
            levels[key] = _ITEM
    return levels


def _walk(parent: Any, styles: dict[str, int]) -> Iterator[Block]:
    """Yield the blocks of a body or cell, through content controls and tracked insertions.

    python-docx's own iterator passes over both, and with them over cover pages and accepted text.
    """
    items: list[str] = []
    for child in parent:
        is_paragraph = child.tag == f"{_W}p"
        level = _level(child, styles) if is_paragraph else 0
        numbered = is_paragraph and child.find(f"{_W}pPr/{_W}numPr") is not None
        if level == _ITEM or (numbered and not level):
            if text := _text(child):
                items.append(f"- {text}")
            continue
        if items and (not is_paragraph or _text(child)):
            yield Block("\n".join(items))
            items = []
        if is_paragraph:
            if text := _text(child):
                yield Block(text, "heading" if level else "paragraph", level)
        elif child.tag == f"{_W}tbl":
            rows = [" | ".join(_cell(cell) for cell in row.iterchildren(f"{_W}tc")) for row in child.iter(f"{_W}tr")]
            yield Block("\n".join(row for row in rows if row.strip(" |")), "table")
        elif child.tag in _TRANSPARENT:
            yield from _walk(child, styles)
    if items:
        yield Block("\n".join(items))


def _level(paragraph: Any, styles: dict[str, int]) -> int:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return styles.get(style.get(f"{_W}val", ""), 0) if style is not None else 0


def _cell(cell: Any) -> str:
    return " ".join(" ".join(_text(paragraph) for paragraph in cell.iterchildren(f"{_W}p")).split())


def _text(paragraph: Any) -> str:
    pieces: list[str] = []
    for node in paragraph.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}cr", f"{_W}noBreakHyphen"):
        if node.tag == f"{_W}t":
            if next(node.iterancestors(_FALLBACK), None) is None:  # the same text box again, for old programs
                pieces.append(node.text or "")
        elif node.getparent().tag == f"{_W}r":
            pieces.append({"tab": "\t", "noBreakHyphen": "-"}.get(node.tag.removeprefix(_W), "\n"))
    return "".join(pieces).strip()


def _notes(document: Any) -> Iterator[Block]:
    from docx.oxml import parse_xml

    for relation in document.part.rels.values():
        if not relation.is_external and relation.reltype.endswith(("/footnotes", "/endnotes")):
            root = parse_xml(relation.target_part.blob)
            for note in root:
                text = "\n".join(filter(None, map(_text, note.iter(f"{_W}p"))))
                if text and note.get(f"{_W}type") is None:
                    yield Block(text)
