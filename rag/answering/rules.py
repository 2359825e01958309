"""What may not be an answer, whatever the models say. Pure text.

A span is no answer that has no letter and no digit, that is only marks of the markup, or that only repeats the
question. A number keeps its unit, and a row of a table answers only for what the question names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.evidence import Evidence, Seen
from rag.answering.named import about_another
from rag.question import answer_type, stem, stems

_UNIT = re.compile(
    r"\s?(?:%|‰|°\s?[CFK]?|(?:per cent|percent|per mille)\b"
    r"|(?:[kKMGT]i?B|[kMG]?bit/s|[kMG]?Hz|[mkM]?W|kWh|[mk]?V|m?A|Ah|hPa|bar|psi|Nm|N|dB|lx|lm|mol|pH|ppm|rpm)\b"
    r"|(?:[mcdk]?m|[µn]m|[mk]?g|[mc]?l|ml|t|ha|km²|m²|m³|sq km|sq m|min|h|s|ms|d)"
    r"(?:/(?:[hs]|min|kg|l|m²|m³|ha))?\b(?!\.\w)"
    r"|(?:metres?|meters?|kilomet(?:re|er)s?|centimet(?:re|er)s?|millimet(?:re|er)s?|miles?|feet|foot|inch(?:es)?"
    r"|yards?|knots?"
    r"|grams?|kilograms?|kilos?|pounds?|ounces?|tons?|tonnes?|litres?|liters?|gallons?|pints?|barrels?"
    r"|seconds?|minutes?|hours?|days?|weeks?|months?|years?|degrees?|watts?|volts?|amps?|ampères?"
    r"|euros?|dollars?|cents?|crowns?|francs?|pence|yen|kronor|kroner|Euro|EUR|USD|GBP|CHF|SEK|NOK|DKK"
    r"|Jahre?n?|Tagen?|Wochen?|Monate?n?|Stunden?|Minuten?|Metern?|ans?|jours?|heures?|mois|semaines?)\b)",
)
_MONEY = re.compile(r"(?:[$€£¥]|USD|EUR|GBP|CHF)\s?$")
_NUMBER_AT_END = re.compile(r"\d$")
_NUMBER_AT_START = re.compile(r"\d")


def says_something(text: str) -> bool:
    """Tell whether a text has a letter or a digit at all."""
    return any(map(str.isalnum, text))


def repeats(question: str, text: str) -> bool:
    """Tell whether a span says nothing but words of the question; a span without content words does not."""
    said = stems(text)
    return bool(said) and said <= stems(question)


def with_its_unit(question: str, text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span widened by the unit or the currency of its number, unless the question names the unit itself."""
    span = text[start:end]
    if _NUMBER_AT_END.search(span) and (match := _UNIT.match(text, end)) and not _named(question, match[0]):
        end = match.end()
    if _NUMBER_AT_START.match(span) and (money := _MONEY.search(text, max(0, start - 5), start)):
        start = money.start()
    return start, end


def _named(question: str, unit: str) -> bool:
    asked = {stem(word) for word in re.findall(r"\w+", question.casefold())}
    return all(stem(word) in asked for word in re.findall(r"\w+", unit.casefold())) and unit.strip().isalpha()


def off_the_row(evidence: Evidence, seen: Seen) -> bool:
    """Tell whether another row or field of the same table names more of what the question names."""
    if seen.unit.kind not in ("row", "field"):
        return False
    rows = [
        other
        for other in evidence.seen[seen.unit.passage]
        if other.unit.block == seen.unit.block and other.unit.kind == seen.unit.kind
    ]
    return max(other.words for other in rows) > seen.words + 0.1


_ANNOUNCES = re.compile(
    r"\b(?:learning objectives|by the end of this|you will be able to|in this (?:section|chapter|module),? you)\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(r"\b(?:table of contents|review questions|further reading|see also)\b", re.IGNORECASE)


def announces(evidence: Evidence, seen: Seen) -> bool:
    """Tell whether a unit only says what will be told elsewhere: learning objectives, a table of contents.

    Text that is no item and stands under "Learning objectives" is the chapter itself: it has no heading of its own.
    """
    unit = seen.unit
    lead = None if unit.lead is None else evidence.seen[unit.passage][unit.lead].unit
    said = [evidence.text(unit)[:200]]
    if lead is not None and (unit.kind == "item" or lead.kind != "heading"):
        said.append(evidence.text(lead))
    if unit.kind == "item":
        said.append(unit.heading)
    return any(_ANNOUNCES.search(text) for text in said) or any(
        _ELSEWHERE.search(text) for text in (*said, unit.heading)
    )


def fits(question: str, text: str) -> bool:
    """Tell whether a span is of the kind that is asked for: a date for when, a number for how many, a name for who."""
    from rag.question import holds_type

    return holds_type(text, answer_type(question))


def allowed(evidence: Evidence, units: Sequence[Seen]) -> list[bool]:
    """Return for each unit whether it may be an answer."""
    return [
        says_something(evidence.text(seen.unit))
        and not off_the_row(evidence, seen)
        and not announces(evidence, seen)
        and not about_another(evidence, seen)
        for seen in units
    ]
