"""What can be quoted of a text: its sentences, and of those without an end (tables, code) a part that can be read."""

from __future__ import annotations

from indexer.sentences import sentences

MAX_QUOTE = 600
"""Longest quotation of one sentence, in characters."""


def quotable(text: str) -> list[tuple[int, int]]:
    """Return the characters [start, end) of the sentences of `text`, in order, without the space around them.

    One that is longer than `MAX_QUOTE` is cut at the end of a line, else of a word, else where it becomes too long.
    Pieces of fewer than three letters and digits say nothing and are left out.
    """
    pieces: list[tuple[int, int]] = []
    for start, end in sentences(text):
        while end - start > MAX_QUOTE:
            cut = _cut(text, start)
            pieces.append((start, cut))
            start = end - len(text[cut:end].lstrip())
        pieces.append((start, end))
    return [(start, end) for start, end in pieces if sum(map(str.isalnum, text[start:end])) >= 3]


def _cut(text: str, start: int) -> int:
    for space in "\n ":
        cut = text.rfind(space, start + 1, start + MAX_QUOTE + 1)
        if cut > start:
            return start + len(text[start:cut].rstrip())
    return start + MAX_QUOTE
