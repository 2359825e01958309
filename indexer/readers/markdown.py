"""Markdown: raw lines kept, so that line numbers hold; headings, fences, tables and front matter told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from indexer.readers.dates import iso_date
from indexer.readers.encoding import decode
from indexer.readers.fields import is_placeholder
from indexer.readers.markdown_marks import without_marks
from indexer.readers.text import reading_of
from indexer.readers.yaml_lines import Entry, entries
from indexer.types import Block, BlockKind, Reading

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_FENCE = re.compile(r"[ \t]{0,12}(`{3,}|~{3,})")
_SETEXT = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*$")
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\](?:\([^()\s]{0,2000}\)|\[[^\[\]]{0,300}\])?")
_ASSIGNMENT = re.compile(r"^([A-Za-z][\w.-]{0,60})[ \t]*=[ \t]*")
_FRONT_MATTER_LINES = 200


def read(name: str, data: bytes) -> Reading:
    """Read Markdown; the title is the front matter's, else the first heading."""
    decoded = decode(data)
    lines = decoded.text.split("\n")
    body, metadata = front_matter(lines)
    told, notes = without_marks(lines[body:])
    blocks = list(markdown_blocks(told, body + 1))
    title = metadata.pop("title", "")
    if is_placeholder(title):
        title = next((plain(block.text[:1000]) for block in blocks if block.kind == "heading"), "")
    reading = reading_of(decoded, "markdown", iter(blocks), title, metadata)
    return replace(reading, notes=(*reading.notes, *notes))


def front_matter(lines: Sequence[str]) -> tuple[int, dict[str, str]]:
    """Return how many lines the front matter takes (0 without one), and its fields, each as one text.

    Anchors and aliases are not followed: a YAML parser would expand them without bound.
    """
    fence = lines[0].rstrip() if lines else ""
    if fence not in ("---", "+++"):
        return 0, {}
    ends = (number for number, line in enumerate(lines[1:_FRONT_MATTER_LINES], 1) if line.rstrip() in (fence, "..."))
    end = next(ends, 0)
    inside = lines[1:end]
    if fence == "+++":
        inside = [_ASSIGNMENT.sub(r"\1: ", line, count=1) for line in inside]
    found = list(entries(inside))
    metadata = _top_level(found)
    if not metadata and (not end or any(not entry.path and entry.value[:1] != "#" for entry in found)):
        return 0, {}  # a rule with text below it
    if "date" in metadata:
        metadata["date"] = iso_date(metadata["date"]) or metadata["date"]
    return end + 1, metadata


def _top_level(found: Sequence[Entry]) -> dict[str, str]:
    """Return the fields of the outermost level; of a list of persons or the like the names."""
    fields: dict[str, list[str]] = {}
    for entry in found:
        is_name = len(entry.path) in (2, 3) and entry.path[-1].casefold() == "name"
        if entry.path and entry.value and (len(entry.path) == 1 or is_name):
            fields.setdefault(entry.path[0].casefold(), []).append(entry.value)
    return {key: ", ".join(values) for key, values in fields.items()}


def markdown_blocks(lines: Sequence[str], first: int = 1, page: int | None = None) -> Iterator[Block]:
    """Yield the blocks of Markdown `lines`; `first` is the number of the first line.

    An underlined heading gives its text without the underline; everything else keeps its raw lines.
    """
    start = place = 0  # a pending paragraph is lines[start:place]

    def block(begin: int, end: int, kind: BlockKind = "paragraph", level: int = 0) -> Iterator[Block]:
        if begin < end:
            yield Block("\n".join(lines[begin:end]), kind, level, page, first + begin)

    while place < len(lines):
        line = lines[place]
        end, kind, level = place, "paragraph", 0
        if not line or line.isspace():
            yield from block(start, place)
            start = place = place + 1
            continue
        if heading := _ATX.match(line):
            end, kind, level = place + 1, "heading", len(heading[1])
        elif fence := _FENCE.match(line):
            end, kind = _after_fence(lines, place, fence[1]), "code"
        elif place - start in (1, 2) and _SETEXT.match(line):
            yield from block(start, place, "heading", 1 if "=" in line else 2)
            start = place = place + 1
            continue
        elif "|" in line and place + 1 < len(lines) and _is_table_rule(lines[place + 1]):
            end, kind = _after_table(lines, place), "table"
        if end == place:
            place += 1
            continue
        yield from block(start, place)
        yield from block(place, end, "heading" if kind == "heading" else "code" if kind == "code" else "table", level)
        start = place = end
    yield from block(start, place)


def plain(heading: str) -> str:
    """Return a heading's words without hashes, links and emphasis."""
    text = " ".join(heading.split()).strip("#").strip()
    return re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", _LINK.sub(r"\1", text)).strip()


def _after_fence(lines: Sequence[str], opening: int, mark: str) -> int:
    for place in range(opening + 1, len(lines)):
        line = lines[place].strip()
        if line.startswith(mark) and not line.strip(mark[0]):
            return place + 1
    return len(lines)


def _is_table_rule(line: str) -> bool:
    stripped = line.strip()
    return "-" in stripped and "|" in stripped and not stripped.strip("|-: \t")


def _after_table(lines: Sequence[str], place: int) -> int:
    while place < len(lines) and "|" in lines[place]:
        place += 1
    return place
