"""The quoting generator: it answers with the sentence of the passages that answers best, and never writes a word.

Every sentence is scored by a logistic model over what can be seen of it (meaning, the question's words, the type of
answer asked for, where retrieval put its passage); a second one turns the best score into a confidence. Both are fitted
by `finetune/quoting.py` and stored, with what they were fitted on, in `quoting.json`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.words import content_words
from rag.generator import Copied, Draft
from rag.question import AnswerType, answer_type, spans_of_type, stem, stems
from rag.quoting.quotable import quotable
from rag.types import Passage

MODEL_FILE = Path(__file__).with_name("quoting.json")
NEAR = 24
"""Characters on either side of a date, number or name within which words of the question speak for it."""
MAX_EMBEDDED = 24
"""Sentences that the encoder reads for one question; the others were already worse by their words."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that might answer, and what can be seen of it."""

    passage: int
    start: int
    end: int
    features: Mapping[str, float]
    mark: tuple[int, int] | None
    """The part of it that is of the type asked for, in characters of the passage."""


class QuotingGenerator:
    """Quotes the best sentence of the passages."""

    def __init__(self, collection: Collection, model_file: Path = MODEL_FILE) -> None:
        self._collection = collection
        self._model = _load(model_file)

    @property
    def name(self) -> str:
        """How it is named in the answer."""
        return str(self._model["name"])

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        """Quote the sentence most likely to answer `question`; no pieces when there is no sentence at all."""
        return self.generate_many([question], [passages])[0]

    def generate_many(self, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Draft]:
        """See `rag.generator.Batching`. A sentence that several of the questions have before them is embedded once."""
        found = candidates_many(questions, passages, self._collection.encoder)
        return [self._draft(*each) for each in zip(questions, passages, found, strict=True)]

    def _draft(self, question: str, passages: Sequence[Passage], found: Sequence[Candidate]) -> Draft:
        if not found:
            return Draft((), 0.0)
        scores = [linear(self._model["sentence"], candidate.features) for candidate in found]
        order = sorted(range(len(found)), key=lambda i: (-scores[i], found[i].passage, found[i].start))
        best = found[order[0]]
        evidence = confidence_features(question, passages, found, scores, order)
        confidence = logistic(linear(self._model["confidence"], evidence))
        return Draft((Copied(best.passage, best.start, best.end, best.mark),), confidence, evidence)

    def threshold(self, max_error: float | None) -> float:
        """Return the least confidence at which at most a share `max_error` of the fitted-on answers was wrong."""
        if max_error is None:
            return float(self._model["threshold"])
        kept = [float(row["threshold"]) for row in self._model["risk_coverage"] if row["error"] <= max_error]
        return min(kept, default=math.inf)


@lru_cache(maxsize=4)
def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def linear(model: Mapping[str, Any], features: Mapping[str, float]) -> float:
    """Return bias + sum of weight times feature."""
    total: float = model["bias"] + sum(weight * features[name] for name, weight in model["weights"].items())
    return total


def logistic(x: float) -> float:
    """Return 1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: int
    start: int
    end: int
    text: str
    before: str
    """What a reader has just read: the sentence before it, or the head of its table."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A sentence that the encoder is to read."""

    sentence: _Sentence
    words: Mapping[str, float]
    """Shares of the question's words."""
    text: str
    """What is embedded."""


def candidates(question: str, passages: Sequence[Passage], encoder: Encoder) -> list[Candidate]:
    """Return the sentences of `passages` worth scoring, with their features."""
    return candidates_many([question], [passages], encoder)[0]


def candidates_many(
    questions: Sequence[str], passages: Sequence[Sequence[Passage]], encoder: Encoder
) -> list[list[Candidate]]:
    """Return for each question the sentences of its own passages worth scoring, with their features."""
    chosen = [_chosen(question, read) for question, read in zip(questions, passages, strict=True)]
    places = {text: place for place, text in enumerate(dict.fromkeys(each.text for own in chosen for each in own))}
    if not places:
        return [[] for _ in questions]
    rows = encoder.embed_passages(list(places))  # (texts, dim)
    asked = encoder.embed_queries(questions)  # (questions, dim)
    found = []
    for question, read, own, vector in zip(questions, passages, chosen, asked, strict=True):
        kind = answer_type(question)
        cosines = (rows[[places[each.text] for each in own]] @ vector).tolist() if own else []
        found.append(
            [
                _candidate(question, kind, read, each.sentence, each.words, cosine)
                for each, cosine in zip(own, cosines, strict=True)
            ]
        )
    return found


