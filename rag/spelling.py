"""Did you mean: a question in which words that the collection does not have are spelled as it spells them.

Only a suggestion, shown under a refusal; the question that was asked is what was searched for. A word is looked for one
edit away (Damerau 1964: an insertion, a deletion, a substitution or two letters swapped) among those that begin with
the same letter, as four of five misspelled words do (Pollock and Zamora 1984).
"""

from __future__ import annotations

import re
import unicodedata
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
"""Terms near a word whose spellings are looked up, the most frequent ones."""
_CHUNKS = 5
"""Chunks in which it is looked up how a term is written."""
_WORD = re.compile(r"[^\W\d_]+")


def meant(connection: Connection, question: str) -> str:
    """Return the question with its unknown words as the collection spells them; "" where it has nothing near them.

    A word that the collection has, in any form, is never changed, nor is a function word of any language ("wird" is not
    "wir"), nor one with a figure in it. In the place of another word comes only one of the question's language.
    """
    language = language_of(question)
    unknown = [match for match in _WORD.finditer(question) if _is_looked_at(connection, match)]
    if not 0 < len(unknown) <= MOST_WORDS:
        return ""
    better = question
    for match in reversed(unknown):
        word = _near(connection, match[0], language)
        better = better[: match.start()] + word + better[match.end() :]
    return better if better != question else ""


def _is_looked_at(connection: Connection, match: re.Match[str]) -> bool:
    text, (start, end) = match.string, match.span()
    if not SHORTEST <= len(match[0]) <= LONGEST or match[0].casefold() in words.STOP_WORDS | FUNCTION_WORDS:
        return False
    beside = text[max(0, start - 1) : start] + text[end : end + 1]
    return not re.search(r"[\w@/]", beside) and not words.occurs(connection, match[0])


def _near(connection: Connection, word: str, language: str) -> str:
    """Return the word that the collection has most often of those one edit away; the word itself where it has none."""
    small = _plain(word)
    terms = [each for each in words.vocabulary(connection, small[0]) if _may_be_near(small, each[0])]
    terms.sort(key=lambda each: (-each[1], each[0]))
    for term, _ in terms[:_MOST_TERMS]:
        written = words.as_written(connection, term, _CHUNKS)
        if language and not _is_of(connection, term, language):
            continue
        near = {text: count for text, count in written.items() if is_one_edit(small, _plain(text))}
        if near:  # as it is mostly written, but small where it was asked for small and can be
            best = min(near, key=lambda text: (text.islower() < word.islower(), -near[text], text))
            return best.capitalize() if word[0].isupper() and best.islower() else best
    return word


def _is_of(connection: Connection, term: str, language: str) -> bool:
    """Tell whether any chunk with this term may be in this language."""
    return any(language_of(text) in ("", language) for text in words.texts_with(connection, term, _CHUNKS))


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
