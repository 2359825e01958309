"""What a passage consists of, for answering: sentences, list items, rows, fields, code, headings and questions.

It knows the layout of stored text and nothing of questions. A unit is the smallest thing that may be shown; no answer
reaches from one row, item or cell into the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from indexer.sentences import sentences
from indexer.types import BlockKind
from rag.quoting.quotable import MAX_QUOTE, blocks, cut, lines
from rag.types import Passage

UnitKind = Literal["sentence", "item", "row", "field", "code", "heading", "question"]

_IN_ROWS = ("item", "row", "field", "code")
_ITEM = re.compile(r"(?:[-*+•‣▪◦–·☐☑☒✓✔➢]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|#[.])\s+|(?:A:|Q:)\s", re.IGNORECASE)
_NUMBERED = re.compile(r"\(?\d{1,3}[.)]\s")
_HEADING = re.compile(r"#{1,6}\s+\S|={1,5}\s+\S|\*{2,6}\s+[^*]+$")
LONGEST_FIELD = 160
"""Characters of a field in a text, name and value together."""
_FIELD = re.compile(r"[*_`]*:?[^\W\d_][\w/().'’#&-]{0,30}(?: [\w/().'’#&-]{1,30}){0,3}[*_`]*\s?:[*_`]*\s+\S")
_RULE = re.compile(r"[\s|:+\-=_*~#^]+$")
_CELLS = re.compile(r"\||; \S")
_QUESTION_MARK = re.compile(r"[?？][\s*_\"'”’)]*$")
_MARKUP = frozenset({
    "block", "class", "code", "console", "figcaption", "figure", "filename", "ignore", "image", "include", "listing",
    "literalinclude", "note", "python", "rust", "span", "text", "toctree", "toml", "webvtt",
})  # fmt: skip
"""Words of directives and fences: a unit of nothing but these and marks says nothing."""
_WORD = re.compile(r"[^\W_]+")
_INCLUDE = re.compile(r"(?:```\w*[\w,]*\s*)?\{\{#?\w+[^}]*\}\}(?:\s*```)?$|<!--")
"""A template's include, alone or in a block of code; a comment."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a passage that may be shown by itself: half-open, in characters of the passage's text."""

    passage: int
    start: int
    end: int
    kind: UnitKind
    block: int
    """Equal for the sentences of one paragraph, the items of one list, the rows of one table."""
    heading: str = ""
    """The heading above it, within the passage; "" where that is in the passage's context."""
    lead: int | None = None
    """The place in the passage's units of what introduces it, where something does: a colon, a heading, a question."""


def units(passages: Sequence[Passage]) -> list[list[Unit]]:
    """Return the units of each passage, in order."""
    return [_units(number, passage) for number, passage in enumerate(passages)]


def _units(number: int, passage: Passage) -> list[Unit]:
    found: list[Unit] = []
    heading, block, lead = "", 0, None
    running: UnitKind | None = None
    """The kind of the list or table that the last unit belongs to."""
    text = passage.text
    for first, last, section in blocks(passage):
        above = heading
        for place, (start, end, kind) in enumerate(_parts(text, first, last, section)):
            if kind == "heading":
                heading, block, lead, running = text[start:end].strip("#=* \t\r\n:"), block + 1, None, None
            elif kind in _IN_ROWS:
                if kind != running:
                    block, lead, running = block + 1, _lead(found, text), kind
            elif place == 0 or running is None or kind == "question":
                if place == 0 or running is not None:
                    block += 1
                lead, running = _answered(found, lead, kind), None
            found.append(Unit(number, start, end, kind, block, heading, lead))
        if section == "table":
            heading = above  # its header is the heading of its rows alone
    return found


def _lead(found: Sequence[Unit], text: str) -> int | None:
    """Return the unit that introduces what comes next: a heading, a question, or a sentence that ends in a colon."""
    if not found:
        return None
    before = found[-1]
    if before.kind in ("heading", "question"):
        return len(found) - 1
    if before.kind == "sentence" and text[before.start : before.end].rstrip("*_ ").endswith(":"):
        return len(found) - 1
    return None


def _answered(found: Sequence[Unit], lead: int | None, kind: UnitKind) -> int | None:
    """Return the question that a paragraph answers: the unit before it, or what the paragraph before answers."""
    if kind == "question" or not found:
        return None
    if found[-1].kind == "question":
        return len(found) - 1
    return lead if lead is not None and found[lead].kind == "question" and found[-1].lead == lead else None


