"""What kind of thing a question asks for (money, a time, a share, a number), and whether a text has one. Pure text."""

from __future__ import annotations

import re
from collections.abc import Mapping

_I = re.IGNORECASE
_NUMBERS = (
    r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety|hundred|thousand|million|billion|dozen|half|both|none|no|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|deux|trois"
    r"|quatre|cinq|six|sept|huit|neuf|dix|douze|einen?|une?)\b)"
)
_ASKED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("money", re.compile(
        r"\b(?:costs?|price[ds]?|fees?|fines?|salary|salaries|wages?|rent|charges?|earns?|paid|how much money|worth|budget(?:ed)?|deposit|bill(?:ed)?)\b"
        r"|\bwas kostet\b|\bwie (?:viel|teuer) kostet|\bpreis\b|\bgebühr|\bgehalt\b|\bbeitrag\b|\beintrittsgeld\b|\bcombien coût|\bprix\b|\btarif\b|\bamende\b|\bsalaire\b", _I)),
    ("share", re.compile(r"\bpercent(?:age)?\b|\bper cent\b|\bwhat (?:share|proportion|fraction)\b|\bprozent\b|\bwelcher anteil\b|\bpourcentage\b", _I)),
    ("time", re.compile(r"\bhow long (?!is|are|was|were)\b|\bhow often\b|\bhow many (?:seconds|minutes|hours|days|weeks|months|years)\b|\bhow (?:early|soon|old)\b|\bwie (?:lange|oft)\b|\bfrist\b|\bcombien de temps\b", _I)),
    ("date", re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|time)\b|\bby (?:what|which) (?:date|day|time)\b|\bwann\b|\bvon wann\b|\bquand\b|\ben quelle année\b", _I)),
    ("number", re.compile(r"\bhow (?:many|much|far|tall|high|deep|heavy|fast|big|large|hot|cold|wide)\b|\bnumber of\b|\bwie (?:viele?|hoch|weit|groß|schwer|schnell|tief)\b|\bcombien\b", _I)),
)  # fmt: skip
_HAS: Mapping[str, re.Pattern[str]] = {
    "money": re.compile(
        r"[$€£¥]|\b(?:USD|EUR|GBP|CHF|dollars?|euros?|pounds?|cents?|crowns?|francs?|yen|kronor|kroner|rupees?|pesos?|pence)\b"
        r"|\bfree (?:of charge|for)\b|\bno (?:charge|fee)\b|\bgratis\b|\bkostenlos\b|\bgratuit", _I),
    "share": re.compile(r"%|\bper ?cent\b|\bprozent\b|\bpour cent\b|\b(?:half|thirds?|quarters?|fifths?|tenths?)\b|\b\w+ (?:out of|in) \w+\b", _I),
    "time": re.compile(
        rf"{_NUMBERS}.{{0,24}}?\b(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centur(?:y|ies)|sekunden?|minuten?|stunden?"
        r"|tagen?|wochen?|monate?n?|jahre?n?|jours?|semaines?|mois|ans?|années?|heures?)\b"
        r"|\b(?:daily|weekly|monthly|yearly|annually|hourly|always|twice|once|every|each|täglich|wöchentlich|monatlich|jährlich|jeden?)\b", _I),
    "date": re.compile(
        r"\b(?:1[0-9]|20)\d\d\b|\b(?:january|february|march|april|may|june|july|august|september|october|november|december|januar|februar"
        r"|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre)\b"
        r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b\d{1,2}[:.]\d\d\b|\b\d{1,2}\s?(?:am|pm|uhr|h)\b|\b\d{1,2}(?:st|nd|rd|th) century\b"
        r"|\b(?:noon|midnight|morning|evening|spring|summer|autumn|winter|easter|christmas|today|after|before|until|once|as soon as|when)\b", _I),
    "number": re.compile(_NUMBERS, _I),
}  # fmt: skip


def wanted_kind(question: str) -> str:
    """Return what kind of thing a question asks for, "" where its words do not tell."""
    return next((kind for kind, pattern in _ASKED if pattern.search(question)), "")


def has_kind(text: str, kind: str) -> bool:
    """Tell whether a text has something of a kind; anything does of ""."""
    return not kind or _HAS[kind].search(text) is not None
