"""What may not be an answer, whatever the models say. Pure text.

A span is no answer that has no letter and no digit, that is only marks of the markup, or that only repeats the
question. A number keeps its unit, and a row of a table answers only for what the question names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.answering.cells import asked_cell, cells
from rag.answering.evidence import Evidence, Seen
from rag.answering.named import about_another
from rag.question import answer_type, stem, stems
from rag.terms import terms

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


_ADDRESS = re.compile(r"\b(?:https?|ftp)://\S+|\bwww\.\S+")
_TARGET = re.compile(r"(?<=\])\([^()\s]*\)")
"""Where a link or an image of Markdown leads."""
_REFERENCE = re.compile(r"(?:\.\.\s)?\[[\w.-]+\](?:\s|:)")
"""The mark of a note in the list of references."""
_ASKS_FOR_ADDRESS = re.compile(
    r"\b(?:where|links?|url|address|web ?(?:site|page)|site|page|repositor\w+|wo|où|adresse)\b", re.IGNORECASE
)


def says_something(text: str) -> bool:
    """Tell whether a text has a letter or a digit at all."""
    return any(map(str.isalnum, text))


def only_an_address(question: str, text: str) -> bool:
    """Tell whether a text is nothing but web addresses, and the question asks for none."""
    bare = _ADDRESS.sub("", _TARGET.sub("", _REFERENCE.sub("", text)))
    return not says_something(bare) and not _ASKS_FOR_ADDRESS.search(question)


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


_PAIRS = {"[": "]", "(": ")", "{": "}"}


def without_torn_brackets(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without a bracket at either end whose other half it does not hold: "[2019" out of a link."""
    while start < end and (closes := _PAIRS.get(text[start])) and closes not in text[start:end]:
        start += 1
    while start < end and (opens := next((a for a, b in _PAIRS.items() if b == text[end - 1]), "")):
        if opens in text[start:end]:
            break
        end -= 1
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
    if seen.unit.kind == "row" and _of_another_name(evidence, seen):
        return True
    return max(other.words for other in rows) > seen.words + 0.1


def _of_another_name(evidence: Evidence, seen: Seen) -> bool:
    """Tell whether another row with the same column holds more of the names and numbers of the question.

    Rows of one document are of one table where they have the column that is asked for, whatever passage they stand in.
    """
    question, row = evidence.asked.question, evidence.text(seen.unit)
    names = _names_in(question)
    cell = asked_cell(question, row) if names else None
    if cell is None:
        return False
    source = evidence.passages[seen.unit.passage].source
    held = len(names & _row(row).words)
    return any(
        other.unit.kind == "row"
        and evidence.passages[other.unit.passage].source == source
        and cell.name in (said := _row(evidence.text(other.unit))).columns
        and len(names & said.words) > held
        for other in evidence.all()
    )


_CAPITAL_INSIDE = re.compile(r"\b\w+[A-Z]\w*\b")
""""eCommerce", "GnuPG": names, wherever they stand."""


@lru_cache(maxsize=64)
def _names_in(question: str) -> frozenset[str]:
    asked = terms(question)
    return asked.names | asked.numbers | {stem(word.casefold()) for word in _CAPITAL_INSIDE.findall(question)}


@dataclass(frozen=True, slots=True)
class _Row:
    columns: frozenset[str]
    words: frozenset[str]


@lru_cache(maxsize=2000)
def _row(text: str) -> _Row:
    said = terms(text)
    return _Row(frozenset(cell.name for cell in cells(text)), said.words | said.numbers)


_ANNOUNCES = re.compile(
    r"\b(?:learning objectives|by the end of this|you will be able to|in this (?:section|chapter|module),? you)\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(r"\b(?:table of contents|review questions|further reading|see also)\b", re.IGNORECASE)


_NUMBERED = (
    r"(?:Tab(?:le|elle|leau)|Fig(?:ure|\.)|Abb(?:ildung|\.)|Listing|Exhibit|Diagram)\s{1,2}\d{1,4}(?:[.–-]\d{1,4}){0,3}"
)
_CAPTION = re.compile(rf"[\s*_]{{0,4}}(?:<[^<>]{{0,99}}>\s{{0,4}}){{0,3}}{_NUMBERED}(?:[:.]| [–—-])\s")
_POINTS = re.compile(
    rf"(?:{_NUMBERED}|The (?:following |next )?(?:table|figure|list|diagram)(?: below)?)"
    r"\s(?:shows|lists|gives|contains|summari[sz]es|presents|describes|illustrates)\b(?! that\b)"
)
_ASKS_FOR_CAPTION = re.compile(
    r"\b(?:table|figure|fig|listing|exhibit|diagram|caption|tabelle|abbildung|tableau)\b", re.IGNORECASE
)


def is_caption(question: str, text: str) -> bool:
    """Tell whether a text is the caption of a table or a figure, or only points to one, and the question asks for none.

    "Table 3-1 shows the types" says where the types stand, and not one of them.
    """
    if _ASKS_FOR_CAPTION.search(question):
        return False
    return _POINTS.match(text) is not None or (_CAPTION.match(text) is not None and "\n" not in text.strip())


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
        and not only_an_address(evidence.asked.question, evidence.text(seen.unit))
        and not is_caption(evidence.asked.question, evidence.text(seen.unit))
        and not off_the_row(evidence, seen)
        and not announces(evidence, seen)
        and not about_another(evidence, seen)
        for seen in units
    ]
