"""Finds the names in a text by their capitals alone: no tagger, no list of names.

Knows what English writes with a capital; must not know what the names are wanted for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CAPITALISED = r"[^\W\d_a-z][\w’'.&-]*[\w]|[A-Z]"
NAME = re.compile(
    rf"(?<![\w-])(?:(?:{CAPITALISED})(?: (?:of the|of|de|la|von|van|der|du|al|bin) (?={CAPITALISED}))? ?)+(?<=\S)"
)
"""Capitalised words in a row, joined by small words of names."""

ORDINARY = frozenset(
    "the a an this that these those his her its their our my your it he she they we i you there here in on at by for from with "
    "to of as and or but so if when while where which who whom whose what why how after before during since until "
    "although though because however also many most some several all each every both one two three four five six seven "
    "eight nine ten other another such no not only first second third then thus today later early since despite unlike "
    "according under over between among within without through about into upon even just like more less much few is are was were did do does has have had "
    "can could may might will would should according name list".split()
)
MONTHS = frozenset("January February March April May June July August September October November December".split())
WEEKDAYS = frozenset("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())
OF_A_PEOPLE = re.compile(
    r"^(?:\w+(?:ish|ese|ians?|eans?|icans?|ists?|ism|ic)|French|Dutch|Greeks?|Germans?|Romans?|Jews?|Arabs?|Turks?|Swiss|Czech|Thai)$"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A capitalised phrase: `text[start:end]`."""

    text: str
    start: int
    end: int
    before: str
    """The word before it, in lower case; empty at the start of a sentence."""

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(self.text.split())

    @property
    def shape(self) -> str:
        """What can be told from its letters: names of one shape may stand for each other."""
        if self.text in MONTHS:
            return "month"
        if self.text in WEEKDAYS:
            return "weekday"
        if any(letter.isdigit() for letter in self.text):
            return "digits"
        if self.text.isupper() and len(self.text) > 1:
            return "capitals"
        return "people" if OF_A_PEOPLE.match(self.text) else "name"


def names_in(text: str, at_start: str = "") -> list[Name]:
    """Return the names in `text`, in order.

    A word that begins a sentence counts only where it also has its capital inside a sentence of `text` or of `at_start`.
    """
    inside = f"{text}\n{at_start}"
    return [name for match in NAME.finditer(text) if (name := _name(match, text, inside)) is not None]


def _name(match: re.Match[str], text: str, inside: str) -> Name | None:
    start, end = match.span()
    phrase = re.sub(r"['’]s?$", "", match.group().rstrip(" .,-&"))
    begins = _begins_sentence(text, start)
    while phrase:
        first, _, rest = phrase.partition(" ")
        if first.lower() not in ORDINARY and (not begins or _has_capital_inside(first, inside)):
            break
        start += len(first) + bool(rest)
        begins = begins and first.lower() in ORDINARY and False
        phrase = rest
    if len(phrase) < 2 or phrase.split()[0].islower():
        return None
    end = start + len(phrase)
    before = "" if _begins_sentence(text, start) else (text[:start].split() or [""])[-1].lower().strip('"“(,')
    return Name(phrase, start, end, before)


def _begins_sentence(text: str, start: int) -> bool:
    return re.search(r"(?:^|[.!?:;\n])[\"“”'(\s]*$", text[:start]) is not None


def _has_capital_inside(word: str, text: str) -> bool:
    return re.search(rf"[\w,][\"“(]? [\"“(]?{re.escape(word)}\b", text) is not None
