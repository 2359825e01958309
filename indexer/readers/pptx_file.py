"""Slides: their text, tables, charts, diagrams, what pictures show, and speaker's notes; a slide is a page."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.archive import open_archive
from indexer.readers.chart import chart_text
from indexer.readers.notes import counted
from indexer.readers.office import described, properties, title_of
from indexer.readers.raised import is_signed_number, printed_power
from indexer.types import Block, Reading

_MAX_DEPTH = 20
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def read(name: str, data: bytes) -> Reading:
    """Read a presentation; each slide's title is a heading, notes follow their slide."""
    with open_archive(data) as archive:
        title, metadata = properties(archive)
    from lxml.etree import XMLSyntaxError
    from pptx import Presentation
    from pptx.exc import PythonPptxError

    not_read: Counter[str] = Counter()
    try:
        presentation = Presentation(io.BytesIO(data))
        slides = list(enumerate(presentation.slides, 1))
        blocks = [block for number, slide in slides for block in _slide(slide, number, not_read)]
        notes = [f"slide {number} is hidden" for number, slide in slides if slide.element.get("show") == "0"]
    except (PythonPptxError, XMLSyntaxError, KeyError, ValueError, AttributeError) as error:
        raise Unreadable("damaged presentation") from error
    notes.extend(counted(not_read, "not read"))
    return Reading(tuple(blocks), "pptx", title_of(title, blocks), metadata, tuple(notes))


def _slide(slide: Any, number: int, not_read: Counter[str]) -> Iterator[Block]:
    title = slide.shapes.title
    if title is not None and title.text_frame.text.strip():
        yield Block(_joined(title.text_frame).replace("\n", " "), "heading", 1, page=number)
    yield from _shapes(slide.shapes, number, title, 0, not_read)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = _joined(slide.notes_slide.notes_text_frame)
        if notes:
            yield Block(f"Notes: {notes}", page=number)


def _shapes(shapes: Any, number: int, title: Any, depth: int, not_read: Counter[str]) -> Iterator[Block]:
    for shape in shapes:
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if hasattr(shape, "shapes"):
            if depth < _MAX_DEPTH:
                yield from _shapes(shape.shapes, number, title, depth + 1, not_read)
        elif getattr(shape, "has_table", False):
            rows = _merged(
                [[" ".join(cell.text.split()) for cell in row.cells] for row in shape.table.rows], shape.table
            )
            yield Block("\n".join(" | ".join(row).rstrip(" |") for row in rows if any(row)), "table", page=number)
        elif getattr(shape, "has_chart", False):
            if text := chart_text(shape.chart.element):
                yield Block(text, "table", page=number)
            else:
                not_read["charts"] += 1
        elif shape.has_text_frame and (text := _joined(shape.text_frame)):
            yield Block(text, page=number)
        elif diagram := _diagram(shape):
            yield Block(diagram, page=number)
        if text := _described(shape):
            yield Block(f"Picture: {text}", page=number)
        elif shape.element.tag.endswith("}pic"):
            not_read["pictures"] += 1


def _merged(rows: list[list[str]], table: Any) -> list[list[str]]:
    """Return the rows with the text of merged cells in each of the places they cover."""
    for y, row in enumerate(table.rows):
        for x, cell in enumerate(row.cells):
            if cell.is_merge_origin:
                for below in range(y, min(y + cell.span_height, len(rows))):
                    for beside in range(x, min(x + cell.span_width, len(rows[below]))):
                        rows[below][beside] = rows[y][x]
    return rows


def _diagram(shape: Any) -> str:
    """Return the texts of a SmartArt diagram, one a line; "" for other shapes."""
    ids = shape.element.find(f".//{_DIAGRAM}relIds")
    if ids is None:
        return ""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(shape.part.related_part(ids.get(f"{_RELATION}dm", "")).blob, parser)
    points = ("".join(node.text or "" for node in point.iter(f"{_A}t")) for point in root.iter(f"{_DIAGRAM}pt"))
    return "\n".join(f"- {' '.join(point.split())}" for point in points if point.strip())


def _described(shape: Any) -> str:
    """Return what a person wrote that a picture or chart shows, "" where a program put the file's name."""
    about = next(iter(shape.element.xpath("./*/p:cNvPr")), None)
    return described(about.get("descr") or "") if about is not None else ""


def _joined(frame: Any) -> str:
    lines = (_line(paragraph).strip() for paragraph in frame.paragraphs)
    return "\n".join(line for line in lines if line)


def _line(paragraph: Any) -> str:
    """Return the words of a paragraph; raised digits are powers."""
    text = ""
    for piece in paragraph._p:
        found = piece.findtext(f"{_A}t") or ""
        if piece.tag == f"{_A}br":
            text += "\n"
        elif is_signed_number(found) and _is_raised(piece):
            text += printed_power(text, found)
        else:
            text += found
    return text


def _is_raised(run: Any) -> bool:
    about = run.find(f"{_A}rPr")
    return about is not None and about.get("baseline", "0").strip("%").isdigit() and about.get("baseline") != "0"
