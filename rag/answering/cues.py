"""Words by which a sentence shows that it defines, explains or tells how. Pure text, no model."""

from __future__ import annotations

import re

from rag.question import stems

_CAUSE = re.compile(
    r"\bbecause\b|\bsince\b|\bso that\b|\bdue to\b|\breasons?\b|\bcaus\w+\b|\bin order to\b|\btherefore\b|\bthus\b"
    r"|\bas a result\b|\bowing to\b|\bthis is why\b|\bto avoid\b|\bleads? to\b|\brationale\b|\bso\b"
    r"|\bweil\b|\bdamit\b|\bdeshalb\b|\bparce qu|\bcar\b|\bafin\b",
    re.IGNORECASE,
)
_IS = re.compile(
    r"\b(?:is|are|was|were|means?|refers? to|stands? for|denotes?|describes?|consists? of|abbreviation|known as"
    r"|called|ist|sind|bedeutet|heißt|est|sont|signifie|désigne)\b|[:–—]| - ",
    re.IGNORECASE,
)
_NAMES = re.compile(
    r"\b(?:is|are) (?:called|known as|termed|referred to as)\b|\bdefin(?:ed|ition)\b|\bmeans\b|\bstands for\b",
    re.IGNORECASE,
)
_FAR = 45
"""Characters by which what stands before "is" may be longer than what is defined."""


def gives_a_reason(text: str) -> bool:
    """Tell whether a sentence has a word that joins a cause to what it causes."""
    return _CAUSE.search(text) is not None


def defines(subject: str, text: str) -> float:
    """Return how much a sentence looks like a definition of `subject`, from 0 to 1."""
    wanted = stems(subject) if subject else set()
    match = _IS.search(text)
    if not wanted or match is None:
        return 0.0
    head = text[: match.start()]
    if wanted <= stems(head) and len(head) < len(subject) + _FAR:
        return 1.0
    return 0.7 if wanted <= stems(text) and _NAMES.search(text) else 0.0
