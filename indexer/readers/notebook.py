"""Jupyter notebooks: Markdown and code cells, and what the code printed as text, up to a bound."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from indexer.readers.code import definitions
from indexer.readers.encoding import decode
from indexer.readers.json_values import as_text
from indexer.readers.markdown import markdown_blocks, plain
from indexer.readers.text import reading_of
from indexer.types import Block, BlockKind, Reading

_MAX_OUTPUT = 5_000
"""Characters kept of one output; logs of a training run are no documentation."""


def read(name: str, data: bytes) -> Reading:
    """Read a notebook; pictures and other rich outputs are left out, long outputs cut."""
    decoded = decode(data)
    try:
        notebook = json.loads(decoded.text)
        blocks = list(_cells(notebook["cells"]))
        metadata = notebook.get("metadata") or {}
        language = str((metadata.get("kernelspec") or {}).get("language") or "")
        title = str(metadata.get("title") or "")
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return as_text(decoded, "notebook", "not a valid notebook")
    title = title or next((plain(block.text[:1000]) for block in blocks if block.kind == "heading"), "")
    return reading_of(decoded, "notebook", iter(blocks), title, {"language": language} if language else {})


def _cells(cells: list[dict[str, Any]]) -> Iterator[Block]:
    for cell in cells:
        source = _text(cell.get("source"))
        kind = cell.get("cell_type")
        if kind == "markdown":
            yield from _without_lines(markdown_blocks(source.split("\n")))
        elif kind == "code":
            yield from _without_lines(definitions(source))
            for output in cell.get("outputs") or []:
                if text := _output(output):
                    yield Block(text, "code")
        elif source.strip():
            yield Block(source)


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
