"""Yes or no, and the sentence that says so. Neither word is given without evidence that says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from rag.answering.composing import Shown, sentence
from rag.answering.evidence import UNREAD, Evidence, Seen
from rag.generator import Copied, Draft, Written
from rag.polarity import Polarity, Word, polarity
from rag.polarity_signs import has_denial
from rag.terms import terms

LOOKED_AT = 3
"""Likeliest sentences in which yes or no is looked for."""
DECIDED = 0.3
"""Chance of yes or of no from which on the word is given."""
LIKELY, CLEAR = 0.3, 0.6
"""Of a sentence that is less likely to answer than `LIKELY`, yes or no has to be as clear as `CLEAR`."""
HINT, OUTWEIGHS = 0.1, 0.75
"""Of a likely sentence a smaller chance is enough, from `HINT` on, where its share in yes and no is `OUTWEIGHS`."""
NETWORK = 0.5
"""The network's share in what a sentence says; the rest is its words'."""
UNDECIDED = 0.5
"""What is left of the confidence where no sentence says yes or no."""
ENOUGH = 0.4
"""Share of the likeliest sentence's chance that another one must have to decide in its place."""


def yes_no(evidence: Evidence, units: Sequence[Seen], chances: Sequence[float]) -> Shown:
    """Show "Yes." or "No." and the sentence that says so; the sentence alone where none does."""
    order = sorted(range(len(units)), key=lambda place: (-chances[place], place))
    plain = sentence(evidence, units, chances)
    clear: tuple[float, int, Word, Polarity] | None = None
    for place in order[:LOOKED_AT]:
        if chances[place] < ENOUGH * chances[order[0]]:
            break
        seen = units[place]
        found = _polarity(evidence, seen)
        word = _word(evidence, seen, found, chances[place])
        weight = chances[place] * max(found.yes, found.no)
        if word and (clear is None or weight > clear[0]):
            clear = (weight, place, word, found)
    if clear is not None:
        _, place, word, found = clear
        seen = units[place]
        whole = Copied(seen.unit.passage, seen.unit.start, seen.unit.end)
        said = Written(f"{word.capitalize()}. ", supported=True)
        others = [each for each in plain.chosen if each is not seen]
        also = tuple(Copied(each.unit.passage, each.unit.start, each.unit.end) for each in others)
        decided = max(found.yes, found.no) / max(found.yes + found.no, 1e-9)
        return Shown("yes-no", (said, whole), (seen, *others), also, share=decided)
    best = plain.chosen[0].unit
    return replace(plain, form="yes-no", pieces=(Copied(best.passage, best.start, best.end),), share=UNDECIDED)


def _word(evidence: Evidence, seen: Seen, found: Polarity, chance: float) -> Word:
    """Return what may be said for a sentence: that it answers at all is in its own `chance` already."""
    if chance < LIKELY:
        return found.word(CLEAR)
    text = evidence.text(seen.unit)
    asked, said = terms(evidence.asked.question), terms(text)
    about = bool((asked.words - asked.names - asked.numbers) & said.words)
    denied_yes = found.yes > found.no and has_denial(text)
    outweighs = max(found.yes, found.no) >= OUTWEIGHS * (found.yes + found.no)
    return found.word(HINT if outweighs and about and not denied_yes else DECIDED)


def verdict(evidence: Evidence) -> Draft | None:
    """Return "Yes" or "No" as the network says of the passages as a whole, with the sentence that says it most.

    For passages that were given: all of them are about the question. None where the network does not say such things.
    """
    units = [each for each in evidence.all() if max(each.yes, each.no) > UNREAD]
    if not units:
        return None
    yes, no = _log_sum([each.yes for each in units]), _log_sum([each.no for each in units])
    best = max(units, key=lambda each: each.yes if yes > no else each.no).unit
    sure = math.exp(max(_log_softmax(yes, no, 0.0)[:2]))
    word = "Yes" if yes > no else "No"
    said = Written(word, supported=True, evidence=(Copied(best.passage, best.start, best.end),))
    return Draft((said,), sure, form="yes-no")


def _log_sum(scores: Sequence[float]) -> float:
    top = max(scores)
    return top + math.log(math.fsum(math.exp(score - top) for score in scores))


def _polarity(evidence: Evidence, seen: Seen) -> Polarity:
    """Return what a unit says: by its words, and, where the network says yes and no, by that as well.

    The geometric mean of both, the network's share in it `NETWORK`; neither word where one says yes and the other no.
    """
    by_words = polarity(evidence.asked.question, evidence.text(seen.unit), _around(evidence, seen))
    if seen.yes == UNREAD and seen.no == UNREAD:
        return by_words
    network = _log_softmax(seen.yes, seen.no, 0.0)
    if {by_words.word(DECIDED), Polarity(*map(math.exp, network)).word(DECIDED)} == {"yes", "no"}:
        return Polarity(0.0, 0.0, 1.0)
    words = (by_words.yes, by_words.no, by_words.neither)
    scores = [
        (1 - NETWORK) * math.log(max(word, 1e-6)) + NETWORK * score for word, score in zip(words, network, strict=True)
    ]
    return Polarity(*(math.exp(score) for score in _log_softmax(*scores)))


def _log_softmax(*scores: float) -> list[float]:
    total = _log_sum(scores)
    return [score - total for score in scores]


def _around(evidence: Evidence, seen: Seen) -> str:
    """Return what a reader has just read: the heading, what introduces the unit, and the unit before it."""
    own = evidence.seen[seen.unit.passage]
    place = evidence.place(seen.unit)
    lead = "" if seen.unit.lead is None else evidence.text(own[seen.unit.lead].unit)
    before = evidence.text(own[place - 1].unit) if place and own[place - 1].unit.block == seen.unit.block else ""
    return " ".join(dict.fromkeys(part for part in (seen.unit.heading, lead, before) if part))
