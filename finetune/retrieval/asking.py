"""Makes questions out of statements: which part to ask about, how to ask for it, and which words to keep.

All three are learnt from questions that people asked (`learnt`): a logistic model of the spans that are asked about, a
table of the question words that ask for each kind of span, and a logistic model of the words of the sentence that the
question repeats. The sentence is turned round by rule (as in Heilman & Smith 2010, "Good Question!", who rank what
rules make; and Lewis et al. 2019, https://arxiv.org/abs/1906.04980, who find such questions enough to learn from).
Nothing is written that the sentence does not say. Whether a question is any good is told by the round trip.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from finetune.retrieval.logistic import chance_of
from finetune.retrieval.spans import (
    AUXILIARIES,
    BREAK,
    PREPOSITIONS,
    WORD,
    Span,
    candidate_spans,
    span_features,
    word_before,
    word_features,
)
from indexer.errors import UsageError
from indexer.sentences import sentences
from indexer.words import STOP_WORDS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODEL_FILE = Path(__file__).with_name("asking.json")
_LEANING = _words("he she it they this these those that such we i you there here his her its their")
"""Words at the beginning of a sentence that lean on the one before: nobody knows what is asked about."""
_JOINS = _words("who which that whose where when and or but if because as than to")
_SHORTEST, _MOST_WORDS = 25, 60  # characters and words of a sentence
_MOMENT = _words("in on at by during since from until before after")
_IRREGULAR = {
    "began": "begin", "became": "become", "broke": "break", "brought": "bring", "built": "build", "came": "come",
    "chose": "choose", "fell": "fall", "flew": "fly", "found": "find", "gave": "give", "got": "get", "grew": "grow",
    "held": "hold", "knew": "know", "led": "lead", "left": "leave", "lost": "lose", "made": "make", "met": "meet",
    "ran": "run", "rose": "rise", "said": "say", "sold": "sell", "sent": "send", "spent": "spend", "stood": "stand",
    "took": "take", "taught": "teach", "told": "tell", "thought": "think", "went": "go", "won": "win", "wrote": "write",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A question that was made of a sentence of a passage."""

    question: str
    kind: str
    """ "question" or "keywords"."""
    start: int
    end: int
    """Where the answer stands: half-open, in characters of the passage."""
    chance: float
    """How likely people ask about such a part, from 0 to 1."""


def read_asker(file: Path = MODEL_FILE) -> Mapping[str, Any]:
    """Return the models of a question maker. Raises UsageError where the file holds none."""
    return _read(file)


@lru_cache(maxsize=4)
def _read(file: Path) -> Mapping[str, Any]:
    try:
        asker: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        _ = asker["spans"]["weights"], asker["words"]["weights"], asker["ways"]["any"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} holds no question maker: {error}.", "Make one with: --learn QUESTIONS") from error
    return asker


def questions_of(passage: str, title: str, asker: Mapping[str, Any], most: int = 6) -> list[Made]:
    """Return questions on a passage, likeliest first, at most `most` of each kind and two on a sentence."""
    found: list[Made] = []
    for place, (begin, end) in enumerate(_statements(passage)):
        sentence = passage[begin:end]
        if not _can_be_asked(sentence):
            continue
        scored = [
            (chance_of(asker["spans"], span_features(sentence, span, place, passage)), span)
            for span in candidate_spans(sentence)
        ]
        for chance, span in sorted(scored, key=lambda each: (-each[0], each[1].start))[:2]:
            for kind, text in (
                ("question", turned(sentence, span, title, asker)),
                ("keywords", keywords(sentence, span, title, asker)),
            ):
                if text:
                    found.append(Made(text, kind, begin + span.start, begin + span.end, chance))
    found.sort(key=lambda made: (-made.chance, made.start, made.kind))
    kept = {kind: [made for made in found if made.kind == kind][:most] for kind in ("question", "keywords")}
    return sorted(kept["question"] + kept["keywords"], key=lambda made: (-made.chance, made.start, made.kind))


def _statements(passage: str) -> Iterator[tuple[int, int]]:
    """Yield the characters [start, end) of each sentence; also of text without capitals, whose marks stand alone."""
    for begin, end in sentences(passage):
        for match in re.finditer(r"\S.*?(?: \.(?= )|$)", passage[begin:end], re.DOTALL):
            yield begin + match.start(), begin + match.end()


def _can_be_asked(sentence: str) -> bool:
    words = WORD.findall(sentence)
    return (
        len(sentence) >= _SHORTEST
        and 5 <= len(words) <= _MOST_WORDS
        and sentence[-1] in '.!:;"”)'
        and words[0].casefold() not in _LEANING
        and sum(word.isalpha() for word in words) > len(words) / 2
    )


def way_of_asking(sentence: str, span: Span, asker: Mapping[str, Any]) -> str:
    """Return the question words that people use most for such a part of a sentence."""
    ways = asker["ways"]
    for key in way_keys(sentence, span):
        if key in ways:
            return str(ways[key])
    return "what"


def way_keys(sentence: str, span: Span) -> list[str]:
    """Return what the question words depend on, the closest description first."""
    before = word_before(sentence, span.start)
    before = before if before in PREPOSITIONS else "first" if not before else "word"
    text = sentence[span.start : span.end]
    shape = "year" if re.fullmatch(r"\d{4}", text) else "names" if " " in text and text.istitle() else "other"
    if span.kind == "number" and re.match(r"\s+[a-z]{3,}", sentence[span.end :]):
        shape = "counted"
    return [f"{span.kind} {before} {shape}", f"{span.kind} {shape}", span.kind]


