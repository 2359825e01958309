"""JSON and JSON lines told in words: every record one block of "key: value; key: value"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from indexer.readers.encoding import Decoded, decode
from indexer.readers.rows import unambiguous
from indexer.readers.text import paragraphs, reading_of
from indexer.types import Block, Reading

_MAX_DEPTH = 40


def read(name: str, data: bytes) -> Reading:
    """Read a JSON document, or one per line; what is neither is read as plain text with a note."""
    decoded = decode(data)
    try:
        return reading_of(decoded, "json", _blocks(json.loads(decoded.text), "", 0))
    except (ValueError, RecursionError):
        pass
    try:
        return reading_of(decoded, "jsonl", _lines(decoded.text))
    except (ValueError, RecursionError):
        return as_text(decoded, "json", "not valid JSON, or nested too deeply")


def as_text(decoded: Decoded, form: str, why: str) -> Reading:
    """Return the Reading of a file whose structure could not be followed."""
    reading = reading_of(decoded, form, paragraphs(decoded.text))
    return Reading(reading.blocks, form, "", reading.metadata, (*reading.notes, f"{why}; read as plain text"))


def _lines(text: str) -> Iterator[Block]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield Block(_told(json.loads(line)), "row", line=number)


def _blocks(value: Any, path: str, depth: int) -> Iterator[Block]:
    """Yield one block per record: items of lists of objects, and what an object says itself."""
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for item in value:
            yield Block(_told(item, path), "row")
    elif isinstance(value, dict) and depth < _MAX_DEPTH:
        own = {key: item for key, item in value.items() if not _is_nested(item)}
        if own:
            yield Block(_told(own, path), "row")
        for key, item in value.items():
            if _is_nested(item):
                yield from _blocks(item, f"{path}.{key}" if path else str(key), depth + 1)
    else:
        yield Block(_told(value, path), "row")


def _is_nested(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value)
    return isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)


def _told(value: Any, path: str = "") -> str:
    return "; ".join(_pairs(value, path, 0))


def _pairs(value: Any, path: str, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        yield f"{path}: …"
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _pairs(item, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for item in value:
            yield from _pairs(item, path, depth + 1)
    else:
        text = unambiguous(", ".join(map(_scalar, value)) if isinstance(value, list) else _scalar(value))
        if text:
            yield f"{path}: {text}" if path else text


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(str(value).split())
