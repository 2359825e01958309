"""Corrects rare misspellings by the corpus's own words first; names, code, addresses and rare but real words stay.

A word is a candidate where it is written small, stands once or twice in all documents, never with a capital, and in no
list of known words. It becomes a much more frequent word of the corpus that is one edit away (insertion, deletion,
substitution or transposition: Damerau 1964) and begins with the same letter, as four of five misspellings do (Pollock
and Zamora 1984). Looked up with symspellpy.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Literal

from finetune.data.records import Note, Record, in_context
from finetune.extras import needed

Spelling = Literal["own", "english"]
"""Whose words may be put in place of a misspelled one: the corpus's own, or English ones where it has none."""

_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"`[^`\n]*`|\S*(?:[/\\@_#<>{}=$]|\w\.\w|::)\S*|[^\W\d_]+")
"""Inline code, addresses, paths and identifiers as a whole; else words."""
SHORTEST = 5
"""Letters of a word that is corrected, at least; shorter ones have too many neighbours."""
RAREST = 2
"""How often a misspelled word stands in the corpus, at most."""
TRUSTED = 5
"""How often a word of the corpus stands in it, at least, to be put in another's place."""
LEAD = 10
"""How much more frequent than the misspelled one and than the next candidate it must be."""
_ENGLISH_LEAST = 1_000_000
"""Occurrences of an English word in symspellpy's list, to be put in another's place."""
_ENDINGS = ("s", "d", "r", "n", "y", "e", "es", "ed")
"""An edit that only adds or takes one of these at the end is another form of the word, and no misspelling."""

_PREFIXED = """
anti bi co counter de dis fore hyper in inter intra micro mid mini mis multi non over out poly post pre pseudo re self
semi sub super tri un under up
"""
_PREFIXES = frozenset(_PREFIXED.split())
_BRITISH = (
    *(("ise", "ize"), ("isa", "iza"), ("isi", "izi"), ("yse", "yze"), ("ysi", "yzi"), ("our", "or"), ("ll", "l")),
    *(("tre", "ter"), ("ogue", "og"), ("ence", "ense"), ("ae", "e"), ("oe", "e")),
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
    if not _WORD.fullmatch(match[0]):
        return False
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    return not (before + after).strip(" \n\t.,;:!?()[]\"'“”‘’*—–-…") or not (before + after)


class Speller:
    """Finds the right word for a wrong one. Raises UsageError where symspellpy is not installed."""

    def __init__(self, words: Words, spelling: Spelling) -> None:
        symspell: Any = needed("symspellpy", "Correcting the spelling")
        self._words, self._spelling = words, spelling
        self._closest = symspell.Verbosity.ALL
        self._own = symspell.SymSpell(max_dictionary_edit_distance=1, prefix_length=7)
        for word, count in words.small.items():
            if count >= TRUSTED:
                self._own.create_dictionary_entry(word, count)
        self._english = symspell.SymSpell(max_dictionary_edit_distance=1, prefix_length=7)
        listed = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig")
        self._known = {}
        for line in listed.splitlines():
            word, count = line.split()
            self._known[word] = int(count)
            if spelling == "english" and int(count) >= _ENGLISH_LEAST:
                self._english.create_dictionary_entry(word, int(count))
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
        return (
            self._best(word, self._own, LEAD * count)
            or (self._best(word, self._english, 0) if self._spelling == "english" else "")
            or word
        )

    def _is_real(self, word: str) -> bool:
        """Tell whether a word is known, is another form of one that is frequent here, or is put together of two."""
        roots = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
        if self._seen(word) or any(self._words.small[root] > RAREST for root in roots):
            return True
        if word.removesuffix("s") in self._known or any(map(self._seen, _other_spellings(word))):
            return True
        halves = ((word[:at], word[at:]) for at in range(2, len(word) - 2))
        return any(((self._seen(one) and len(one) > 2) or one in _PREFIXES) and self._seen(two) for one, two in halves)

    def _seen(self, word: str) -> bool:
        return word in self._known or self._words.small[word] > RAREST

    def _best(self, word: str, dictionary: Any, least: int) -> str:
        """Return the one candidate that is far more frequent than all others; "" where there is none."""
        found = [
            each
            for each in dictionary.lookup(word, self._closest, max_edit_distance=1)
            if each.term[0] == word[0] and not _is_form(word, each.term)
        ]
        found.sort(key=lambda each: (-each.count, each.term))
        if not found or found[0].count < least or (len(found) > 1 and found[0].count < LEAD * found[1].count):
            return ""
        return str(found[0].term)


def _other_spellings(word: str) -> Iterator[str]:
    for one, other in _BRITISH:
        for old, new in ((one, other), (other, one)):
            if old in word:
                yield word.replace(old, new)
                yield word[::-1].replace(old[::-1], new[::-1], 1)[::-1]  # "labelling" has an l to keep


def _is_form(word: str, other: str) -> bool:
    short, long = sorted((word, other), key=len)
    return long.startswith(short) and long[len(short) :] in _ENDINGS
