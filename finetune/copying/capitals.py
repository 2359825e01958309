"""Finds the names in a text by their capitals alone: no tagger, no list of names.

Knows what English writes with a capital; must not know what the names are wanted for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Shape = Literal["month", "weekday", "digits", "capitals", "people", "name"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CAPITAL = r"[^\W\d_a-z](?:[\w’'&-]|\.(?=\w))*"
_JOIN = (
    r"(?:(?<=\b\w)\.|(?<=\b[DMS][rst])\.)? (?:(?:of the|of|the|da|de|de la|del|di|dos|du|la|von|van|der|al|bin|ibn) )?"
)
_NAME = re.compile(rf"(?<![\w-])(?<!\w[’']){_CAPITAL}(?:{_JOIN}{_CAPITAL})*")
"""Capitalised words in a row, joined by the small words of names; a sentence's first word may be one of them."""
_INSIDE = re.compile(r"(?:(?<=[\w,;)] )|(?<=[\w,;)][\"”] ))[\"“(]?([\w’'&-]+)")
"""A word that stands inside a sentence."""
_LOWER_PART = re.compile(r"-[a-z]{2,}")
"""FIFA-authorised: an ordinary word made of a name."""

_ORDINARY = _words(
    "the a an this that these those his her its their our my your it he she they we i you there here in on at by for "
    "from with to of as and or but so if when while where which who whom whose what why how after before during since "
    "until although though because however also many most some several all each every both one two three four five six "
    "seven eight nine ten other another such no not only first second third then thus today later early despite unlike "
    "according under over between among within without through about into upon even just like more less much few is "
    "are was were did do does has have had can could may might will would should name list along besides except"
)
_TITLES = _words(
    "Emperor Empress King Queen Prince Princess Duke Duchess Earl Count Lord Lady Sir Dame Pope Bishop Archbishop "
    "Cardinal Caliph Sultan Shah Khan President Minister Chancellor Governor Senator Mayor General Colonel Captain "
    "Major Admiral Dr Mr Mrs Ms St Saint Professor Act Battle Treaty I II III IV V VI"
)
"""No name by themselves."""
_MONTHS = _words("January February March April May June July August September October November December")
_WEEKDAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_PEOPLE = re.compile(
    r"(?:\w{2,}(?:ish|ese|[ie]ans?|cans?|mans?|ists?|ism|ern)|French|Dutch|Greeks?|Jews?|Arabs?|Turks?|Swiss|Czechs?|Thai"
    r"|Islam|Muslims?|Catholics?|Islamic|Arabic|Germanic|Slavic|Celtic|Gothic|Orthodox|Protestants?)$"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A capitalised phrase, at `text[start:end]` of the text that it was found in."""

    text: str
    start: int
    end: int
    before: str
    """The word before it in its sentence, in lower case; empty where there is none."""

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(self.text.split())

    @property
    def shape(self) -> Shape:
        """What its letters tell: only names of one shape may stand for each other."""
        if self.text in _MONTHS:
            return "month"
        if self.text in _WEEKDAYS:
            return "weekday"
        if any(letter.isdigit() for letter in self.text):
            return "digits"
        if self.text.isupper() and len(self.text) > 1:
            return "capitals"
        return "people" if _PEOPLE.search(self.text) else "name"


def names_in(text: str, beside: str = "") -> list[Name]:
    """Return the names in `text`, in order, without a possessive ending.

    A single word that begins a sentence counts only where it also stands inside a sentence of `text` or `beside`; the
    first of several, unless it also stands there in lower case.
    """
    inside = set(_INSIDE.findall(f"{text}\n{beside}"))
    found = [_name(match, text, beside, inside) for match in _NAME.finditer(text)]
    return [name for name in found if name is not None]


def _name(match: re.Match[str], text: str, beside: str, inside: set[str]) -> Name | None:
    start, phrase = match.start(), re.sub(r"(?:['’]s|['’.&-])+$", "", match.group())
    while phrase and not _opens_name(phrase, text, start, beside, inside):
        rest = phrase.partition(" ")[2]
        start += len(phrase) - len(rest)
        phrase = rest
    if len(phrase) < 2 or phrase in _TITLES or _LOWER_PART.search(phrase) or phrase.lower() in inside:
        return None
    before = "" if _begins_sentence(text, start) else text[:start].split()[-1].lower().strip("\"'“”‘(,;")
    return Name(phrase, start, start + len(phrase), before)


def _opens_name(phrase: str, text: str, start: int, beside: str, inside: set[str]) -> bool:
    """Return whether the first word of `phrase` is part of a name, and not a small word or a sentence's first."""
    first, _, rest = phrase.partition(" ")
    if first.islower() or (first.lower() in _ORDINARY and first not in _MONTHS):
        return False
    if first in inside or not _begins_sentence(text, start):
        return True
    ordinary = first.lower() in inside or first.endswith(("ly", "ing"))
    return rest != "" and (phrase in beside or not ordinary)


def _begins_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 8) : start]
    after_mark = re.search(r"(?:^|[.!?:\n])[\"“”'(\s]*$", before) is not None
    return after_mark and not re.search(r"\b(?:[A-Z]|St|Dr|Mr|Ms|Mrs|Jr)\. $", before)
