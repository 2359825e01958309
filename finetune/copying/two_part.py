"""Joins two questions on one paragraph into one whose answer is two copied spans.

Knows how English joins two direct questions; must not know where they come from or what answers them.
"""

from __future__ import annotations

import random

MOST_WORDS = 20
"""Words that either part may have, at most: longer joins read like two questions without a stop."""

WH_WORDS = frozenset({"what", "when", "where", "which", "who", "whom", "whose", "why", "how"})

TEMPLATES = (
    ("{first}, and {second}?", True),
    ("{first} and {second}?", True),
    ("{first}, and also {second}?", True),
    ("{first}? And {second}?", True),
    ("{first}? {second}?", False),
)
"""How two parts are joined, and whether the second one then stands inside a sentence."""


def two_part(first: str, second: str, chance: random.Random) -> str | None:
    """Return one question that asks both, in the order given, or None where they do not join.

    Each must begin with a wh-word, have at most `MOST_WORDS` words and be a single question; the same question twice
    is no join. The first letter of the second is lowered where it comes to stand inside a sentence.
    """
    parts = [_bare(question) for question in (first, second)]
    if not all(_joins(part) for part in parts) or parts[0].lower() == parts[1].lower():
        return None
    template, inside = chance.choice(TEMPLATES)
    second_part = parts[1][0].lower() + parts[1][1:] if inside else parts[1]
    return template.format(first=parts[0], second=second_part)


def _bare(question: str) -> str:
    """Return the question on one line, without what closes it."""
    return " ".join(question.split()).rstrip("?!. ")


def _joins(part: str) -> bool:
    words = part.split()
    return 1 < len(words) <= MOST_WORDS and words[0].lower() in WH_WORDS and "?" not in part
