"""Slides: their text, tables and speaker's notes; a slide is a page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from indexer.errors import Unreadable
from indexer.readers.archive import open_archive
from indexer.readers.office import properties
from indexer.types import Block, Reading

_MAX_DEPTH = 20


def read(name: str, data: bytes) -> Reading:
    """Read a presentation; each slide's title is a heading, notes follow their slide."""
    with open_archive(data) as archive:
        title, metadata = properties(archive)
    from lxml.etree import XMLSyntaxError
    from pptx import Presentation
    from pptx.exc import PythonPptxError

    try:
        presentation = Presentation(io.BytesIO(data))
        blocks = [block for number, slide in enumerate(presentation.slides, 1) for block in _slide(slide, number)]
    except (PythonPptxError, XMLSyntaxError, KeyError, ValueError, AttributeError) as error:
        raise Unreadable("damaged presentation") from error
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    return Reading(tuple(blocks), "pptx", title or first, metadata)


def _slide(slide: Any, number: int) -> Iterator[Block]:
    title = slide.shapes.title
    if title is not None and title.text_frame.text.strip():
        yield Block(_joined(title.text_frame).replace("\n", " "), "heading", 1, page=number)
    yield from _shapes(slide.shapes, number, title, 0)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = _joined(slide.notes_slide.notes_text_frame)
        if notes:
            yield Block(f"Notes: {notes}", page=number)


def _shapes(shapes: Any, number: int, title: Any, depth: int) -> Iterator[Block]:
    for shape in shapes:
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if hasattr(shape, "shapes"):
            if depth < _MAX_DEPTH:
                yield from _shapes(shape.shapes, number, title, depth + 1)
        elif getattr(shape, "has_table", False):
            rows = [" | ".join(" ".join(cell.text.split()) for cell in row.cells) for row in shape.table.rows]
            yield Block("\n".join(row for row in rows if row.strip(" |")), "table", page=number)
        elif shape.has_text_frame and (text := _joined(shape.text_frame)):
            yield Block(text, page=number)


def _joined(frame: Any) -> str:
    lines = (paragraph.text.replace("\v", "\n").strip() for paragraph in frame.paragraphs)
    return "\n".join(line for line in lines if line)
