"""What kind of thing a question asks for (money, a time, a share, a number), and whether a text has one. Pure text."""

from __future__ import annotations

import re
from collections.abc import Mapping

_I = re.IGNORECASE
_NUMBERS = (
    r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty"
    r"|fifty|sixty|seventy|eighty"
    r"|ninety|hundred|thousand|million|billion|dozen|half|both|none|no|zwei|drei|vier|fünf|sechs|sieben|acht"
    r"|neun|zehn|zwölf|deux|trois"
    r"|quatre|cinq|six|sept|huit|neuf|dix|douze|einen?|une?)\b)"
)
_ASKED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("money", re.compile(
        r"\b(?:costs?|price[ds]?|fees?|fines?(?!-)|salary|salaries|wages?|rent|charge[sd]?|earns?|paid|how much money"
        r"|worth|budget(?:ed)?|deposit|bill(?:ed)?)\b"
        r"|\bwas kostet\b|\bwie (?:viel|teuer) kostet|\bpreis\b|\bgebühr|\bgehalt\b|\bbeitrag\b"
        r"|\beintrittsgeld\b|\bcombien coût|\bprix\b|\btarif\b|\bamende\b|\bsalaire\b", _I)),
    ("share", re.compile(r"\bpercent(?:age)?\b|\bper cent\b|\bwhat (?:share|proportion|fraction)\b|\bprozent\b"
    r"|\bwelcher anteil\b|\bpourcentage\b", _I)),
    ("time", re.compile(r"\bhow long (?!is|are|was|were)\b|\bhow often\b|\bhow many (?:seconds|minutes|hours"
    r"|days|weeks|months|years)\b|\bhow (?:early|soon|old)\b|\bwie (?:lange|oft)\b|\bfrist\b"
    r"|\bcombien de temps\b", _I)),
    ("date", re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|time)\b|\bby (?:what"
    r"|which) (?:date|day|time)\b|\bwann\b|\bvon wann\b|\bquand\b|\ben quelle année\b", _I)),
    ("number", re.compile(r"\bhow (?:many|much|far|tall|high|deep|heavy|fast|big|large|hot|cold|wide)\b"
    r"|\bnumber of\b|\bwie (?:viele?|hoch|weit|groß|schwer|schnell|tief)\b|\bcombien\b", _I)),
)  # fmt: skip
_HAS: Mapping[str, re.Pattern[str]] = {
    "money": re.compile(
        r"[$€£¥]|\b(?:USD|EUR|GBP|CHF|dollars?|euros?|pounds?|cents?|crowns?|francs?|yen|kronor|kroner|rupees?"
        r"|pesos?|pence)\b"
        r"|\bfree (?:of charge|for)\b|\bno (?:charge|fee)\b|\bgratis\b|\bkostenlos\b|\bgratuit", _I),
    "share": re.compile(r"%|\bper ?cent\b|\bprozent\b|\bpour cent\b|\b(?:half|thirds?|quarters?|fifths?"
    r"|tenths?)\b|\b\w+ (?:out of|in) \w+\b", _I),
    "time": re.compile(
        rf"{_NUMBERS}[\s\S]{{0,24}}?\b(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centur(?:y"
        rf"|ies)|sekunden?|minuten?|stunden?"
        r"|tagen?|wochen?|monate?n?|jahre?n?|jours?|semaines?|mois|ans?|années?|heures?)\b"
        r"|\b(?:daily|weekly|monthly|yearly|annually|hourly|always|twice|once|every|each|täglich|wöchentlich"
        r"|monatlich|jährlich|jeden?)\b", _I),
    "date": re.compile(
        r"\b(?:1[0-9]|20)\d\d\b|\b(?:january|february|march|april|may|june|july|august|september|october"
        r"|november|december|januar|februar"
        r"|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet|août|septembre|octobre"
        r"|novembre|décembre)\b"
        r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b\d{1,2}[:.]\d\d\b|\b\d{1,2}\s?(?:am|pm|uhr|h)\b"
        r"|\b\d{1,2}(?:st|nd|rd|th) century\b"
        r"|\b(?:noon|midnight|morning|evening|spring|summer|autumn|winter|easter|christmas|today|after|before"
        r"|until|once|as soon as|when)\b", _I),
    "number": re.compile(_NUMBERS, _I),
}  # fmt: skip


