"""The part of a text that a person wants to see: the sentences that fit a question, and its words in them. No model.

Spans are half-open, in characters of the text, in order, and never overlap.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from indexer.words import bigrams, word_spans
from rag.question import stem, stems
from rag.quoting.quotable import quotable
from rag.types import Passage

Span: TypeAlias = tuple[int, int]

LENGTH = 400
"""Longest excerpt, in characters."""
SHORT = 100
"""Characters below which a sentence says too little by itself: another stands beside it, though it adds no word."""
UNDER_HEADING = 0.5
"""What a word of the question counts where the heading above has it, beside one that stands in the sentence."""


def excerpt(passage: Passage, question: str, length: int = LENGTH) -> list[Span]:
    """Return the one or two sentences, rows or lines of `passage` that share most with `question`.

    The rarer a word is in the passage, the more it counts. Where no word is shared, it is how the passage begins. A
    heading lends its words to what stands under it, and is shown only where there is nothing else.
    """
    parts = _parts(passage, question)
    if not parts:
        return [around(passage.text, (), length)] if passage.text.strip() else []
    best = max(range(len(parts)), key=lambda place: (parts[place].score, -place))
    start, end = parts[best].start, parts[best].end
    if end - start > length:
        words = [(first, last) for first, last in matches(passage.text, question) if start <= first < end]
        first, last = around(passage.text[start:end], [(a - start, b - start) for a, b in words], length)
        return [(start + first, start + last)]
    beside = _beside(parts, best, length - (end - start))
    return [(part.start, part.end) for part in sorted([parts[best], *beside], key=lambda part: part.start)]


def matches(text: str, question: str) -> list[Span]:
    """Return where words of `text` have the stem of a content word of `question`."""
    joined: list[Span] = []
    for start, end, _ in _asked_words(text, question):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _asked_words(text: str, question: str) -> list[tuple[int, int, str]]:
    """Return start, end and stem of each word of `text` that the question has too, in order.

    Of scripts without spaces it is each pair of characters.
    """
    wanted = stems(question)
    found = [(start, end, _stem(text[start:end])) for start, end in word_spans(text)]
    pairs = set(bigrams(question).split())
    return sorted(
        [word for word in found if word[2] in wanted]
        + [(start, end, pair) for pair in pairs for start, end in _occurrences(text, pair)]
    )


@lru_cache(maxsize=1 << 15)
def _stem(word: str) -> str:
    return stem(word.casefold())


def around(text: str, marks: Sequence[Span], length: int) -> Span:
    """Return at most `length` characters of `text` around the marks: the first, and as many more as fit beside it.

    Words stay whole where that is possible.
    """
    if len(text) <= length:
        return 0, len(text)
    start = min((first for first, _ in marks), default=0)
    end = max((last for _, last in marks if last - start <= length), default=start)
    begin = max(0, start - (length - (end - start)) // 2)
    finish = min(len(text), begin + length)
    begin = max(0, finish - length)
    if begin:
        begin = next((place for place in range(begin, start + 1) if text[place - 1].isspace()), begin)
    if finish < len(text):
        finish = next((place for place in range(finish, end, -1) if text[place].isspace()), finish)
    return begin, finish


@dataclass(frozen=True, slots=True)
class _Part:
    start: int
    end: int
    section: int
    """Equal for the sentences under one heading; of a row or a line of code it is -1: they stand alone."""
    words: Mapping[str, float]
    """The question's words in it, and what each counts."""
    lent: float
    """What the words count that only the heading above has."""

    @property
    def score(self) -> float:
        return sum(self.words.values()) + self.lent


def _parts(passage: Passage, question: str) -> list[_Part]:
    """Return the parts of a passage that may be shown, and how each fits the question."""
    asked = _asked_words(passage.text, question)
    starts = [start for start, _, _ in asked]
    found: list[tuple[int, int, int, set[str], set[str]]] = []
    heading: set[str] = set()
    headings = 0
    for start, end, kind in quotable(passage):
        words = {word for *_, word in asked[bisect_left(starts, start) : bisect_left(starts, end)]}
        if kind == "heading" or passage.text.startswith("#", start):
            heading, headings = words, headings + 1
        else:
            found.append((start, end, headings if kind == "paragraph" else -1, words, heading - words))
    often = Counter(word for *_, words, _ in found for word in words)
    weight = {word: math.log1p(len(found) / max(1, often[word])) for *_, word in asked}
    return [
        _Part(
            start,
            end,
            section,
            {word: weight[word] for word in sorted(words)},
            UNDER_HEADING * sum(weight[word] for word in sorted(lent)),
        )
        for start, end, section, words, lent in found
    ]


def _beside(parts: Sequence[_Part], best: int, room: int) -> list[_Part]:
    """Return the part to show beside the best: one with more words of the question, or what follows a short one."""
    chosen = parts[best]
    fitting = [part for part in parts if part is not chosen and part.end - part.start <= room]
    gains = [sum(weight for word, weight in part.words.items() if word not in chosen.words) for part in fitting]
    gain, _, second = max(zip(gains, range(0, -len(fitting), -1), fitting, strict=True), default=(0.0, 0, chosen))
    if gain > 0:
        return [second]
    neighbours = [*parts[best + 1 : best + 2], *parts[max(0, best - 1) : best]]
    is_short = chosen.end - chosen.start < SHORT and chosen.section >= 0
    return [part for part in neighbours if is_short and part in fitting and part.section == chosen.section][:1]


def _occurrences(text: str, part: str) -> Iterator[Span]:
    start = text.find(part)
    while start >= 0:
        yield start, start + len(part)
        start = text.find(part, start + 1)
