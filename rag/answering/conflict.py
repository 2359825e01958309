"""Where passages of the same kind differ and carry dates or versions: the newest is answered, the others are named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from rag.answering.composing import Shown, sentence, span
from rag.answering.evidence import Evidence, Seen
from rag.generator import Copied
from rag.question import stems

_DATE = re.compile(
    r"\b((?:19|20)\d\d)(?:-(\d\d))?(?:-(\d\d))?\b|\bv(?:ersion )?\s?(\d+)(?:\.(\d+))?(?:\.(\d+))?\b", re.IGNORECASE
)
_NUMBER = re.compile(r"\d[\d.,:/-]*")
ALIKE = 0.7
"""Share of the words of two sentences that are the same, numbers apart, for them to be of one kind."""
CHANCE = 0.25
"""Share of the best unit's chance that a rival must have."""
OTHERS = 3


def newest(evidence: Evidence, units: Sequence[Seen], chances: Sequence[float]) -> Shown:
    """Show the likeliest sentence; of several of its kind that differ the newest, or that of the date asked for."""
    plain = sentence(evidence, units, chances)
    best = plain.chosen[0]
    chance = {id(each): value for each, value in zip(units, chances, strict=True)}
    alike = [each for each in units if chance[id(each)] >= CHANCE * chance[id(best)] and _rivals(evidence, best, each)]
    dated = [(_when(evidence, each), each) for each in (best, *alike)]
    asked_for = _date(evidence.asked.question)
    if asked_for is not None:
        then = next((each for when, each in dated if when is not None and _is_of(when, asked_for)), best)
        chosen = (then, *(each for each in plain.chosen if each is not then))
        also = tuple(Copied(each.unit.passage, each.unit.start, each.unit.end) for each in chosen[1:])
        return replace(plain, pieces=(span(evidence, then),), chosen=chosen, also=also)
    if not alike or any(when is None for when, _ in dated):
        return plain
    order = [each for _, each in sorted(dated, key=lambda pair: pair[0] or (0, 0, 0), reverse=True)]
    others = order[1 : 1 + OTHERS]
    also = tuple(Copied(each.unit.passage, each.unit.start, each.unit.end) for each in others)
    return Shown("conflict", (span(evidence, order[0]),), (order[0], *others), also)


def _rivals(evidence: Evidence, one: Seen, other: Seen) -> bool:
    first, second = evidence.passages[one.unit.passage], evidence.passages[other.unit.passage]
    if first.document_id == second.document_id:
        return False
    mine, its = _words(evidence.text(one.unit)), _words(evidence.text(other.unit))
    if not mine or len(mine & its) < ALIKE * len(mine | its):
        return False
    return _NUMBER.findall(evidence.text(one.unit)) != _NUMBER.findall(evidence.text(other.unit))


def _words(text: str) -> set[str]:
    return {word for word in stems(text) if not any(map(str.isdigit, word))}


def _when(evidence: Evidence, seen: Seen) -> tuple[int, int, int] | None:
    """Return the date or version that a unit or its document carries, comparable; None where there is none."""
    passage = evidence.passages[seen.unit.passage]
    for text in (evidence.text(seen.unit), passage.title, PurePath(passage.source).stem, passage.context):
        if (found := _date(text)) is not None:
            return found
        if match := re.search(r"(?:19|20)\d\d", text):
            return (int(match[0]), 0, 0)
    return None


def _date(text: str) -> tuple[int, int, int] | None:
    """Return the first date or version of a text; parts that it does not give are 0."""
    match = _DATE.search(text.replace("_", " "))
    if match is None:
        return None
    parts = match.groups()
    first, second, third = parts[:3] if parts[0] else parts[3:6]
    return (int(first), int(second or 0), int(third or 0))


def _is_of(when: tuple[int, int, int], asked_for: tuple[int, int, int]) -> bool:
    """Tell whether a date lies in the year, the month or the day that is asked for."""
    return all(part in (0, own) for own, part in zip(when, asked_for, strict=True))
