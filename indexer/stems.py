"""The stems of words in other languages than English, by which an inflected word is found in another form.

Pure text. The stemmers are Snowball's (Porter 2001, https://snowballstem.org). English is stemmed by FTS5 itself
(Porter 1980), and Chinese, Japanese and Korean are found by pairs of characters or as they are written.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from indexer.languages import function_words, language_of

STEMMERS: Mapping[str, str] = {
    "ar": "Arabic", "de": "German", "el": "Greek", "es": "Spanish", "fr": "French", "it": "Italian", "nl": "Dutch",
    "pl": "Polish", "pt": "Portuguese", "ru": "Russian", "sv": "Swedish", "tr": "Turkish",
}  # fmt: skip
"""Snowball's name for each language that has a stemmer here, by its ISO 639-1 code."""
LONGEST = 40
"""Letters of a word that is stemmed, at most: longer ones are none."""
KEPT = 50_000
"""Words whose stems are remembered: stemming one takes 0.1 ms."""
_TELLING = 3000
"""Characters of a passage from which its language is told."""


def languages_of(passages: Sequence[str]) -> list[str]:
    """Return the language of each passage of one document, by its ISO 639-1 code; "" where nothing tells.

    A passage that does not tell, such as a table, is taken to be in the language that most others are in.
    """
    found = [language_of(passage[:_TELLING]) for passage in passages]
    counted = Counter(language for language in found if language)
    most = max(sorted(counted), key=lambda language: counted[language], default="")
    return [language or most for language in found]


def stems(words: Iterable[str], language: str) -> list[str]:
    """Return the stems of a passage's case-folded words without its function words; none where it needs none."""
    if language not in STEMMERS:
        return []
    without = function_words(language)
    return [stem(word, language) for word in words if word not in without]


def stems_of(word: str, languages: Iterable[str]) -> list[str]:
    """Return the stems of one case-folded word in each of these languages that has a stemmer, each stem once."""
    return list(dict.fromkeys(stem(word, language) for language in languages if language in STEMMERS))


@lru_cache(maxsize=KEPT)
def stem(word: str, language: str) -> str:
    """Return the stem of a case-folded word in a language of `STEMMERS`; what is no word stays as it is."""
    if len(word) > LONGEST or not word.isalpha():
        return word
    return str(_stemmer(language)().stemWord(word)) or word  # a new one each time: it keeps what it works on


@cache
def _stemmer(language: str) -> Callable[[], Any]:
    # Not `snowballstemmer.stemmer`: that takes PyStemmer where it happens to be installed, whose stems may differ.
    name = STEMMERS[language]
    module = importlib.import_module(f"snowballstemmer.{name.lower()}_stemmer")
    stemmer: Callable[[], Any] = getattr(module, f"{name}Stemmer")
    return stemmer
