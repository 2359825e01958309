"""The values that travel between the parts of the indexer and up to the floors above.

Everything here is frozen and plain: no file handles, no database rows, no models.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]
else:
    Vectors = "numpy.typing.NDArray[numpy.float32]"  # numpy takes 0.1 s, which each child of the sandbox would pay
"""Rows of length one: float32, shape (n, dim); similarity is the dot product, larger is closer."""

Scalar = str | int | float | bool
Metadata = Mapping[str, Scalar]
BlockKind = Literal["heading", "paragraph", "code", "table", "row"]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document as a reader found it; readers return blocks in reading order."""

    text: str
    kind: BlockKind = "paragraph"
    level: int = 0
    """Depth of a heading, 1 is the top; 0 for everything else."""
    page: int | None = None
    """Page, slide or sheet, counted from 1; None where the format has none."""
    line: int | None = None
    """Line of the source at which the block begins, counted from 1; None where lines mean nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader makes of a file's bytes, before cleaning."""

    blocks: tuple[Block, ...]
    format: str
    """Short name of the format that was read: "markdown", "pdf", "csv", ..."""
    title: str = ""
    metadata: Metadata = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What a person should know about how this was read: a guessed encoding, a fallback taken."""


@dataclass(frozen=True, slots=True)
class Section:
    """Where a block came to stand in `Document.text`: half-open, in characters."""

    start: int
    end: int
    kind: BlockKind = "paragraph"
    level: int = 0
    page: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A source as it is stored: cleaned text, and where its parts stand in it."""

    source: str
    """Absolute path of a file, or the id that the caller gave."""
    sha256: str
    """Hash of the source's bytes (not of the text), in hexadecimal."""
    title: str
    text: str
    sections: tuple[Section, ...] = ()
    """In order, not overlapping; they need not cover the blank lines between them."""
    metadata: Metadata = field(default_factory=dict)
    format: str = "text"
    notes: tuple[str, ...] = ()
    repairs: Mapping[str, int] = field(default_factory=dict)
    """How often cleaning changed something, by what it changed."""

    def section_at(self, offset: int) -> Section | None:
        """Return the last section that begins at or before `offset`, or None before the first."""
        place = bisect.bisect_right(self.sections, offset, key=lambda section: section.start)
        return self.sections[place - 1] if place else None

    def page_at(self, offset: int) -> int | None:
        """Return the page, slide or sheet that holds the character at `offset`, counted from 1."""
        section = self.section_at(offset)
        return section.page if section else None

    def first_page(self, start: int, end: int) -> int | None:
        """Return the page of the first part of [start, end) that has one: the fields before a text have none."""
        first = max(0, bisect.bisect_right(self.sections, start, key=lambda section: section.start) - 1)
        for place in range(first, len(self.sections)):
            section = self.sections[place]
            if section.page is not None or section.start >= end:
                return section.page if section.start < end else None
        return None

    def line_at(self, offset: int) -> int | None:
        """Return the line of the source that holds the character at `offset`, counted from 1."""
        section = self.section_at(offset)
        if section is None or section.line is None:
            return None
        return section.line + self.text.count("\n", section.start, offset)

    def headings_at(self, offset: int) -> tuple[str, ...]:
        """Return the headings above the character at `offset`, outermost first."""
        path: list[Section] = []
        for section in self.sections:
            if section.start > offset:
                break
            if section.kind == "heading":
                path = [above for above in path if above.level < section.level] + [section]
        return tuple(self.text[heading.start : heading.end].strip("# \n") for heading in path)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document: `document.text[start:end] == text`, never cut inside a grapheme."""

    start: int
    end: int
    text: str
    context: str = ""
    """Title and headings above the chunk, joined by " > "; read by the encoder before the text."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One chunk found by one arm of the search."""

    chunk_id: int
    score: float
    """Larger is better, always. Ties are broken by chunk_id."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A source that was not taken in, and why."""

    source: str
    reason: str


Progress = Callable[[str, int, int], None]
"""Called as progress(what, done, total); total is 0 while it is not known."""


def silent(what: str, done: int, total: int) -> None:
    """Report nothing: the default `Progress`."""
