"""How sure a copying generator is: a logistic model over what it saw, fitted on held-out questions and kept beside it.

There are two, for passages that retrieval found and for a passage that was given. `finetune/copying/confidence.py` fits
them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from indexer.sentences import sentences
from rag.copying.decoding import Decoded, Span
from rag.question import answer_type, holds_type
from rag.terms import lower_case_words, terms
from rag.types import Passage

FAR = 12.0
"""Where differences of scores are cut off, in nats."""


def features(question: str, decoded: Decoded, passages: Sequence[Passage]) -> dict[str, float]:
    """Return the numbers that a confidence is made of, by name. `decoded` has at least one action.

    From the model: the odds against refusing, the probability of the actions, the lead of the best span over the next
    one that says something else, the share of probability that other passages give to the same words. From retrieval:
    where the passage stood, how near it was to the question, and how far ahead. From the text: what of the question is
    said around the answer, and whether the answer is of the kind that is asked for.
    """
    spans = decoded.spans
    best = spans[0] if spans else None
    rival = next((span for span in spans[1:] if best and not _overlap(best, span)), None)
    words = _words(passages, best) if best else ""
    again = {
        span.passage for span in spans if best and span.passage != best.passage and _words(passages, span) == words
    }
    near = [passage.origin.dense_score or 0.0 for passage in passages]
    own = best.passage if best else 0
    odds = best.score if best else -FAR
    return {
        "odds": max(-FAR, min(FAR, odds)),
        "answer": max(-FAR, decoded.log_answer),
        "actions": max(-FAR, decoded.log_actions),
        "lead": min(FAR, odds - rival.score) if rival else FAR,
        "again": float(len(again)),
        "words": min(20.0, float(len(words.split()))),
        "rank": 1 / (1 + own),
        "near": near[own] if near else 0.0,
        "ahead": near[own] - max((each for n, each in enumerate(near) if n != own), default=0.0) if near else 0.0,
        "nearest": max(near, default=0.0),
        "by_words": _by_words(passages[own]) if passages else 0.0,
        **_borne_out(question, passages[own] if passages else None, best),
    }


def _borne_out(question: str, passage: Passage | None, best: Span | None) -> dict[str, float]:
    """Return how much of what a question says is said where its answer was found.

    One word that is said nowhere near it is how a question without an answer looks (Rajpurkar, Jia & Liang 2018).
    """
    nothing = {"said": 0.0, "around": 0.0, "unsaid": 0.0, "names": 0.0, "denied": 0.0, "fits": 0.0}
    if passage is None or best is None:
        return nothing
    asked = terms(question, lower_case_words(passage.text))
    if not asked.words:
        return nothing
    pieces = [passage.text[start:end] for start, end in sentences(passage.text)]
    at = max(0, sum(start <= best.start for start, _ in sentences(passage.text)) - 1)
    own = terms(pieces[at])
    context = terms(passage.context).words
    near = context.union(*(terms(piece).words for piece in pieces[max(0, at - 1) : at + 2]))
    whole = context | terms(passage.text).words
    told = asked.names | asked.numbers
    kind = answer_type(question)
    answer = passage.text[best.start : best.end]
    return {
        "said": len(asked.words & (own.words | context)) / len(asked.words),
        "around": len(asked.words & near) / len(asked.words),
        "unsaid": float(min(4, len(asked.words - whole))),
        "names": float(min(2, len(told - near))),
        "denied": float(asked.denies and not own.denies),
        "fits": float(holds_type(answer, kind)),
    }


def retrieved(passages: Sequence[Passage]) -> bool:
    """Tell whether passages come from retrieval, rather than from the one who asks."""
    return any(passage.origin.dense_rank or passage.origin.words_rank for passage in passages)


def confidence(model: Mapping[str, Any], seen: Mapping[str, float]) -> float:
    """Return the estimated chance of being right, from 0 to 1: logistic, then a table that is monotone.

    The table (isotonic regression, Zadrozny and Elkan 2002) may be absent.
    """
    score = model["bias"] + sum(weight * seen[name] for name, weight in model["weights"].items())
    chance = 1 / (1 + math.exp(-score)) if score >= 0 else math.exp(score) / (1 + math.exp(score))
    return _interpolated(model["table"], chance) if model.get("table") else chance


def _interpolated(table: Sequence[Sequence[float]], x: float) -> float:
    """Return the height at `x` of the line through the points of `table`, flat beyond both ends."""
    before = table[0]
    for point in table:
        if x <= point[0]:
            width = point[0] - before[0]
            share = (x - before[0]) / width if width > 0 else 1.0
            return before[1] + share * (point[1] - before[1])
        before = point
    return before[1]


def threshold(model: Mapping[str, Any], max_error: float | None) -> float:
    """Return the least confidence to answer at; `max_error` None: the one that was chosen as the default."""
    if max_error is None:
        return float(model["threshold"])
    kept = [float(row["threshold"]) for row in model["risk_coverage"] if row["error"] <= max_error]
    return min(kept, default=math.inf)


def _overlap(one: Span, other: Span) -> bool:
    return one.passage == other.passage and one.start < other.end and other.start < one.end


def _words(passages: Sequence[Passage], span: Span) -> str:
    return " ".join(passages[span.passage].text[span.start : span.end].casefold().split())


def _by_words(passage: Passage) -> float:
    rank = passage.origin.words_rank
    return 1 / rank if rank else 0.0
