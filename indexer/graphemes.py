"""Where a text must not be cut: the positions inside what a reader sees as one character."""

from __future__ import annotations

import regex

_WIDE = regex.compile(r"(?:[\x00-\x7f]?[^\x00-\x7f]+)+[\x00-\x7f]?|\r\n")
_GRAPHEME = regex.compile(r"\X")


def inside_graphemes(text: str) -> frozenset[int]:
    """Return the positions at which a cut would tear an extended grapheme cluster (Unicode UAX 29); linear time.

    Only stretches with characters outside ASCII are looked at: inside ASCII only CR LF belongs together.
    """
    if text.isascii() and "\r" not in text:
        return frozenset()
    return frozenset(
        position
        for stretch in _WIDE.finditer(text)
        for grapheme in _GRAPHEME.finditer(text, stretch.start(), stretch.end())
        if grapheme.end() - grapheme.start() > 1
        for position in range(grapheme.start() + 1, grapheme.end())
    )
