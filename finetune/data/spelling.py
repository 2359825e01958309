"""Corrects rare misspellings by the corpus's own words; names, code, addresses and rare but real words stay.

A word is a candidate where it is written small, stands once or twice in all documents, never with a capital, and in no
list of known words. It becomes a much more frequent word of the corpus that is one edit away (Damerau 1964), looked up
with symspellpy, if that edit is one that people make without meaning another word: a letter doubled or not, two
letters swapped, one left out or put in, one vowel for another; not at the word's ends, since most misspellings begin
with the right letter (Pollock and Zamora 1984) and Latin and other endings are no mistakes. docs/experiments.md tells
what that leaves out, and why.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from finetune.data.records import Note, Record, in_context
from finetune.extras import needed

_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"`[^`\n]*`|\S*(?:[/\\@_#<>{}=$]|\w\.\w|::)\S*|[^\W\d_]+(?:['’][^\W\d_]+)?")
"""Inline code, addresses, paths and identifiers as a whole; else words."""
_BEFORE, _AFTER = " \n\t([\"'“‘*—–-…", " \n\t)].,;:!?\"'”’*—–-…"
"""What may stand before and after a word."""
SHORTEST = 6
"""Letters of a word that is corrected, at least; shorter ones have too many neighbours."""
RAREST = 2
"""How often a misspelled word stands in the corpus, at most."""
TRUSTED = 5
"""How often a word of the corpus stands in it, at least, to be put in another's place."""
LEAD = 10
"""How much more frequent than the misspelled one and than the next candidate it must be."""
_LONG = 8
"""Letters of a word in which one may have been left out, put in, or be a wrong vowel; 7 for two that are swapped."""
_ENDINGS = ("s", "d", "r", "n", "y", "e", "es", "ed")
"""An edit that only adds or takes one of these at the end is another form of the word, and no misspelling."""

_VOWELS = "aeiou"
_PREFIXED = """
anti bi co counter de dis fore hyper in inter intra micro mid mini mis multi non over out poly post pre pseudo re self
semi sub super tri un under up
"""
_PREFIXES = frozenset(_PREFIXED.split())
_BRITISH = (
    *(("ise", "ize"), ("isa", "iza"), ("isi", "izi"), ("yse", "yze"), ("ysi", "yzi"), ("our", "or"), ("ll", "l")),
    *(("tre", "ter"), ("bre", "ber"), ("ogue", "og"), ("ence", "ense"), ("ae", "e"), ("oe", "e")),
)
"""Where British and American spellings differ; the list of known words has most words in one of them only."""


class Words:
    """Counts the words of a corpus, small ones apart from those with a capital."""

    def __init__(self) -> None:
        self.small: Counter[str] = Counter()
        self.capital: set[str] = set()

    def count(self, record: Record) -> None:
        """Take in the prose of one document."""
        for word in words_in(record.prose()):
            if word.islower():
                self.small[word] += 1
            else:
                self.capital.add(word.casefold())


def words_in(text: str) -> list[str]:
    """Return the words of a text that are neither code nor part of an address, a path or an identifier."""
    return [match[0] for match in _TOKEN.finditer(text) if _is_word(text, match)]


def _is_word(text: str, match: re.Match[str]) -> bool:
    """Tell whether a token is a word by what it is made of and what stands next to it: `gasket()` is code."""
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    return bool(_WORD.fullmatch(match[0])) and not before.strip(_BEFORE) and not after.strip(_AFTER)


class Speller:
    """Finds the right word for a wrong one. Raises UsageError where symspellpy is not installed."""

    def __init__(self, words: Words) -> None:
        symspell: Any = needed("symspellpy", "Correcting the spelling")
        self._words = words
        self._closest = symspell.Verbosity.ALL
        self._own = symspell.SymSpell(max_dictionary_edit_distance=1, prefix_length=7)
        for word, count in words.small.items():
            if count >= TRUSTED:
                self._own.create_dictionary_entry(word, count)
        listed = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig")
        self._known = {line.split()[0] for line in listed.splitlines()}
        self._found: dict[str, str] = {}

    def step(self, text: str, note: Note) -> str:
        """Correct the words of a text: a `Step`."""

        def put(match: re.Match[str]) -> str:
            word = match[0]
            if len(word) < SHORTEST or not word.islower() or not _is_word(text, match):
                return word
            right = self.right(word)
            if right != word:
                before, after = in_context(text, *match.span(), right)
                note("spelling", before, after)
            return right

        return _TOKEN.sub(put, text)

    def right(self, word: str) -> str:
        """Return what is put in place of a small word; mostly the word itself."""
        if word not in self._found:
            self._found[word] = self._looked_up(word)
        return self._found[word]

    def _looked_up(self, word: str) -> str:
        count = self._words.small[word]
        if count > RAREST or word in self._words.capital or self._is_real(word):
            return word
        return self._best(word, LEAD * count) or word

    def _is_real(self, word: str) -> bool:
        """Tell whether a word is known, is another form of one that is frequent here, or is put together of two."""
        roots = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
        if self._seen(word) or any(self._words.small[root] > RAREST for root in roots):
            return True
        if word.removesuffix("s") in self._known or any(map(self._seen, _other_spellings(word))):
            return True
        halves = ((word[:at], word[at:]) for at in range(2, len(word) - 3))
        return any(((self._seen(one) and len(one) > 2) or one in _PREFIXES) and self._seen(two) for one, two in halves)

    def _seen(self, word: str) -> bool:
        return word in self._known or self._words.small[word] > RAREST

    def _best(self, word: str, least: int) -> str:
        """Return the one candidate that is far more frequent than all others; "" where there is none."""
        found = self._own.lookup(word, self._closest, max_edit_distance=1)
        found.sort(key=lambda each: (-each.count, each.term))
        if not found or found[0].count < least or (len(found) > 1 and found[0].count < LEAD * found[1].count):
            return ""
        best = str(found[0].term)
        return best if _is_slip(word, best) else ""


def _is_slip(word: str, other: str) -> bool:
    """Tell whether `word` is what a person may type who means `other`, one edit away from it."""
    first = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    if first == 0:
        return False
    if len(word) != len(other):
        long = max(word, other, key=len)
        doubled = long[first] == long[first - 1]
        return doubled or (len(word) >= _LONG and first < len(long) - 2)
    if word[first + 1 :] == other[first + 1 :]:
        vowels = word[first] in _VOWELS and other[first] in _VOWELS
        return vowels and len(word) >= _LONG and first < len(word) - 2
    return len(word) >= _LONG - 1  # the same letters, two of them swapped


def _other_spellings(word: str) -> Iterator[str]:
    for pair in _BRITISH:
        for old, new in (pair, pair[::-1]):
            at = word.find(old)
            while at >= 0:
                yield word[:at] + new + word[at + len(old) :]
                at = word.find(old, at + 1)