def _parts(text: str, first: int, last: int, section: BlockKind) -> Iterator[tuple[int, int, UnitKind]]:
    """Yield the units of one block."""
    if section == "heading":
        yield from _bare(text, first, last, "heading")
    elif section == "code":
        yield from _code(text, first, last)
    elif section in ("table", "row"):
        rows = _continued(text[first:last]) if section == "row" else lines(text[first:last])
        for place, (start, end) in enumerate(rows):
            line = text[first + start : first + end]
            if _RULE.fullmatch(line):
                continue
            kind: UnitKind = "field" if section == "row" and _FIELD.match(line) and not _CELLS.search(line) else "row"
            if section == "table" and place == 0 and _is_header([text[first + a : first + b] for a, b in rows]):
                kind = "heading"  # a column's header is no value
            yield from _bare(text, first + start, first + end, kind)
    else:
        for start, end in _prose(text[first:last]):
            yield from _sentence(text, first + start, first + end)


def _continued(text: str) -> list[tuple[int, int]]:
    """Return the lines of fields; one that is indented goes on with the line before it."""
    rows: list[tuple[int, int]] = []
    for start, end in lines(text):
        if rows and text[max(0, start - 2) : start].isspace() and text[start - 1 : start] in " \t":
            rows[-1] = (rows[-1][0], end)
        else:
            rows.append((start, end))
    return rows


def _is_header(rows: Sequence[str]) -> bool:
    """Tell whether the first of these rows names the columns: a rule stands below it, or it has figures nowhere."""
    if len(rows) < 2:
        return False
    return bool(_RULE.fullmatch(rows[1])) or not any(map(str.isdigit, re.sub(r"\b(?:19|20)\d\d\b", "", rows[0])))


def _prose(text: str) -> Iterator[tuple[int, int]]:
    """Yield sentences; a line that is a heading or a field is one by itself, whatever stands behind it."""
    for start, end in sentences(text):
        open_ = start
        before = ""
        for line_start, line_end in lines(text[start:end]) if "\n" in text[start:end] else ():
            line = text[start + line_start : start + line_end]
            if _is_alone(line, before):
                if text[open_ : start + line_start].strip():
                    yield open_, open_ + len(text[open_ : start + line_start].rstrip())
                yield start + line_start, start + line_end
                open_ = start + line_end
            before = line
        if text[open_:end].strip():
            yield open_ + len(text[open_:end]) - len(text[open_:end].lstrip()), end


def _is_alone(line: str, before: str) -> bool:
    """Tell whether a line stands for itself: a heading, or a field that goes on no sentence."""
    bare = line.strip()
    if _HEADING.match(bare):
        return True
    goes_on = bool(before) and not before.rstrip().endswith((".", "!", "?", ":", ";", "  ")) and not _is_field(before)
    return _is_field(bare) and not goes_on


def _is_field(line: str) -> bool:
    bare = line.strip()
    return len(bare) < LONGEST_FIELD and bool(_FIELD.match(bare)) and not bare.rstrip("*_ ").endswith(":")


def _sentence(text: str, start: int, end: int) -> Iterator[tuple[int, int, UnitKind]]:
    piece = text[start:end]
    kind: UnitKind = "sentence"
    if _HEADING.match(piece) and "\n" not in piece:
        kind = "heading"
    elif _QUESTION_MARK.search(piece):
        kind = "question"
    elif _ITEM.match(piece):
        kind = "item"
    elif "\n" not in piece and _is_field(piece):
        kind = "field"
    yield from _bare(text, start, end, kind)


def _code(text: str, first: int, last: int) -> Iterator[tuple[int, int, UnitKind]]:
    """Yield code whole, or by its lines where it is long."""
    if last - first <= MAX_QUOTE:
        yield from _bare(text, first, last, "code")
        return
    for start, end in lines(text[first:last]):
        yield from _bare(text, first + start, first + end, "code")


def _bare(text: str, start: int, end: int, kind: UnitKind) -> Iterator[tuple[int, int, UnitKind]]:
    """Yield a unit, cut where it is too long, without the space around it; nothing where it is only marks."""
    for first, last in cut(text, start, end):
        piece = text[first:last]
        bare = piece.strip()
        if not _INCLUDE.match(bare) and any(word.casefold() not in _MARKUP for word in _WORD.findall(bare[:200])):
            begin = first + len(piece) - len(piece.lstrip())
            yield begin, begin + len(bare), kind
