"""What can be quoted of a passage: sentences of prose, rows of tables, lines of code, and nothing too long to read."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.sentences import sentences
from indexer.types import BlockKind
from rag.types import Passage

MAX_QUOTE = 600
"""Longest quotation of one sentence or line, in characters."""


def quotable(passage: Passage) -> Iterator[tuple[int, int, BlockKind]]:
    """Yield start, end (half-open, in characters of the text) and kind of each part that may be quoted, in order.

    One longer than `MAX_QUOTE` is cut at the end of a line, else of a word, else where it becomes too long. A part of
    fewer than three letters and digits says nothing and is left out.
    """
    text = passage.text
    for first, last, kind in blocks(passage):
        spans = sentences(text[first:last]) if kind in ("paragraph", "heading") else lines(text[first:last])
        for start, end in spans:
            for piece in cut(text, first + start, first + end):
                if sum(map(str.isalnum, text[slice(*piece)])) >= 3:
                    yield *piece, kind


def blocks(passage: Passage) -> list[tuple[int, int, BlockKind]]:
    """Return the blocks that the text consists of; what no section covers counts as prose."""
    blocks: list[tuple[int, int, BlockKind]] = []
    done = 0
    for section in passage.sections:
        start, end = max(done, section.start - passage.start), min(len(passage.text), section.end - passage.start)
        if start < end:
            blocks += [(done, start, "paragraph"), (start, end, section.kind)]
            done = end
    return [*blocks, (done, len(passage.text), "paragraph")]


def lines(text: str) -> list[tuple[int, int]]:
    """Return start and end (half-open) of each line, without the space around it; an empty line is an empty span."""
    spans, start = [], 0
    for line in text.split("\n"):
        bare = line.strip()
        first = start + len(line) - len(line.lstrip())
        spans.append((first, first + len(bare)))
        start += len(line) + 1
    return spans


def cut(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the pieces of `text[start:end]` in order, each at most `MAX_QUOTE` long; cut at a line end or a space."""
    pieces = []
    while end - start > MAX_QUOTE:
        ends = (text.rfind(space, start + 1, start + MAX_QUOTE + 1) for space in "\n ")
        cut = next((place for place in ends if place > start), start + MAX_QUOTE)
        pieces.append((start, start + len(text[start:cut].rstrip())))
        start = end - len(text[cut:end].lstrip())
    return [*pieces, (start, end)]
