"""reStructuredText: adorned titles become headings, header fields metadata, literal blocks code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from indexer.readers.dates import iso_date
from indexer.readers.encoding import decode
from indexer.readers.notes import counted
from indexer.readers.rst_tables import table_at
from indexer.readers.text import reading_of
from indexer.types import Block, Reading

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}[ \t]*$")
_FIELD = re.compile(r":?([A-Za-z][\w-]{0,40}):[ \t]+(\S.*)")
_COMMENT = re.compile(r"\.\.(?:[ \t]+(?!\[|\||_\S|__)(?![\w.+:-]{1,60}::)|[ \t]*$)")
"""An explicit mark that is no directive, footnote, citation, substitution or target."""
_SILENT = re.compile(
    r"\.\. (?:contents|toctree|sectnum|default-role|highlight|meta|index)::|\.\. _[^:\n]{1,200}:[ \t]*$"
)
"""Directives that print nothing of their own, and targets of references."""
_SUBSTITUTION = re.compile(r"\.\. \|([^|\n]{1,80})\| replace::[ \t]*(\S.*)$", re.M)
_DIRECTIVE = re.compile(r"\.\. (?:code-block|code|sourcecode|literalinclude|parsed-literal)::")


def read(name: str, data: bytes) -> Reading:
    """Read reStructuredText; the title is the header's `Title`, else the first heading."""
    decoded = decode(data)
    meanings = dict(_SUBSTITUTION.findall(decoded.text))
    lines = _SUBSTITUTION.sub("", decoded.text).split("\n") if meanings else decoded.text.split("\n")
    if meanings:
        lines = [re.sub(r"\|([^|\s][^|]{0,79})\|", lambda name: meanings.get(name[1], name[0]), line) for line in lines]
    metadata = header_fields(lines)
    blocks = list(_blocks(lines))
    comments = sum(1 for line in lines if _COMMENT.match(line))
    if metadata and blocks:
        blocks[0] = replace(blocks[0], kind="row")  # fields, one a line: no sentence goes on from one to the next
    title = metadata.pop("title", "") or next((block.text for block in blocks if block.kind == "heading"), "")
    if "pep" in metadata:
        title = f"PEP {metadata['pep']}: {title}"  # people ask for these by number
    reading = reading_of(decoded, "rst", iter(blocks), title, metadata)
    return replace(reading, notes=(*reading.notes, *counted({"comments": comments})))


def header_fields(lines: Sequence[str]) -> dict[str, str]:
    """Return the RFC 822 style fields at the top of `lines` (`Title: ...` or `:Title: ...`), keys in lower case."""
    fields: dict[str, str] = {}
    last = ""
    for line in lines[:100]:
        if not line.strip():
            if fields:
                break
        elif line[0].isspace() and last:
            fields[last] += " " + line.strip()
        elif field := _FIELD.fullmatch(line.rstrip()):
            last = field[1].lower()
            fields[last] = field[2]
        elif re.fullmatch(r":?[A-Za-z][\w-]{0,40}:", line.rstrip()):
            last = line.strip().strip(":").lower()
            fields[last] = ""
        else:
            break
    fields = {key: value.strip() for key, value in fields.items() if value.strip()}
    if len(fields) < 2:
        return {}
    for key in ("date", "created"):
        if fields.get(key):
            fields["date"] = iso_date(fields[key]) or fields[key]
            break
    return fields


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    """Yield headings, paragraphs and literal blocks; the level of a title is when its adornment was first seen."""
    styles: list[str] = []
    place = 0
    literal = False
    while place < len(lines):
        if not lines[place].strip():
            place += 1
            continue
        if _COMMENT.match(lines[place]) or _SILENT.match(lines[place]):
            place = _end_of_literal(lines, place + 1)
            continue
        if not (literal and lines[place][0].isspace()) and (table := table_at(lines, place)):
            if table.title:
                yield Block(table.title, line=place + 1)
            yield Block(table.text, "table")
            place, literal = table.end, False
            continue
        if title := _title_at(lines, place):
            style, at, after = title
            if style not in styles:
                styles.append(style)
            yield Block(lines[at].strip(), "heading", styles.index(style) + 1, line=at + 1)
            place, literal = after, False
            continue
        indented = lines[place][0].isspace()
        end = _end_of_literal(lines, place) if literal and indented else _end_of_paragraph(lines, place)
        text = "\n".join(lines[place:end])
        yield Block(text, "code" if literal and indented else "paragraph", line=place + 1)
        literal = text.rstrip().endswith("::") or bool(_DIRECTIVE.match(text))
        place = end


def _title_at(lines: Sequence[str], place: int) -> tuple[str, int, int] | None:
    """Return (style, line of the title, line after it) when a section title begins at `place`."""
    following = [*lines[place + 1 : place + 3], "", ""]
    over = _ADORNMENT.match(lines[place])
    if over and following[0].strip() and following[1].rstrip() == lines[place].rstrip():
        return over[1] * 2, place + 1, place + 3
    under = _ADORNMENT.match(following[0])
    if under and not over and not lines[place][0].isspace():
        long_enough = len(following[0].rstrip()) >= 0.7 * len(lines[place].rstrip())  # wide letters count double there
        return (under[1], place, place + 2) if long_enough else None
    return None


def _end_of_paragraph(lines: Sequence[str], place: int) -> int:
    end = place + 1
    while end < len(lines) and lines[end].strip() and not (end > place and _title_at(lines, end)):
        end += 1
    return end


def _end_of_literal(lines: Sequence[str], place: int) -> int:
    """Return where indentation ends: blank lines inside a literal block belong to it."""
    end = last = place
    while end < len(lines) and (not lines[end].strip() or lines[end][0].isspace()):
        if lines[end].strip():
            last = end
        end += 1
    return last + 1