def wanted_kind(question: str) -> str:
    """Return what kind of thing a question asks for, "" where its words do not tell."""
    return next((kind for kind, pattern in _ASKED if pattern.search(question)), "")


def has_kind(text: str, kind: str) -> bool:
    """Tell whether a text has something of a kind; anything does of ""."""
    return not kind or _HAS[kind].search(text) is not None


_UNITS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "watt": r"\bwatts?\b|(?<=\d)\s?[km]?W\b",
        "volt": r"\bvolts?\b|(?<=\d)\s?k?V\b",
        "ampere": r"\bamp(?:ere|ère)?s?\b|(?<=\d)\s?m?A\b",
        "litre": r"\b(?:milli)?lit(?:re|er)s?\b|\bliters?\b|(?<=\d)\s?[mcdh]?l\b",
        "gallon": r"\bgallons?\b|\bgal\b",
        "pint": r"\bpints?\b",
        "metre": r"\b(?:centi|milli)?met(?:re|er)s?\b|(?<=\d)\s?[cm]?m\b",
        "kilometre": r"\bkilomet(?:re|er)s?\b|(?<=\d)\s?km\b",
        "mile": r"\bmiles?\b|(?<=\d)\s?mi\b",
        "foot": r"\bf(?:oo|ee)t\b|(?<=\d)\s?ft\b",
        "inch": r"\binch(?:es)?\b|(?<=\d)\s?in\b|(?<=\d)\s?[\"″]",
        "gram": r"\bgrams?\b|(?<=\d)\s?g\b",
        "kilogram": r"\bkilo(?:gram)?s?\b|(?<=\d)\s?kg\b",
        "pound": r"\bpounds?\b|(?<=\d)\s?lbs?\b|£",
        "ounce": r"\bounces?\b|(?<=\d)\s?oz\b",
        "ton": r"\btonn?es?\b|\btons?\b|(?<=\d)\s?t\b",
        "second": r"\bseconds?\b|(?<=\d)\s?m?s\b",
        "minute": r"\bminutes?\b|(?<=\d)\s?min\b",
        "hour": r"\bhours?\b|(?<=\d)\s?h\b|\d:\d\d",
        "degree": r"\bdegrees?\b|°",
        "euro": r"\beuros?\b|€|\bEUR\b",
        "dollar": r"\bdollars?\b|\$|\bUSD\b",
        "percent": r"\bper ?cent\b|%",
        "byte": r"\b(?:kilo|mega|giga|tera)?bytes?\b|(?<=\d)\s?[KMGT]i?B\b",
    }.items()
}
_HOW_MANY = re.compile(r"\bhow (?:many|much)\s+(?:\w+\s+){0,2}?(?P<unit>[^\W\d]+)", re.IGNORECASE)
_IN_UNIT = re.compile(r"\bin (?P<unit>[^\W\d]+)", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")


def contradicts(question: str, text: str) -> bool:
    """Tell whether a text is about another unit or another year than the question: watts asked, litres told."""
    years = set(_YEAR.findall(question))
    told = set(_YEAR.findall(text))
    if years and told and not years & told:
        return True
    named = [match["unit"] for match in (*_HOW_MANY.finditer(question), *_IN_UNIT.finditer(question))]
    asked = next((unit for name in named for unit in _UNITS.values() if unit.fullmatch(name)), None)
    if asked is None or asked.search(text):
        return False
    if any(unit.search(text) for unit in _UNITS.values()) or not re.search(r"[^\W\d]", text):
        return True
    return _IN_UNIT.search(question) is not None and not has_kind(text, "number")
