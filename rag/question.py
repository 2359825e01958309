"""What a question asks for: its content words, and the kind of answer that would fit. Pure text, no model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from indexer.words import content_words

AnswerType = Literal["date", "number", "name", "any"]

_MONTH = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_DATE = re.compile(
    rf"\b\d{{1,2}}\s{_MONTH}(?:\s\d{{4}})?\b|\b{_MONTH}\s(?:\d{{1,2}},\s)?\d{{4}}\b|\b\d{{4}}-\d\d-\d\d\b"
    r"|\b(?:1[0-9]|20)\d\ds?\b|\b\d\d?:\d\d\b",
    re.IGNORECASE,
)
_WORDS_FOR_NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half "
    "twice once quarter third"
)
_IN_WORDS = rf"(?:{'|'.join(_WORDS_FOR_NUMBERS.split())})"
_NUMBER = re.compile(
    rf"[$€£]?\d[\d,.]*\d?(?:\s?(?:%|per cent|percent))?(?:\s{_IN_WORDS}\b)*|\b{_IN_WORDS}(?:[\s-]{_IN_WORDS})*\b",
    re.IGNORECASE,
)
_CAPITAL = r"[A-Z](?:[\w'’.-]*\w)?"
_NAME = re.compile(rf"\b{_CAPITAL}(?:\.?\s+(?:(?:of|the|de|van|von|and|&)\s+)?{_CAPITAL})*")

_PATTERNS: Mapping[AnswerType, re.Pattern[str]] = {"date": _DATE, "number": _NUMBER, "name": _NAME}
_ASKED: tuple[tuple[AnswerType, re.Pattern[str]], ...] = (
    (
        "date",
        re.compile(r"\bwhen\b|\b(?:what|which|in what|on what)\s+(?:\w+\s+)?(?:year|date|day|month|century)\b", re.I),
    ),
    ("number", re.compile(r"\bhow (?:many|much|long|often|far|old|large|big|high|fast|tall|few)\b", re.I)),
    (
        "number",
        re.compile(r"\b(?:what|which) (?:percentage|share|number|proportion|size|rate|cost|price|score)\b", re.I),
    ),
    ("name", re.compile(r"\bwho(?:se|m)?\b|\bwhere\b|\bname\b|\bwhich (?:person|city|country|town|company)\b", re.I)),
)


def answer_type(question: str) -> AnswerType:
    """Return the kind of answer that `question` asks for, by its question words; "any" when they do not tell."""
    return next((kind for kind, pattern in _ASKED if pattern.search(question)), "any")


_TWICE = re.compile(r"\?.*\w.*\?|\b(?:and|or|also|both|as well as)\b|;", re.IGNORECASE | re.DOTALL)


def may_ask_twice(question: str) -> bool:
    """Return whether a question may ask for several things: it has a word that joins, or two question marks."""
    return _TWICE.search(question) is not None


def holds_type(text: str, kind: AnswerType) -> bool:
    """Return whether `text` holds something of this kind; anything does of "any"."""
    pattern = _PATTERNS.get(kind)
    return pattern is None or pattern.search(text) is not None


_MAY_COUNT = re.compile(
    r"(?<!\bin )(?<!\bof )(?<!\bby )(?<!\bsince )(?<!\bfrom )(?<!\buntil )"
    r"(?<!uary )(?<!arch )(?<!pril )(?<!May )(?<!June )(?<!July )(?<!gust )(?<!mber )(?<!ober )\d{4}(?=\s*(?:[|;]|$)"
    r"|[ \n](?!(?:and|or|in|to|on|at|by|for|from|as|is|was|were|with|but|the|a|an)\b)[a-z])"
)
"""Four digits before a noun, or alone in a cell: "1200 guests" is no year."""


def amounts(text: str) -> list[tuple[int, int]]:
    """Return the spans of the numbers in `text`, in digits and in words, but for those of dates and years."""
    dates = [match.span() for match in _DATE.finditer(text) if not _MAY_COUNT.match(text, match.start())]
    found = [match.span() for match in _NUMBER.finditer(text)]
    return [(start, end) for start, end in found if not any(first < end and start < last for first, last in dates)]


def spans_of_type(text: str, kind: AnswerType, question: str) -> list[tuple[int, int]]:
    """Return the spans of `text` that could be an answer of this kind and are not words of the question."""
    asked = {stem(word) for word in re.findall(r"\w+", question.casefold())}
    pattern = _PATTERNS.get(kind)
    if pattern is None:
        return []
    found = [match.span() for match in pattern.finditer(text)]
    return [
        (start, end)
        for start, end in found
        if not all(stem(word) in asked for word in re.findall(r"\w+", text[start:end].casefold()))
        and not (kind == "name" and start == 0 and " " not in text[start:end])  # any sentence begins with a capital
    ]


_IRREGULAR_VERBS = """
begin began begun, bring brought, build built, buy bought, choose chose chosen, come came, draw drew drawn, fall fell
fallen, find found, forget forgot forgotten, get got, give gave given, go went gone, grow grew grown, hear heard, hold
held, keep kept, know knew known, lead led, learn learnt, leave left, lose lost, make made, mean meant, meet met, pay
paid, rise rose risen, run ran, say said, see saw seen, sell sold, send sent, show shown, speak spoke spoken, spend
spent, stand stood, steal stole stolen, take took taken, teach taught, tell told, think thought, throw threw thrown,
understand understood, win won, write wrote written
"""
_BASE = {form: forms.split()[0] for forms in _IRREGULAR_VERBS.split(",") for form in forms.split()}


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return a word without its plural or verb ending: Harman's S-stemmer (1991), and -ing, -ed, -ly where long.

    The forms of common irregular verbs count as the verb.
    """
    word = _BASE.get(word, word)
    for ending, keep in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("edly", ""), ("ed", ""), ("ly", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return _single(word[: -len(ending)] + keep).rstrip("e")
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    return word.rstrip("e") if len(word) > 3 else word


def _single(word: str) -> str:
    """Return a stem without the consonant doubled before -ing and -ed: "planned" comes from "plan"."""
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeioulsz"
    return word[:-1] if doubled else word


def stems(text: str) -> set[str]:
    """Return the stems of the content words of `text`."""
    return {stem(term) for term in content_words(text)}
