"""Org files: keywords at the top as fields, starred headings, source blocks and tables; other lines stay raw."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from indexer.readers.dates import iso_date
from indexer.readers.encoding import decode
from indexer.readers.notes import counted
from indexer.readers.text import reading_of
from indexer.types import Block, BlockKind, Reading

_HEADING = re.compile(r"(\*{1,20})[ \t]+(.*?)(?:[ \t]+:[\w@#%:]+:)?[ \t]*$")
_KEYWORD = re.compile(r"[ \t]*#\+(\w[\w-]{0,40}):[ \t]*(.*)$")
_BEGIN = re.compile(r"[ \t]*#\+begin_(\w+)", re.I)
_DRAWER = re.compile(r"[ \t]*:(?:PROPERTIES|LOGBOOK|TOC):[ \t]*$", re.I)
_RULE = re.compile(r"[ \t]*\|[-+|: ]+\|?[ \t]*$")
_STAMP = re.compile(r"[<\[](\d{4}-\d\d-\d\d)[^<>\[\]]{0,40}[>\]]")
"""A date as Org writes it, with the day of the week or a time: <2024-05-01 Wed>."""
_COMMENT = re.compile(r"[ \t]*#\+begin_comment\b|[ \t]*# ", re.I)
_FIELDS = frozenset(
    (
        "author",
        "date",
        "description",
        "email",
        "filetags",
        "keywords",
        "language",
        "licence",
        "license",
        "status",
        "subtitle",
        "version",
    )
)
_CODE = frozenset(("src", "example", "export"))


def read(name: str, data: bytes) -> Reading:
    """Read an Org file; the title is that of its keywords, else the first heading."""
    decoded = decode(data)
    lines = decoded.text.split("\n")
    fields = {key: value for key, value in _keywords(lines) if key in _FIELDS or key == "title"}
    title = fields.pop("title", "")
    if "date" in fields:
        stamp = _STAMP.match(fields["date"])
        fields["date"] = iso_date(stamp[1] if stamp else fields["date"]) or fields["date"]
    if "filetags" in fields:
        fields["tags"] = ", ".join(filter(None, fields.pop("filetags").split(":")))
    blocks = list(_blocks(lines))
    title = title or next((block.text for block in blocks if block.kind == "heading"), "")
    reading = reading_of(decoded, "org", iter(blocks), title, fields)
    comments = sum(_COMMENT.match(line) is not None for line in lines)
    return replace(reading, notes=(*reading.notes, *counted({"comments": comments})))


def _keywords(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines[:200]:
        found = _KEYWORD.match(line)
        if found and found[2].strip():
            yield found[1].lower(), found[2].strip()


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    start = place = 0  # a pending paragraph is lines[start:place]

    def block(begin: int, end: int, kind: BlockKind = "paragraph") -> Iterator[Block]:
        if any(line.strip() for line in lines[begin:end]):
            yield Block("\n".join(lines[begin:end]), kind, line=begin + 1)

    while place < len(lines):
        line = lines[place]
        after = _after_silence(lines, place)
        if heading := _HEADING.match(line):
            yield from block(start, place)
            yield Block(heading[2], "heading", len(heading[1]), line=place + 1)
            start = place = place + 1
        elif after > place:
            yield from block(start, place)
            start = place = after
        elif (begins := _BEGIN.match(line)) and begins[1].lower() in _CODE:
            yield from block(start, place)
            end = _end_of_block(lines, place, begins[1])
            yield from block(place + 1, end, "code")
            start = place = end + 1
        elif line.lstrip().startswith("|"):
            yield from block(start, place)
            end = place
            while end < len(lines) and lines[end].lstrip().startswith("|"):
                end += 1
            yield from _table(lines[place:end], place + 1)
            start = place = end
        else:
            place += 1
    yield from block(start, place)


def _after_silence(lines: Sequence[str], place: int) -> int:
    """Return the line after one that is no text (blank, comment, keyword, mark of a block) or after a drawer."""
    line = lines[place]
    if _DRAWER.match(line):
        ends = (at for at in range(place, min(place + 200, len(lines))) if lines[at].strip().lower() == ":end:")
        return next(ends, place) + 1
    if re.match(r"[ \t]*#\+begin_comment\b", line, re.I):
        return _end_of_block(lines, place, "comment") + 1
    is_mark = re.match(r"[ \t]*#\+(?:begin|end)_(?!src|example|export)", line, re.I)
    is_silent = not line.strip() or line.lstrip().startswith("# ") or line.strip() == "#" or _KEYWORD.match(line)
    return place + 1 if is_silent or is_mark else place


def _end_of_block(lines: Sequence[str], place: int, name: str) -> int:
    mark = f"#+end_{name.lower()}"
    return next((at for at in range(place + 1, len(lines)) if lines[at].strip().lower() == mark), len(lines))


def _table(lines: Sequence[str], line: int) -> Iterator[Block]:
    rows = [row.strip().strip("|").strip() for row in lines if not _RULE.match(row)]
    cells = (" | ".join(" ".join(cell.split()) for cell in row.split("|")) for row in rows)
    text = "\n".join(row for row in cells if row.strip(" |"))
    if text:
        yield Block(text, "table", line=line if len(rows) == len(lines) else None)
