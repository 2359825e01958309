"""Jupyter notebooks: Markdown and code cells, and what the code printed as text, up to a bound."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from indexer.readers.code import definitions
from indexer.readers.encoding import decode
from indexer.readers.frames import table_of
from indexer.readers.html_page import blocks_in
from indexer.readers.json_values import as_text
from indexer.readers.markdown import markdown_blocks, plain
from indexer.readers.notes import counted
from indexer.readers.text import reading_of
from indexer.types import Block, BlockKind, Reading

_MAX_HTML = 200_000
_MAX_OUTPUT = 5_000
"""Characters kept of one output; logs of a training run are no documentation."""


def read(name: str, data: bytes) -> Reading:
    """Read a notebook; pictures and other rich outputs are left out, long outputs cut."""
    decoded = decode(data)
    try:
        notebook = json.loads(decoded.text)
        blocks = list(_cells(notebook["cells"]))
        pictures = sum(_is_shown_alone(output) for cell in notebook["cells"] for output in cell.get("outputs") or [])
        metadata = notebook.get("metadata") or {}
        language = str((metadata.get("kernelspec") or {}).get("language") or "")
        title = str(metadata.get("title") or "")
        authors = [str(each.get("name") or "") for each in metadata.get("authors") or [] if isinstance(each, dict)]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return as_text(decoded, "notebook", "not a valid notebook")
    fields = {"author": ", ".join(filter(None, authors)), "language": language}
    title = title or next((plain(block.text[:1000]) for block in blocks if block.kind == "heading"), "")
    filled = {key: value for key, value in fields.items() if value}
    reading = reading_of(decoded, "notebook", iter(blocks), title, filled)
    return replace(reading, notes=(*reading.notes, *counted({"pictures": pictures}, "not read")))


def _is_shown_alone(output: dict[str, Any]) -> bool:
    """Tell a picture, of which at most its name is told."""
    data = output.get("data") or {}
    return any(key.startswith("image/") for key in data) and _is_picture(_output(output) or "<>")


def _cells(cells: list[dict[str, Any]]) -> Iterator[Block]:
    for cell in cells:
        source = _text(cell.get("source"))
        kind = cell.get("cell_type")
        if kind == "markdown":
            yield from _without_lines(markdown_blocks(source.split("\n")))
        elif kind == "code":
            yield from _without_lines(definitions(source))
            for output in cell.get("outputs") or []:
                yield from _told(output)
        elif source.strip():
            yield Block(source)


def _told(output: dict[str, Any]) -> Iterator[Block]:
    """Yield an output: a data frame as a table, other text as it was printed."""
    data = output.get("data") or {}
    text = _output(output)
    if data and _is_picture(text):
        return
    if table := table_of(_text(data.get("text/plain"))):
        yield Block(table, "table")
        return
    html = _text(data.get("text/html"))
    tables = [block for block in blocks_in(html[:_MAX_HTML]) if block.kind == "table"] if "<table" in html else []
    if tables:
        yield from tables
    elif text:
        yield Block(text, "code")


def _is_picture(text: str) -> bool:
    return text.startswith("<") and text.endswith(">") and "\n" not in text


def _output(output: dict[str, Any]) -> str:
    if output.get("output_type") == "error":
        return f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"[:_MAX_OUTPUT]
    text = _text(output.get("text") or (output.get("data") or {}).get("text/plain"))
    return text if len(text) <= _MAX_OUTPUT else text[:_MAX_OUTPUT] + "\n[output cut]"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(str(piece) for piece in value)
    return str(value) if value is not None else ""


def _without_lines(blocks: Iterator[Block]) -> Iterator[Block]:
    """Drop line numbers: a cell's lines are not the file's."""
    for block in blocks:
        kind: BlockKind = block.kind
        yield Block(block.text, kind, block.level)
