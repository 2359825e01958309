"""What a text says, as far as single words tell: content words, numbers, names, and what is denied.

Pure text, no model. Denials and number words are English; the rest holds for any language.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from indexer.words import STOP_WORDS, bigrams, content_words
from rag.question import stem


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a text."""

    words: frozenset[str]
    """All of them: stems of content words, pairs of characters of scripts without spaces, and numbers in digits."""
    numbers: frozenset[str]
    """Those that are numbers, "75000" for "75,000" and for "seventy-five thousand"."""
    names: frozenset[str]
    """Those that are capitalized where they need not be."""
    denies: bool
    """True when it says "not" or the like."""
    denied: frozenset[str]
    """The stems of the words next behind that."""


_LOWER_CASE = re.compile(r"\b[^\W\d_A-Z]\w*")
_WORD = re.compile(r"[^\W\d_](?:[\w’'.-]*\w)?")
_SAY_NOTHING = STOP_WORDS | {"yes"}
_DENIALS = frozenset(["not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without", "cannot"])
_DENIAL = re.compile(rf"\b(?:{'|'.join(sorted(_DENIALS))})\b(?!\.?\s*\d)|n['’]t\b", re.IGNORECASE)
_DENIED = 2
"""Words behind a denial that it is taken to deny."""


def terms(text: str, common: Collection[str] = ()) -> Terms:
    """Return the terms of `text`; the words in `common` are no names, though a sentence may begin with them."""
    numbers, rest = _numbers(text)
    denials = list(_DENIAL.finditer(text))
    said = _DENIAL.sub(" ", rest)
    words = {stem(word) for word in _content(said)} | set(bigrams(said).split())
    names = {stem(word) for name in _names(said, common) for word in _content(name)}
    behind = [_content(text[match.end() : match.end() + 60])[:_DENIED] for match in denials]
    return Terms(
        words=frozenset(words | numbers),
        numbers=frozenset(numbers),
        names=frozenset(names & words),
        denies=bool(denials),
        denied=frozenset(stem(word) for group in behind for word in group),
    )


def lower_case_words(text: str) -> set[str]:
    """Return the words of `text` that do not begin with a capital."""
    return set(_LOWER_CASE.findall(text))


def _content(text: str) -> list[str]:
    return [word for word in content_words(text) if _says_something(word)]


def _says_something(word: str) -> bool:
    return word not in _SAY_NOTHING and not word.isdigit() and (len(word) > 1 or not word.isascii())


def _names(text: str, common: Collection[str]) -> list[str]:
    """Return the capitalized words; the first word of a text only where it does not look like a common one."""
    found = [match for match in _WORD.finditer(text) if match[0][0].isupper()]
    if found and not re.search(r"\w", text[: found[0].start()]):
        first = found[0][0].casefold()
        if first == "one" or first in common or first in _SAY_NOTHING or first.endswith(("ly", "ing", "ed")):
            found = found[1:]
    return [match[0] for match in found]


_UNITS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_VALUES = {word: n for n, word in enumerate(_UNITS.split())} | _SCALES
_VALUES |= {word: 10 * n for n, word in enumerate(_TENS.split(), 2)}
_SCALE, _IN_WORDS = (rf"(?:{'|'.join(table)})\b" for table in (_SCALES, _VALUES))
_NUMBER = re.compile(
    rf"(?P<digits>\d+(?:[.,]\d+)*)(?:(?:st|nd|rd|th)\b)?(?P<scales>(?:\s+{_SCALE})*)"
    rf"|\b(?!one\b(?!(?:\s+and)?[\s-]+{_IN_WORDS}))(?P<words>{_IN_WORDS}(?:(?:\s+and)?[\s-]+{_IN_WORDS})*)",
    re.IGNORECASE,
)
"""A lone "one" is no number: it mostly stands for a thing."""


def _numbers(text: str) -> tuple[set[str], str]:
    """Return the numbers in `text`, in digits without separators, and the text without them."""
    found: set[Decimal] = set()
    for match in _NUMBER.finditer(text):
        if match["words"]:
            found.add(_value(match["words"]))
        else:
            scale = _value(match["scales"]) if match["scales"] else 1
            found.update(each * scale for each in _in_digits(match["digits"]))
    return {format(number.normalize(), "f") for number in found}, _NUMBER.sub(" ", text)


def _value(words: str) -> Decimal:
    total = current = 0
    for word in re.findall(r"[a-z]+", words.casefold()):
        if word == "hundred":
            current = 100 * (current or 1)
        elif word in _SCALES:
            total, current = total + (current or 1) * _SCALES[word], 0
        elif word != "and":
            current += _VALUES[word]
    return Decimal(total + current)


def _in_digits(digits: str) -> list[Decimal]:
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?", digits):
        return [Decimal(digits.replace(",", "")[:40])]
    return [Decimal(part[:40]) for part in re.split("[.,]", digits)]  # "3.4.2021" is a date, "1,2" a list
