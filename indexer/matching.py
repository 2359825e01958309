"""Which printed character each character of a stored text is: the same words, cleaned, and in another order.

Only letters and digits are compared, since cleaning mends hyphens, spaces and signs. Stretches of letters that occur
once in both texts are matched first, wherever they stand; what lies between two of them is matched in order.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise

MAX_LETTERS = 60_000
"""Of a page, in either text; of more, nothing is matched."""
_GRAM = 12
"""Letters of a stretch that counts as unique; some two words."""
_MAX_COMPARED = 250_000
"""Product of the lengths of two texts that are compared letter by letter."""
_MIN_BLOCK = 3
_MIN_LEFTOVER = 4
"""Fewest letters of a piece that is accepted where only its being unique speaks for it."""
_MAX_MARK = 4
"""Digits that may be left out within a word, since they are the mark of a note."""


def matched(stored: str, printed: str) -> list[int]:
    """Return the place in `printed` of each character of `stored`, -1 where it is not certain or there is none."""
    found = [-1] * len(stored)
    ours, theirs = _letters(stored), _letters(printed)
    if max(len(ours.text), len(theirs.text)) > MAX_LETTERS:
        return found
    pairs = _Pairs(ours.text, theirs.text, ours.words)
    pairs.match()
    for at, other in zip(ours.places, pairs.found, strict=True):
        if other >= 0 and found[at] < 0:
            found[at] = theirs.places[other]
    _add_signs(stored, printed, found)
    return found


@dataclass(frozen=True, slots=True)
class _Letters:
    """The letters and digits of a text without accents and case, and which of its characters each comes from."""

    text: str
    places: list[int]
    words: list[tuple[int, int]]
    """Half-open spans of letters between which there is a space."""


def _letters(text: str) -> _Letters:
    letters: list[str] = []
    places: list[int] = []
    ends = [0]
    for place, character in enumerate(text):
        plain = _plain(character)
        letters.append(plain)
        places.extend([place] * len(plain))
        if character.isspace() and ends[-1] < len(places):
            ends.append(len(places))
    ends += [len(places)] * (ends[-1] < len(places))
    return _Letters("".join(letters), places, list(pairwise(ends)))


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", character).casefold()))


@dataclass(slots=True)
class _Pairs:
    """Letters of two texts, and which of `theirs` each of `ours` is so far."""

    ours: str
    theirs: str
    words: list[tuple[int, int]]
    found: list[int] = field(init=False)
    taken: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.found = [-1] * len(self.ours)
        self.taken = bytearray(len(self.theirs))

    def match(self) -> None:
        """Fill `found`."""
        if self._join_if_unique(0, len(self.ours), 0, len(self.theirs)):
            return
        self._match_unique()
        self._trim_words()
        for begin, end in list(self._gaps()):
            self._fill(begin, end)
        self._trim_words()
        for begin, end in list(self._gaps()):
            if end - begin >= _MIN_LEFTOVER and _count(self.ours, self.ours[begin:end]) == 1:
                self._join_if_unique(begin, end, 0, len(self.theirs))

    def _join(self, place: int, other: int, length: int) -> None:
        self.found[place : place + length] = range(other, other + length)
        self.taken[other : other + length] = b"\1" * length

    def _join_if_unique(self, begin: int, end: int, low: int, high: int) -> bool:
        """Match letters that occur once in a stretch of the other text, which nothing else has been matched with."""
        wanted = self.ours[begin:end]
        other = self.theirs.find(wanted, low, high) if wanted else -1
        if other < 0 or self.theirs.find(wanted, other + 1, high) >= 0:
            return False
        if self.taken.find(1, other, other + len(wanted)) >= 0:
            return False
        self._join(begin, other, len(wanted))
        return True

    def _match_unique(self) -> None:
        """Match stretches that occur once in both texts, each as far as both go on alike."""
        others = _unique(self.theirs)
        for gram, place in _unique(self.ours).items():
            other = others.get(gram, -1)
            if other < 0 or self.found[place] >= 0 or self.taken.find(1, other, other + _GRAM) >= 0:
                continue
            begin, first = place, other
            while begin and first and self._are_alike(begin - 1, first - 1):
                begin, first = begin - 1, first - 1
            end, last = place + _GRAM, other + _GRAM
            while end < len(self.ours) and last < len(self.theirs) and self._are_alike(end, last):
                end, last = end + 1, last + 1
            self._join(begin, first, end - begin)

    def _are_alike(self, place: int, other: int) -> bool:
        is_free = self.found[place] < 0 and not self.taken[other]
        return is_free and self.ours[place] == self.theirs[other]

    def _gaps(self) -> Iterator[tuple[int, int]]:
        """Yield the stretches of our letters that are not matched."""
        begin = -1
        for place, other in enumerate([*self.found, 0]):
            if other < 0 and begin < 0:
                begin = place
            elif other >= 0 and begin >= 0:
                yield begin, place
                begin = -1

    def _fill(self, begin: int, end: int) -> None:
        """Match a gap with what lies between its neighbours, or behind one and before the other."""
        low = self.found[begin - 1] + 1 if begin else 0
        high = self.found[end] if end < len(self.ours) else len(self.theirs)
        if low <= high and self.taken.find(1, low, high) < 0:
            self._compare(begin, end, low, high)
            return
        while begin < end and low < len(self.theirs) and self._are_alike(begin, low):
            self._join(begin, low, 1)
            begin, low = begin + 1, low + 1
        while begin < end and high > 0 and self._are_alike(end - 1, high - 1):
            self._join(end - 1, high - 1, 1)
            end, high = end - 1, high - 1

    def _compare(self, begin: int, end: int, low: int, high: int) -> None:
        if self._join_if_unique(begin, end, low, high) or (end - begin) * (high - low) > _MAX_COMPARED:
            return
        comparison = SequenceMatcher(None, self.ours[begin:end], self.theirs[low:high], autojunk=False)
        for place, other, length in comparison.get_matching_blocks():
            goes_on = (begin and place == other == 0) or (
                end < len(self.ours) and (place + length, other + length) == (end - begin, high - low)
            )
            text = self.ours[begin + place : begin + place + length]
            is_only = length >= _MIN_BLOCK and self.theirs.find(text, self.theirs.find(text, low, high) + 1, high) < 0
            if length and (goes_on or is_only):
                self._join(begin + place, low + other, length)

    def _trim_words(self) -> None:
        """Keep of each word the longest part that stands together, and that only if it is half of the word."""
        for begin, end in self.words:
            parts = list(self._parts(begin, end))
            longest = max(parts, key=lambda part: part[1] - part[0], default=(begin, begin))
            if 2 * (longest[1] - longest[0]) < end - begin:
                longest = begin, begin
            for place in range(begin, end):
                if self.found[place] >= 0 and not longest[0] <= place < longest[1]:
                    self.taken[self.found[place]] = 0
                    self.found[place] = -1

    def _parts(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the parts of a word that are matched with letters which follow each other."""
        first = begin
        for place in range(begin, end):
            if place + 1 == end or not self._follow(self.found[place], self.found[place + 1]):
                if self.found[place] >= 0:
                    yield first, place + 1
                first = place + 1

    def _follow(self, other: int, after: int) -> bool:
        """Tell two letters that stand one behind the other, but for the mark of a note."""
        between = self.theirs[other + 1 : after]
        is_mark = between.isdigit() and len(between) <= _MAX_MARK
        return 0 <= other < after and (not between or is_mark)


def _unique(text: str) -> dict[str, int]:
    """Return the stretches of letters that occur once, with their places, in their order."""
    places: dict[str, int] = {}
    for place in range(len(text) - _GRAM + 1):
        gram = text[place : place + _GRAM]
        places[gram] = -1 if gram in places else place
    return {gram: place for gram, place in places.items() if place >= 0}


def _count(text: str, wanted: str) -> int:
    """Return how often a text is found, at most 2, other than `str.count` also where it overlaps itself."""
    first = text.find(wanted)
    return 0 if first < 0 else 1 + (text.find(wanted, first + 1) >= 0)


def _add_signs(stored: str, printed: str, found: list[int]) -> None:
    """Match signs that stand beside a character which is matched already, in both texts."""
    for places, step in ((range(1, len(stored)), -1), (range(len(stored) - 2, -1, -1), 1)):
        for place in places:
            beside = found[place + step]
            other = beside - step
            if found[place] < 0 <= beside and 0 <= other < len(printed):
                is_sign = not stored[place].isspace() and not _plain(stored[place])
                if is_sign and stored[place] == printed[other]:
                    found[place] = other
