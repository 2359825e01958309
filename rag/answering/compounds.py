"""Words that are written as one in some languages and as several in the same text: "Kündigungsfrist", "Frist für die
Kündigung". Pure text; nothing is known of either but how it is written.
"""

from __future__ import annotations

from collections.abc import Collection

COMPOUNDING = frozenset(["de", "nl", "sv", "da", "no"])
"""Languages (ISO 639-1) that write compounds as one word."""
SHORTEST_PART = 4
"""Letters of the shortest part of a compound that is looked for."""
LINK = 2
"""Most letters between two parts that belong to neither: "-s-", "-es-", "-en-"."""
TAKEN_APART, WITHIN = 0.9, 0.5
"""What it counts that a text has both parts of a word, and that it has the word as a part of a longer one."""


def share_held(stem: str, said: Collection[str]) -> float:
    """Return how much of a stem these stems hold: 1 for itself, less for its two parts, or for a compound of it."""
    if stem in said:
        return 1.0
    if len(stem) >= 2 * SHORTEST_PART and any(_completes(stem, first, said) for first in said):
        return TAKEN_APART
    if len(stem) > SHORTEST_PART and any(
        len(word) >= len(stem) + SHORTEST_PART and (word.startswith(stem) or word.endswith(stem)) for word in said
    ):
        return WITHIN
    return 0.0


def _completes(stem: str, first: str, said: Collection[str]) -> bool:
    if len(first) < SHORTEST_PART or not stem.startswith(first):
        return False
    rest = stem[len(first) :]
    return any(rest[skip:] in said for skip in range(LINK + 1) if len(rest) - skip >= SHORTEST_PART)