def _chosen(question: str, passages: Sequence[Passage]) -> list[_Chosen]:
    """Return the sentences that hold most of the question's words, in their order."""
    sentences_ = [each for number, passage in enumerate(passages) for each in _quotable(number, passage)]
    asked = _weights(question, [stems(each.text) for each in sentences_])
    words = [_overlaps(asked, each, passages[each.passage]) for each in sentences_]
    order = sorted(range(len(sentences_)), key=lambda i: (-sum(words[i].values()), i))
    return [
        _Chosen(sentences_[i], words[i], _in_context(passages[sentences_[i].passage], sentences_[i]))
        for i in sorted(order[:MAX_EMBEDDED])
    ]


def _quotable(number: int, passage: Passage) -> list[_Sentence]:
    """Return what may be quoted of a passage, with what stands before it.

    Headings and questions answer nothing: they are read along with what follows them, and never quoted.
    """
    found: list[_Sentence] = []
    before, head, last_kind = "", "", ""
    for start, end, kind in quotable(passage):
        text = passage.text[start:end]
        if kind == "table" and last_kind != "table":
            head = text
        elif kind != "heading" and not text.rstrip().endswith("?"):
            found.append(_Sentence(number, start, end, text, head if kind == "table" else before))
        before, last_kind = text, kind
    return found


def _in_context(passage: Passage, sentence: _Sentence) -> str:
    return f"{passage.context}\n{sentence.text}" if passage.context else sentence.text


def _weights(question: str, said: Sequence[set[str]]) -> dict[str, float]:
    """Return the question's stems with weights that sum to one: rarer among the sentences, heavier."""
    raw = {stem: math.log(1 + len(said) / (1 + sum(stem in each for each in said))) for stem in stems(question)}
    total = sum(raw.values()) or 1.0
    return {stem: weight / total for stem, weight in raw.items()}


def _overlaps(asked: Mapping[str, float], sentence: _Sentence, passage: Passage) -> dict[str, float]:
    """Return which share of the question's words stands in the sentence, and which in it or just before and above."""
    said = stems(sentence.text)
    shares = {"words": said, "words_around": said | stems(sentence.before) | stems(passage.context)}
    return {name: sum(weight for stem, weight in asked.items() if stem in held) for name, held in shares.items()}


def _candidate(
    question: str,
    kind: AnswerType,
    passages: Sequence[Passage],
    sentence: _Sentence,
    words: Mapping[str, float],
    cosine: float,
) -> Candidate:
    fitting = spans_of_type(sentence.text, kind, question)
    features = {
        **words,
        "cosine": cosine,
        "passage_rank": 1 / (1 + sentence.passage),
        "has_type": float(bool(fitting)),
        "type_unknown": float(kind == "any"),
    }
    mark = _likeliest(sentence.text, fitting, question) if fitting else None
    if mark is not None:
        mark = (sentence.start + mark[0], sentence.start + mark[1])
    return Candidate(sentence.passage, sentence.start, sentence.end, features, mark)


def _likeliest(text: str, spans: Sequence[tuple[int, int]], question: str) -> tuple[int, int]:
    """Return the likeliest answer: what follows it is asked for first ("how many pages"), and words near by."""
    order = [stem(word) for word in content_words(question)]

    def fitness(span: tuple[int, int]) -> tuple[int, int]:
        counted = next(iter(re.findall(r"\w+", text[span[1] : span[1] + NEAR].casefold())), "")
        place = order.index(stem(counted)) if stem(counted) in order else len(order)
        return -place, len(set(order) & stems(text[max(0, span[0] - NEAR) : span[1] + NEAR]))

    return max(spans, key=fitness)  # the first of several


def confidence_features(
    question: str,
    passages: Sequence[Passage],
    found: Sequence[Candidate],
    scores: Sequence[float],
    order: Sequence[int],
) -> dict[str, float]:
    """Return what the confidence is made of: how good the best sentence is, how far ahead, how near the passages."""
    best = found[order[0]]
    rival = next((scores[i] for i in order[1:] if found[i].passage != best.passage), scores[order[0]] - 4.0)
    asked = _weights(question, [stems(passage.text) | stems(passage.context) for passage in passages])
    said: set[str] = set().union(*(stems(passage.text) | stems(passage.context) for passage in passages))
    return {
        "lead": min(4.0, scores[order[0]] - rival),
        "cosine": best.features["cosine"],
        "words": best.features["words"],
        "words_around": best.features["words_around"],
        "words_in_passages": sum(weight for stem, weight in asked.items() if stem in said),
        "nearest": max(passage.origin.dense_score or 0.0 for passage in passages),
        "has_type": best.features["has_type"],
        "type_unknown": best.features["type_unknown"],
    }