def keywords(sentence: str, span: Span, title: str, asker: Mapping[str, Any], most: int = 7) -> str:
    """Return the words of a sentence that a question on `span` would likeliest repeat, in their order; "" for few."""
    kept = _kept(sentence, span, title, asker)
    content = [(chance, match) for match, chance in kept if match[0].casefold() not in STOP_WORDS]
    best = sorted(content, key=lambda each: (-each[0], each[1].start()))[:most]
    words = [match[0] for _, match in sorted(best, key=lambda each: each[1].start())]
    return " ".join(words) if len(words) >= 3 else ""


def _kept(sentence: str, span: Span, title: str, asker: Mapping[str, Any]) -> list[tuple[re.Match[str], float]]:
    """Return the words of a sentence outside the span, each with the chance that a question repeats it."""
    matches = list(WORD.finditer(sentence))
    words = [match[0] for match in matches]
    breaks = [len(BREAK.findall(sentence, 0, match.start())) for match in matches]
    answer = next((place for place, match in enumerate(matches) if match.end() > span.start), 0)
    return [
        (match, chance_of(asker["words"], word_features(words, place, answer, breaks, title)))
        for place, match in enumerate(matches)
        if match.end() <= span.start or match.start() >= span.end
    ]


def turned(sentence: str, span: Span, title: str, asker: Mapping[str, Any]) -> str:
    """Return the sentence as a question for `span`; "" where too little would be left of it."""
    first, last = _clause(sentence, span, title, asker)
    before = sentence[first : span.start].strip(' ,;:("“—–-')
    after = sentence[span.end : last].strip().rstrip('.!;:,)"”—–- ')
    left = [word for word in WORD.findall(f"{before} {after}") if word.casefold() not in STOP_WORDS]
    if len(left) < 2:
        return ""
    way = way_of_asking(sentence, span, asker)
    if way in ("how many", "how much", "which") and (noun := re.match(r"[a-z]\w+(?:\s+of\s+\w+)?", after)):
        way, after = f"{way} {noun[0]}", after[noun.end() :].strip()
    elif way in ("how many", "which"):
        way = "what"
    words = before.split()
    if words and way.split()[0] in ("when", "where") and words[-1].casefold() in _MOMENT:
        words = words[:-1]
    words = words[:-1] if words and words[-1].casefold() in ("the", "a", "an") else words
    asked = _turned(way, words, after)
    asked = re.sub(r"\s+([,;:)])", r"\1", re.sub(r"\s+", " ", asked)).strip(" ,;:)(.")
    return asked[:1].upper() + asked[1:] + "?"


def _turned(way: str, before: list[str], after: str) -> str:
    """Return the question in the order of questions: the auxiliary before the subject, or did; else where it stood."""
    if not before:
        return f"{way} {after}"
    subject = [_lowered(before[0]), *before[1:]]
    for place, word in enumerate(before[1:8], 1):
        if word.casefold() in AUXILIARIES:
            return " ".join([way, word, *subject[:place], *before[place + 1 :], after])
        if word.casefold() in _JOINS:
            break  # what follows is not said of the subject
        base = (
            "" if before[place - 1].casefold() in STOP_WORDS or before[place + 1 : place + 2] == ["by"] else _base(word)
        )
        if base:
            return " ".join([way, "did", *subject[:place], base, *before[place + 1 :], after])
    return " ".join([*before, way, after])


def _lowered(word: str) -> str:
    """Return a sentence's first word as it is written inside one: only what is surely no name is made small."""
    return word.lower() if word.casefold() in STOP_WORDS | PREPOSITIONS else word


def _base(word: str) -> str:
    """Return the infinitive of a verb in the past, "" for what does not look like one."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if not re.fullmatch(r"[a-z]{2,}ed", word) or word in ("need", "indeed", "speed", "seed", "hundred", "based"):
        return ""
    stem = word[:-2]
    if stem.endswith("i"):
        return stem[:-1] + "y"
    if stem[-1] == stem[-2:-1] and stem[-1] not in "lsz":
        return stem[:-1]
    silent = re.search(r"(?:[aiu][tzsv]|u[cl]|[vcgzu]|[^s]s|[bdgkpt]l|[aeiou][rdkm]|ib|in|id)$", stem)
    return stem + "e" if silent and not re.search(r"(?:[eo][rn]|it|ain|[aeo][aeiou][a-z])$", stem) else stem


def _clause(sentence: str, span: Span, title: str, asker: Mapping[str, Any]) -> tuple[int, int]:
    """Return the part of the sentence that is asked with: the answer's own clause, widened by those worth keeping.

    A neighbouring clause is kept while its words are, on the average, as likely to be repeated as not, or while too
    few words are left without it.
    """
    cuts = [0, *(match.start() for match in BREAK.finditer(sentence)), len(sentence)]
    inside = [(start, end) for start, end in pairwise(cuts) if start < span.end and span.start < end]
    first, last = inside[0][0], inside[-1][1]
    kept = [(match, chance) for match, chance in _kept(sentence, span, title, asker)]
    threshold = float(asker["keep"])

    def worth(start: int, end: int) -> float:
        own = [chance for match, chance in kept
               if start <= match.start() < end and match[0].casefold() not in STOP_WORDS]  # fmt: skip
        return sum(own) / len(own) if own else 0.0

    def content(start: int, end: int) -> int:
        return sum(1 for match, _ in kept if start <= match.start() < end and match[0].casefold() not in STOP_WORDS)

    for start in sorted((cut for cut in cuts if cut < first), reverse=True):
        if content(first, last) < 4 or worth(start, first) >= threshold:
            first = start
        else:
            break
    for end in sorted(cut for cut in cuts if cut > last):
        if content(first, last) < 4 or worth(last, end) >= threshold:
            last = end
        else:
            break
    return first, last
