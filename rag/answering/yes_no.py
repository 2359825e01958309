"""Yes or no, and the sentence that says so. Neither word is given without evidence that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.answering.composing import Shown, sentence
from rag.answering.evidence import Evidence, Seen
from rag.generator import Copied, Written
from rag.polarity import polarity

LOOKED_AT = 3
"""Likeliest sentences in which yes or no is looked for."""
DECIDED = 0.3
"""Chance of yes or of no from which on the word is given."""
LIKELY, CLEAR = 0.3, 0.6
"""Of a sentence that is less likely to answer than `LIKELY`, yes or no has to be as clear as `CLEAR`."""
UNDECIDED = 0.5
"""What is left of the confidence where no sentence says yes or no."""
ENOUGH = 0.4
"""Share of the likeliest sentence's chance that another one must have to decide in its place."""


def yes_no(evidence: Evidence, units: Sequence[Seen], chances: Sequence[float]) -> Shown:
    """Show "Yes." or "No." and the sentence that says so; the sentence alone where none does."""
    order = sorted(range(len(units)), key=lambda place: (-chances[place], place))
    plain = sentence(evidence, units, chances)
    for place in order[:LOOKED_AT]:
        if chances[place] < ENOUGH * chances[order[0]]:
            break
        seen = units[place]
        found = polarity(evidence.asked.question, evidence.text(seen.unit), _around(evidence, seen))
        word = found.word(DECIDED if chances[place] >= LIKELY else CLEAR)
        if word:
            whole = Copied(seen.unit.passage, seen.unit.start, seen.unit.end)
            said = Written(f"{word.capitalize()}. ", supported=True)
            others = [each for each in plain.chosen if each is not seen]
            also = tuple(Copied(each.unit.passage, each.unit.start, each.unit.end) for each in others)
            decided = max(found.yes, found.no) / max(found.yes + found.no, 1e-9)
            return Shown("yes-no", (said, whole), (seen, *others), also, share=decided)
    best = plain.chosen[0].unit
    return replace(plain, form="yes-no", pieces=(Copied(best.passage, best.start, best.end),), share=UNDECIDED)


def _around(evidence: Evidence, seen: Seen) -> str:
    """Return what a reader has just read: the heading, what introduces the unit, and the unit before it."""
    own = evidence.seen[seen.unit.passage]
    place = evidence.place(seen.unit)
    lead = "" if seen.unit.lead is None else evidence.text(own[seen.unit.lead].unit)
    before = evidence.text(own[place - 1].unit) if place and own[place - 1].unit.block == seen.unit.block else ""
    return " ".join(dict.fromkeys(part for part in (seen.unit.heading, lead, before) if part))
