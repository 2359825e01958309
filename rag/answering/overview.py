"""What a document is about: its abstract or its first sentences, then what else in it is likest to the question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.composing import EXPLANATION, Shown, passages
from rag.answering.evidence import Evidence, Seen
from rag.answering.heads import named_best
from rag.answering.layout import apart, laid_out
from rag.answering.rules import announces

LEAD = 620
"""Most characters of the lead that is shown."""
_ABSTRACT = re.compile(
    r"\b(?:abstract|summary|overview|introduction|purpose|about|scope|background|executive summary|zusammenfassung"
    r"|überblick|einleitung|zweck|résumé|introduction|objet|aperçu)\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://|^\W*\[|learning objectives|table of contents|by the end of this", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…][\s*_\"'”’)\]]*$")
SHORTEST = 40
"""Characters of a sentence that can be a lead, at least."""


def overview(evidence: Evidence, units: Sequence[Seen], chances: Sequence[float]) -> Shown:
    """Show the lead of the document that the question names best, then what is likest to the question."""
    best = named_best(evidence.asked, evidence.passages)[0]
    number = next(
        place
        for place, passage in enumerate(evidence.passages)
        if passage.document_id == best.document_id
        and passage.start == min(each.start for each in evidence.passages if each.document_id == best.document_id)
    )
    lead = _lead(evidence, evidence.seen[number])
    if lead is None:
        return passages(evidence, units, chances)
    first, last = lead
    start, end = first.unit.start, last.unit.end
    units_of_lead = [seen.unit for seen in evidence.seen[number] if start <= seen.unit.start < end]
    inside = [
        (seen, chance)
        for seen, chance in zip(units, chances, strict=True)
        if evidence.passages[seen.unit.passage].document_id == best.document_id
        and not (seen.unit.passage == number and start <= seen.unit.start < end)
        and _says(evidence, seen)
    ]
    subject = _subject(evidence, [seen for seen in evidence.seen[number] if not start <= seen.unit.start < end])
    inside = [(seen, chance) for seen, chance in inside if seen not in subject]
    room = EXPLANATION - (end - start)
    more = passages(evidence, [seen for seen, _ in inside], [each for _, each in inside], room) if inside else None
    stretches = [
        *([laid_out([each.unit]) for each in subject]),
        laid_out(units_of_lead),
        *([list(more.pieces)] if more and more.pieces else []),
    ]
    chosen = (first, *(more.chosen if more else ()))
    headings = [
        evidence.text(seen.unit).strip("#=* \n") for seen in evidence.seen[number] if seen.unit.kind == "heading"
    ]
    notes = (f"Its headings begin: {' · '.join(headings[:6])}",) if len(headings) > 1 else ()
    return Shown("overview", apart(stretches), chosen, notes=notes)


_AUTHOR = re.compile(r"(?:\[\d{1,3}\] |\d{1,3}\. )?[A-Z][^\W\d_]{1,30}, [A-Z]\.")
"""An entry of a list of references begins so, and has a year: "Holm, P. (2018). ..."."""
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_SUBJECT = re.compile(r"[\s*_]{0,4}(?:subject|re|betreff|objet)\s{0,2}:[\s*_]{0,4}\S", re.IGNORECASE)


def _subject(evidence: Evidence, own: Sequence[Seen]) -> list[Seen]:
    """Return the line of a letter or a directive that says what it is about, where there is one."""
    return [seen for seen in own if _SUBJECT.match(evidence.text(seen.unit))][:1]


def _says(evidence: Evidence, seen: Seen) -> bool:
    """Tell whether a unit says what a document is about, and is no field, no label and no entry of its references."""
    text = evidence.text(seen.unit)
    own, place = evidence.seen[seen.unit.passage], evidence.place(seen.unit)
    leads = place + 1 < len(own) and own[place + 1].unit.lead == place
    if (_AUTHOR.match(text) and _YEAR.search(text)) or (text.rstrip("*_ ").endswith(":") and not leads):
        return False
    return seen.unit.kind != "field" and (len(text) >= SHORTEST or _SENTENCE_END.search(text) is not None)


def _lead(evidence: Evidence, own: Sequence[Seen]) -> tuple[Seen, Seen] | None:
    """Return the first and last unit of the abstract, or else of the first paragraphs."""
    able = [
        place
        for place, seen in enumerate(own)
        if seen.unit.kind in ("sentence", "item")
        and seen.unit.end - seen.unit.start >= SHORTEST
        and not _LINK.search(evidence.text(seen.unit))
        and not announces(evidence, seen)
    ]
    if not able:
        return None
    said = [place for place in able if _SENTENCE_END.search(evidence.text(own[place].unit))]  # no line of a letterhead
    begin = next((place for place in able if _ABSTRACT.search(own[place].unit.heading)), (said or able)[0])
    end = begin
    for place in range(begin + 1, len(own)):
        if own[place].unit.end - own[begin].unit.start > LEAD or own[place].unit.kind in ("heading", "field"):
            break
        end = place
    return own[begin], own[end]
