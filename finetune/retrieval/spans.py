"""What of a sentence could be an answer, and what can be seen of it. Pure text, no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.words import STOP_WORDS
from rag.question import AnswerType, spans_of_type


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WORD = re.compile(r"\w+(?:['’.\-]\w+)*")
BREAK = re.compile(r"[,;:()\[\]–—\"“”]")
PREPOSITIONS = _words(
    "about after against along among around as at before behind between by during for from in into near of on over "
    "since through to towards under until upon with within without"
)
BE = _words("is are was were be been being")
AUXILIARIES = BE - {"be", "been", "being"} | _words(
    "has have had can could will would may might must shall should do does did"
)
_ARTICLES = _words("a an the its their his her")
_KINDS: tuple[AnswerType, ...] = ("date", "number", "name")
_LONGEST = 6  # words of a phrase
_OPENERS = PREPOSITIONS | AUXILIARIES | _ARTICLES | frozenset({"called", "named"})


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a sentence that could be an answer: half-open, in characters of the sentence."""

    start: int
    end: int
    kind: AnswerType


def candidate_spans(sentence: str) -> list[Span]:
    """Return what could be asked about in a sentence, in order: dates, numbers, names, and phrases of content words."""
    found: dict[tuple[int, int], Span] = {}
    for kind in _KINDS:
        for start, end in spans_of_type(sentence, kind, ""):
            end = start + len(sentence[start:end].rstrip(".,"))  # "6," and "in 1921." hold a mark of the sentence
            if not any(start < other.end and other.start < end for other in found.values()):
                found[(start, end)] = Span(start, end, kind)
    for start, end in _phrases(sentence):
        if not any(start < other.end and other.start < end for other in found.values()):
            found[(start, end)] = Span(start, end, "any")
    return [found[place] for place in sorted(found) if not _torn(sentence, *place)]


def _torn(sentence: str, start: int, end: int) -> bool:
    """Tell whether a span is a part of a word: "two" of "two-thirds"."""
    return bool(re.match(r"[\w/\-–]\w", sentence[end : end + 2])) or bool(
        re.search(r"\w[/\-–]$", sentence[max(0, start - 2) : start])
    )


def _phrases(sentence: str) -> list[tuple[int, int]]:
    """Return runs of content words after a word that opens a phrase: an article, a preposition, a form of to be."""
    found: list[tuple[int, int]] = []
    words = list(WORD.finditer(sentence))
    for place, word in enumerate(words[:-1]):
        if word[0].casefold() not in _OPENERS:
            continue
        run: list[re.Match[str]] = []
        for following in words[place + 1 :]:
            before = sentence[run[-1].end() if run else word.end() : following.start()]
            if following[0].casefold() in STOP_WORDS | _OPENERS or before.strip() or len(run) == _LONGEST:
                break
            run.append(following)
        if run and not (len(run) == 1 and len(run[0][0]) < 4):
            found.append((run[0].start(), run[-1].end()))
    return found


def span_features(sentence: str, span: Span, place: int, passage: str) -> dict[str, float]:
    """Return what can be seen of a span; `place` is the sentence's number in the passage, from 0."""
    text = sentence[span.start : span.end]
    before = word_before(sentence, span.start)
    after = sentence[span.end : span.end + 1]
    return {
        span.kind: 1.0,
        "words": min(8.0, float(len(text.split()))),
        "where": span.start / max(1, len(sentence)),
        "first sentence": float(place == 0),
        "sentence words": min(60, len(sentence.split())) / 10,
        "after preposition": float(before in PREPOSITIONS),
        "after be": float(before in BE),
        "after article": float(before in _ARTICLES),
        "begins": float(not before),
        "ends": float(after in ("", ".", ",", ";", ":", ")")),
        "again": float(passage.count(text) > 1),
        "capital": float(text[:1].isupper()),
    }


def word_before(sentence: str, start: int) -> str:
    """Return the word that ends right before a place, folded; "" where a mark or nothing does."""
    match = re.search(r"(\w+)\s+$", sentence[max(0, start - 30) : start])
    return match[1].casefold() if match else ""


def word_features(words: Sequence[str], place: int, answer: int, breaks: Sequence[int], title: str) -> dict[str, float]:
    """Return what can be seen of the word at `place` of a sentence whose answer stands at word `answer`.

    `breaks` counts the commas and the like before each word.
    """
    word = words[place]
    folded = word.casefold()
    return {
        "stop": float(folded in STOP_WORDS),
        "preposition": float(folded in PREPOSITIONS),
        "capital": float(word[:1].isupper() and place > 0),
        "digit": float(any(character.isdigit() for character in word)),
        "long": float(len(word) > 7),
        "ed": float(folded.endswith("ed")),
        "ing": float(folded.endswith("ing")),
        "ly": float(folded.endswith("ly")),
        "distance": min(20, abs(place - answer)) / 10,
        "before": float(place < answer),
        "same clause": float(breaks[place] == breaks[min(answer, len(breaks) - 1)]),
        "in title": float(folded in title.casefold()),
        "short sentence": float(len(words) < 12),
    }
