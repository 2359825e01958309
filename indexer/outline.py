"""A document's outline for cutting: pieces that should stay whole, and what stands above each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from indexer.sentences import sentences
from indexer.types import BlockKind, Document, Section

_DEEPEST = 1_000
_PARAGRAPH_BREAK = re.compile(r"\n[^\S\n]*\n\s*")
_TABLE_RULE = re.compile(r"[ \t|:+\-=]+$")  # the line under the header row
_LONGEST_PART = 400  # characters of a title or heading that are looked at


@dataclass(frozen=True, slots=True)
class Piece:
    """What is not divided unless it is too long: a sentence, a heading, a line or row, a small table or code block."""

    start: int
    end: int
    kind: BlockKind = "paragraph"
    level: int = _DEEPEST
    """Level of a heading; of anything else the level of the heading above it."""
    opens_block: bool = True
    block: int = 0
    """Where the block begins in the text: equal for the pieces of one block."""
    header: tuple[int, int] | None = None
    """Where the header row stands of the table that this is a later row of."""
    binds_next: bool = False
    """Whether it says little without what follows: a heading, the head of a table."""
    whole: bool = True
    """False for a part of something that was too long."""

    @property
    def is_heading(self) -> bool:
        """Say whether this is a heading."""
        return self.kind == "heading"

    @property
    def is_prose(self) -> bool:
        """Say whether this is a sentence, which may be repeated in the next chunk."""
        return self.kind == "paragraph"

    def moved(self, start: int, end: int) -> Piece:
        """Return this piece with other borders."""
        return self if (start, end) == (self.start, self.end) else replace(self, start=start, end=end)

    def part(self, start: int, end: int) -> Piece:
        """Return a part of this piece."""
        if (start, end) == (self.start, self.end):
            return self
        first, last = start == self.start, end == self.end
        return replace(
            self,
            start=start,
            end=end,
            opens_block=self.opens_block and first,
            binds_next=self.binds_next and last,
            whole=False,
        )


def pieces_of(document: Document) -> Iterator[Piece]:
    """Yield the pieces of a document in order; between them stands only space."""
    level = _DEEPEST
    for section in _sections(document):
        if section.kind == "heading":
            level = section.level
            model = Piece(0, 0, "heading", level, block=section.start, binds_next=True)
            yield from _trimmed(document.text, section.start, section.end, model)
        elif section.kind == "paragraph":
            text = document.text[section.start : section.end]
            for number, (start, end) in enumerate(sentences(text)):
                yield Piece(section.start + start, section.start + end, "paragraph", level, number == 0, section.start)
        else:
            yield from _lines(document.text, section, level)


def _sections(document: Document) -> Iterator[Section]:
    """Yield the sections, with paragraphs made of whatever stands outside them."""
    place = 0
    for section in document.sections:
        start = max(section.start, place)
        yield from _paragraphs(document.text, place, start)
        if section.end > start:
            yield replace(section, start=start)
            place = section.end
    yield from _paragraphs(document.text, place, len(document.text))


def _paragraphs(text: str, start: int, end: int) -> Iterator[Section]:
    if start >= end or not text[start:end].strip():
        return
    for match in _PARAGRAPH_BREAK.finditer(text, start, end):
        if match.start() > start:
            yield Section(start, match.start())
        start = match.end()
    if start < end:
        yield Section(start, end)


def _lines(text: str, section: Section, level: int) -> Iterator[Piece]:
    """Yield the lines of a table or of code; later rows of a table know its header row."""
    header: tuple[int, int] | None = None
    start = section.start
    while start < section.end:
        newline = text.find("\n", start, section.end)
        end = section.end if newline < 0 else newline
        model = Piece(0, 0, section.kind, level, start == section.start, section.start, header)
        for piece in _trimmed(text, start, end, model):
            rule = _TABLE_RULE.match(text, piece.start, piece.end) is not None
            is_head = section.kind == "table" and (rule or header is None)
            yield replace(piece, binds_next=is_head)
            header = (piece.start, piece.end) if is_head and not rule else header
        start = end + 1


def _trimmed(text: str, start: int, end: int, model: Piece) -> Iterator[Piece]:
    piece = text[start:end]
    bare = piece.strip()
    if bare:
        first = start + len(piece) - len(piece.lstrip())
        yield replace(model, start=first, end=first + len(bare))


class Context:
    """Makes the line above a chunk: title > heading > heading, and a table's header row. Asked in reading order."""

    def __init__(
        self, document: Document, token_spans: Callable[[str], list[tuple[int, int]]], most_tokens: int
    ) -> None:
        self.most_tokens = max(0, most_tokens)
        self._text = document.text
        self._title = _bare(document.title)
        self._token_spans = token_spans
        self._headings = [section for section in document.sections if section.kind == "heading"]
        self._next = 0
        self._path: list[Section] = []
        self._made: dict[tuple[str, ...], str] = {}
        self.room = self.most_tokens if self._title or self._headings else 0
        """Tokens to keep free for title and headings."""

    def at(self, piece: Piece) -> str:
        """Return the context of a chunk that begins with `piece`; "" where there is none, or no room for any."""
        while self._next < len(self._headings) and self._headings[self._next].start < piece.start:
            self._enter(self._headings[self._next])
            self._next += 1
        path = self._path
        if piece.is_heading:
            path = [above for above in path if above.level < piece.level]
        parts = [part for part in (self._title, *(self._name(heading) for heading in path[-8:])) if part]
        own = _bare(self._text[piece.start : min(piece.end, piece.start + _LONGEST_PART)]).casefold()
        if piece.is_heading:
            parts = [part for part in parts if part.casefold() != own]
        line = self._cut(tuple(dict.fromkeys(parts)))
        if piece.header is not None and piece.header[0] != piece.start:
            row = self._cut((_bare(self._text[slice(*piece.header)]),))
            return f"{line}\n{row}" if line and row else line or row
        return line

    def _enter(self, heading: Section) -> None:
        while self._path and self._path[-1].level >= heading.level:
            self._path.pop()
        self._path.append(heading)

    def _name(self, heading: Section) -> str:
        return _bare(self._text[heading.start : min(heading.end, heading.start + _LONGEST_PART)])

    def _cut(self, parts: tuple[str, ...]) -> str:
        """Join the parts within `most_tokens`: the title and the nearest headings stay longest."""
        if parts not in self._made:
            kept = list(parts)
            while len(kept) > 2 and len(self._token_spans(" > ".join(kept))) > self.most_tokens:
                del kept[1]
            line = " > ".join(kept)
            spans = self._token_spans(line)
            if len(spans) > self.most_tokens:
                line = line[: spans[self.most_tokens - 1][1]] if self.most_tokens else ""
            self._made[parts] = line
        return self._made[parts]


def _bare(text: str) -> str:
    return " ".join(text[:_LONGEST_PART].split()).strip("# ")
