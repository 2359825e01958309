"""Compounds, which some languages write as one word: "Frist" finds "Kündigungsfrist", and the other way round.

Pure text. A long word is stored once more from either end, so that a part of it is the beginning of one of these. A
compound that was asked for is taken apart where the collection has both of its parts. Neither needs a dictionary.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

COMPOUNDING = frozenset(["de", "nl", "sv"])
"""Languages with a stemmer here (ISO 639-1) that write compounds as one word."""
SHORTEST_PART = 4
"""Letters of the shortest part of a compound, as a stem."""
SHORTEST = 2 * SHORTEST_PART
"""Letters of the shortest compound, as a stem."""
KEPT = 50_000
"""Stems whose ends are remembered."""
_LINKS = ("", "s", "es", "n", "en", "er", "e")
"""Letters between two parts that belong to neither."""
_FORWARD, _BACKWARD = 0xE000, 0xE400
"""Where the alphabets of both directions begin, in the private use area.

FTS5 takes its characters for those of words, and its English stemmer leaves them alone.
"""
_LETTERS = _BACKWARD - _FORWARD


@lru_cache(maxsize=KEPT)
def ends_of(stem: str) -> tuple[str, ...]:
    """Return what a long stem is stored as besides, once from each end; nothing for one that is no compound."""
    return (beginning_with(stem), ending_with(stem)) if len(stem) >= SHORTEST and stem.isalpha() else ()


def beginning_with(part: str) -> str:
    """Return the beginning of what every compound that begins with a part is stored as."""
    return "".join(chr(_FORWARD + ord(letter) % _LETTERS) for letter in _plain(part))


def ending_with(part: str) -> str:
    """Return the beginning of what every compound that ends with a part is stored as."""
    return "".join(chr(_BACKWARD + ord(letter) % _LETTERS) for letter in reversed(_plain(part)))


def is_end(text: str) -> bool:
    """Tell what a compound is stored as besides from what is written."""
    return chr(_FORWARD) <= text[:1] < chr(_BACKWARD + _LETTERS)


def parts_of(word: str, stem: Callable[[str], str], occurs: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """Yield the stems of the two parts of a word, for each way to part it into stems that `occurs` is true of."""
    known: dict[str, bool] = {}

    def is_known(part: str) -> bool:
        if part not in known:
            known[part] = len(part) >= SHORTEST_PART and occurs(part)
        return known[part]

    found: set[tuple[str, str]] = set()
    for at in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
        tail = stem(word[at:])
        if not is_known(tail):
            continue
        for link in _LINKS:
            head = stem(word[:at].removesuffix(link)) if word[:at].endswith(link) else ""
            if head and (head, tail) not in found and is_known(head):
                found.add((head, tail))
                yield head, tail


def _plain(word: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", word) if not unicodedata.combining(each))
