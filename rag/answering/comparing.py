"""Two things compared: one quote for each of them, named by its document where they come from two."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.asked import looked_at
from rag.answering.composing import Shown, passages, stretch
from rag.answering.evidence import Evidence, Seen
from rag.question import stems

_SIDES = (
    re.compile(r"\b(?:between|zwischen|entre)\s+(?P<a>.+?)\s+(?:and|und|et)\s+(?P<b>.+)", re.IGNORECASE),
    re.compile(
        r"(?:^|,\s*|:\s*|\bcompare\s+)(?P<a>[^,:]+?)\s+(?:vs\.?|versus|compared (?:to|with)|as opposed to)\s+(?P<b>.+)",
        re.IGNORECASE,
    ),
    re.compile(r"\bhow (?:do|does|did|is|are)\s+(?P<a>.+?)\s+(?:differ|different)\s+from\s+(?P<b>.+)", re.IGNORECASE),
    re.compile(r"\bcompare\s+(?P<a>.+?)\s+(?:and|with|to)\s+(?P<b>.+)", re.IGNORECASE),
    re.compile(r"[,:]?\s*(?:the\s+)?(?P<a>[^,:]+?),?\s+or\s+(?P<b>[^,:]+)", re.IGNORECASE),
    re.compile(r"(?P<a>.+?)\s+(?:and|und|et)\s+(?P<b>.+)", re.IGNORECASE),
)  # fmt: skip
SIDE = 520
"""Most characters of the quote for one side."""
BOTH = 0.6
"""Share of the likeliest unit's chance from which on a unit that names both sides is shown first."""


def sides(question: str) -> tuple[str, str] | None:
    """Return the two things that a question compares, or None where it does not say."""
    text = looked_at(question)
    for pattern in _SIDES:
        if (match := pattern.search(text)) and stems(match["a"]) and stems(match["b"]):
            return match["a"], match["b"]
    return None


def comparison(evidence: Evidence, units: Sequence[Seen], chances: Sequence[float]) -> Shown:
    """Show the best stretch for each side; where one stretch speaks of both, that and what else is likely."""
    two = sides(evidence.asked.question)
    if two is None:
        return passages(evidence, units, chances)
    first, second = (stems(side) for side in two)
    shared = first & second
    wanted = [side - shared or side for side in (first, second)]
    worth: list[list[float]] = [[], []]
    of_both: list[float] = []
    for seen, chance in zip(units, chances, strict=True):
        passage = evidence.passages[seen.unit.passage]
        said = stems(evidence.text(seen.unit))
        above = stems(f"{seen.unit.heading} {passage.context}")
        of_both.append(chance if all(side <= said for side in wanted) else 0.0)
        for side, values in zip(wanted, worth, strict=True):
            own = len(side & said) / len(side)
            around = len(side & (said | above)) / len(side)
            values.append((chance + 0.1) * (0.2 + 0.5 * own + 0.3 * around))
    if max(of_both, default=0.0) >= BOTH * max(chances, default=0.0) > 0:
        worth = [of_both, [first + second for first, second in zip(*worth, strict=True)]]
    return stretch(evidence, units, chances, worth, SIDE)
