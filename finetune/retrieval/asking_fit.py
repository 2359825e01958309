"""Learns how people ask, from questions with answers: which parts, with which question words, in which words."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from finetune.questions import Question
from finetune.retrieval.asking import way_keys
from finetune.retrieval.logistic import Features, chance_of, fit
from finetune.retrieval.spans import BREAK, WORD, Span, candidate_spans, span_features, word_features
from indexer.errors import UsageError
from indexer.sentences import sentences
from indexer.types import Progress, silent
from rag.question import stem

_WAYS = re.compile(
    r"\b(?:how (?:many|much|long|often|far|old|large|big|high|tall|fast)|who|when|where|why|"
    r"(?:in )?what year|which|what|how)\b",
    re.IGNORECASE,
)
_LEAST_SEEN = 20
"""Questions below which a table's row tells nothing."""
LEAST = 100
"""Questions below which nothing is learnt."""
_WORDS_AT_MOST = 60_000


def learnt(questions: Sequence[Question], seed: int = 11, progress: Progress = silent) -> dict[str, Any]:
    """Return the models of a question maker, learnt from questions whose answers stand in their passages.

    Raises UsageError where there are too few of them.
    """
    span_rows: list[Features] = []
    span_right: list[bool] = []
    word_rows: list[Features] = []
    word_right: list[bool] = []
    ways: dict[str, Counter[str]] = defaultdict(Counter)
    used = 0
    for done, question in enumerate(questions):
        if done % 500 == 0:
            progress("learning how people ask", done, len(questions))
        found = _sentence_of(question)
        if found is None:
            continue
        place, sentence, span = found
        used += 1
        for each in candidate_spans(sentence):
            span_rows.append(span_features(sentence, each, place, question.passage))
            span_right.append(each.start < span.end and span.start < each.end)
        if match := _WAYS.search(question.text):
            for key in way_keys(sentence, span):
                ways[key][match[0].casefold()] += 1
        if len(word_rows) < _WORDS_AT_MOST:
            _add_words(question, sentence, span, word_rows, word_right)
    if used < LEAST:
        raise UsageError(
            f"Only {used} questions have an answer that stands in its passage; {LEAST} are needed to learn from.",
            "Give more questions with answers, or leave out --learn.",
        )
    chance = random.Random(seed)
    picked = chance.sample(range(len(span_rows)), min(len(span_rows), 120_000))
    words = fit(word_rows, word_right)
    return {
        "spans": fit([span_rows[i] for i in picked], [span_right[i] for i in picked]),
        "words": words,
        "keep": round(_usual(words, word_rows), 4),
        "ways": {key: counts.most_common(1)[0][0] for key, counts in sorted(ways.items()) if _tells(key, counts)},
        "questions": used,
    }


def _tells(key: str, counts: Mapping[str, int]) -> bool:
    return " " not in key or sum(counts.values()) >= _LEAST_SEEN


def _usual(words: Mapping[str, Any], rows: Sequence[Features]) -> float:
    """Return the mean chance of a content word to be repeated."""
    chances = [chance_of(words, row) for row in rows if not row["stop"]]
    return sum(chances) / max(1, len(chances))


def _sentence_of(question: Question) -> tuple[int, str, Span] | None:
    """Return the sentence that holds the answer, its number, and where the answer stands in it; None without."""
    for answer in question.answers:
        at = question.passage.find(answer)
        for place, (begin, end) in enumerate(sentences(question.passage)):
            if at >= begin and at + len(answer) <= end:
                sentence = question.passage[begin:end]
                own = Span(at - begin, at - begin + len(answer), "any")
                kind = next((each.kind for each in candidate_spans(sentence) if _overlap(each, own)), own.kind)
                return place, sentence, Span(own.start, own.end, kind)
    return None


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _add_words(question: Question, sentence: str, span: Span, rows: list[Features], right: list[bool]) -> None:
    matches = list(WORD.finditer(sentence))
    words = [match[0] for match in matches]
    breaks = [len(BREAK.findall(sentence, 0, match.start())) for match in matches]
    answer = next((place for place, match in enumerate(matches) if match.end() > span.start), 0)
    asked = {stem(word.casefold()) for word in WORD.findall(question.text)}
    for place, match in enumerate(matches):
        if match.end() <= span.start or match.start() >= span.end:
            rows.append(word_features(words, place, answer, breaks, question.title))
            right.append(stem(words[place].casefold()) in asked)
