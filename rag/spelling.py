"""Did you mean: a question in which words that the collection does not have are spelled as it spells them.

Only a suggestion, shown under a refusal; the question that was asked is what was searched for. A word is looked for one
edit away (Damerau 1964: an insertion, a deletion, a substitution or two letters swapped) among those that begin with
the same letter, as four of five misspelled words do (Pollock and Zamora 1984).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from indexer import words
from indexer.languages import FUNCTION_WORDS, language_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

SHORTEST = 4
"""Letters of a word that is looked at, at least: a shorter one is one edit from too many others."""
LONGEST = 40
MOST_WORDS = 3
"""Unknown words of one question that are looked at; a question of many is rather not about these documents."""
_MOST_TERMS = 5
"""Terms near a word whose spellings are looked up, the longest ones."""
_CHUNKS = 5
"""Chunks in which it is looked up how a term is written."""
_ENDING = 2
"""Letters at a word's end that mostly tell its form: "Wagens" is no slip for "Wagen"."""
_WORD = re.compile(r"[^\W\d_]+")


def meant(connection: Connection, question: str, is_word: Callable[[str], bool] = lambda word: False) -> str:
    """Return the question with its unknown words as the collection spells them; "" where it has nothing near them.

    A word that the collection has, in any form, is never changed, nor is a function word of any language ("wird" is not
    "wir"), nor one with a figure in it, nor one of which `is_word` says that it is one ("angel" is not "angle"). In the
    place of another word comes only one of the question's language; where that is unsure, of one of the languages that
    the question's other words are found in.
    """
    looked_at = [match for match in _WORD.finditer(question) if _is_looked_at(match)]
    language = language_of(question)
    said = [match[0] for match in looked_at]
    spoken = {language} if language else words.languages_with(connection, said, _CHUNKS)
    unknown = [match for match in looked_at if not words.occurs(connection, match[0], spoken - {""})]
    if not 0 < len(unknown) <= MOST_WORDS:
        return ""
    better = question
    for match in reversed(unknown):
        word = _near(connection, match[0], spoken)
        if word != match[0] and not is_word(match[0]):
            better = better[: match.start()] + word + better[match.end() :]
    return better if better != question else ""


def _is_looked_at(match: re.Match[str]) -> bool:
    text, (start, end) = match.string, match.span()
    if not SHORTEST <= len(match[0]) <= LONGEST or match[0].casefold() in words.STOP_WORDS | FUNCTION_WORDS:
        return False
    beside = text[max(0, start - 1) : start] + text[end : end + 1]
    return not re.search(r"[\w@/]", beside)


def _near(connection: Connection, word: str, spoken: set[str]) -> str:
    """Return the word that the collection has most often of those one edit away; the word itself where it has none.

    It stands in passages in one of the languages `spoken`, if any are given, or in such as do not tell theirs.
    """
    small = _plain(word)
    terms = [each for each in words.vocabulary(connection, small[0]) if _may_be_near(small, each[0])]
    terms.sort(key=lambda each: (-len(each[0]), -each[1], each[0]))  # what is like more of the word before "and", "all"
    for term, _ in terms[:_MOST_TERMS]:
        written, languages = words.as_written(connection, term, _CHUNKS)
        if spoken and not languages & {*spoken, ""}:
            continue
        near = {text: n for text, n in written.items() if _is_slip(small, _plain(text), _inflects(spoken))}
        if near:  # as it is mostly written, but small where it was asked for small and can be
            best = min(near, key=lambda text: (text.islower() < word.islower(), -near[text], text))
            return best.capitalize() if word[0].isupper() and best.islower() else best
    return word


def _is_slip(word: str, meant: str, inflects: bool) -> bool:
    return is_one_edit(word, meant) and not (inflects and word[-_ENDING:] != meant[-_ENDING:])


def _inflects(spoken: set[str]) -> bool:
    """Tell whether another ending is mostly another form of the word: in other languages than English."""
    return bool(spoken) and "en" not in spoken


def _plain(word: str) -> str:
    """Return a word small and without accents, as the collection's terms are."""
    return "".join(c for c in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(c))


def _may_be_near(word: str, term: str) -> bool:
    """Tell whether a word of which `term` is the stem may be one edit from `word`: its beginning must be."""
    root = term[: max(2, len(term) - 1)]  # the stem of "library" is "librari"
    lengths = range(len(root) - 1, min(len(root) + 1, len(word)) + 1)
    return len(word) <= len(term) + 7 and any(word[:n] == root or is_one_edit(word[:n], root) for n in lengths)


def is_one_edit(one: str, other: str) -> bool:
    """Tell whether a text becomes the other by one insertion, deletion, substitution or swap of neighbours."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    same = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    swapped = short[same : same + 2] == long[same : same + 2][::-1] and short[same + 2 :] == long[same + 2 :]
    return swapped or short[same + 1 :] == long[same + 1 :]
