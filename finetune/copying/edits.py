"""What the edits of a question have in common: what is asked, and whether the paragraph answers the edited one too.

Words and their stems only; this file must not know which edits there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from indexer.sentences import sentences
from rag.question import stems

Alike = Callable[[str], Sequence[str]]
"""Gives other words that could be used where a word is, but say something else; the likest first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the paragraph that answers it."""

    question: str
    context: str
    said: str
    """The question and its answers, in lower case: nothing of it is put into the question."""
    sentences: tuple[tuple[str, set[str]], ...]
    """The context's sentences, each with its stems."""
    alike: Alike


def asked_of(question: str, context: str, answers: Sequence[str], alike: Alike) -> Asked:
    """Return `question` with its answers in `context`, whose sentences are told apart once for all edits."""
    pieces = [context[start:end] for start, end in sentences(context)]
    said = " ".join([question, *answers]).lower()
    return Asked(question, context, said, tuple((piece, _stems(piece)) for piece in pieces), alike)


def word_set(text: str) -> frozenset[str]:
    """Return the words of a list that is written with spaces."""
    return frozenset(text.split())


def holds(text: str, phrase: str) -> bool:
    """Return whether `phrase` stands in `text` as whole words."""
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            return True
        at = text.find(phrase, at + 1)
    return False


def may_be_answered(asked: Asked, edited: str, new: str, says: Callable[[str], bool]) -> bool:
    """Return whether a sentence that `says` what is new also says half of what `edited` says beside `new`."""
    wanted = _stems(edited) - _stems(new)
    return any(2 * len(wanted & said) >= len(wanted) and says(sentence) for sentence, said in asked.sentences)


def put(question: str, start: int, end: int, new: str) -> str:
    """Return `question` with `new` at [start, end), and the article before it in the form that it asks for."""
    before = question[:start]
    if article := re.search(r"\b([Aa])n? $", before):
        before = before[: article.end(1)] + ("n " if new[0].lower() in "aeiou" else " ")
    return before + new + question[end:]


def first_unanswered(asked: Asked, start: int, end: int, options: Sequence[str]) -> str | None:
    """Return the question with the first of `options` at [start, end) that the paragraph does not answer, or None."""
    for new in options:
        edited = put(asked.question, start, end, new)
        if not may_be_answered(asked, edited, new, partial(holds, phrase=new)):
            return edited
    return None


def _stems(text: str) -> set[str]:
    """Return the stems of the content words, with "died" as a form of "die": too short for the stemmer's rule."""
    return stems(re.sub(r"\bdied\b", "die", text))
