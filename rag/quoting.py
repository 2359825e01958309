"""The quoting generator: it answers with the sentence of the passages that answers best, and never writes a word.

Every sentence is scored by a logistic model over what can be seen of it (meaning, the question's words, the type of
answer asked for, where retrieval put its passage); a second one turns the best score into a confidence. Both are fitted
by `finetune/quoting.py` and stored, with what they were fitted on, in `quoting.json`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.sentences import sentences
from rag.generator import Copied, Draft
from rag.question import AnswerType, answer_type, spans_of_type, stems
from rag.types import Passage

MODEL_FILE = Path(__file__).with_name("quoting.json")
MAX_EMBEDDED = 24
"""Sentences that the encoder reads for one question; the others were already worse by their words."""
MAX_SENTENCE = 600
"""Longest quotation, in characters: tables and code have sentences of any length."""


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
        found = candidates(question, passages, self._collection.encoder)
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


def candidates(question: str, passages: Sequence[Passage], encoder: Encoder) -> list[Candidate]:
    """Return the sentences of `passages` worth scoring, with their features."""
    asked, kind = stems(question), answer_type(question)
    places = [(number, start, end) for number, passage in enumerate(passages) for start, end in _quotable(passage.text)]
    words = [_overlap(asked, passages[number], start, end) for number, start, end in places]
    order = sorted(range(len(places)), key=lambda i: (-words[i][0] - 0.5 * words[i][1], places[i][0], places[i][1]))
    chosen = sorted(order[:MAX_EMBEDDED])
    if not chosen:
        return []
    texts = [passages[places[i][0]].text[places[i][1] : places[i][2]] for i in chosen]
    with_context = [_in_context(passages[places[i][0]], text) for i, text in zip(chosen, texts, strict=True)]
    rows = encoder.embed_passages(with_context)
    query = encoder.embed_queries([question])[0]
    cosines = (rows @ query).tolist()  # (n,)
    return [
        _candidate(question, kind, passages, places[i], text, words[i], cosine)
        for i, text, cosine in zip(chosen, texts, cosines, strict=True)
    ]


def _quotable(text: str) -> list[tuple[int, int]]:
    """Return the sentences of `text` that say something; a very long one is cut at a line or word."""
    kept = []
    for start, end in sentences(text):
        while end - start > MAX_SENTENCE:
            cut = max(
                text.rfind("\n", start + 1, start + MAX_SENTENCE), text.rfind(" ", start + 1, start + MAX_SENTENCE)
            )
            cut = cut if cut > start else start + MAX_SENTENCE
            kept.append((start, cut))
            start = cut + 1
        if sum(character.isalnum() for character in text[start:end]) >= 3:
            kept.append((start, end))
    return kept


def _in_context(passage: Passage, sentence: str) -> str:
    return f"{passage.context}\n{sentence}" if passage.context else sentence


def _overlap(asked: set[str], passage: Passage, start: int, end: int) -> tuple[float, float]:
    """Return which share of the question's words the sentence holds, and which share it holds with its headings."""
    said = stems(passage.text[start:end])
    around = said | stems(passage.context)
    count = max(1, len(asked))
    return len(asked & said) / count, len(asked & around) / count


def _candidate(
    question: str,
    kind: AnswerType,
    passages: Sequence[Passage],
    place: tuple[int, int, int],
    text: str,
    words: tuple[float, float],
    cosine: float,
) -> Candidate:
    number, start, end = place
    fitting = spans_of_type(text, kind, question)
    length = len(text.split())
    features = {
        "cosine": cosine,
        "words": words[0],
        "words_with_headings": words[1],
        "passage_cosine": passages[number].origin.dense_score or 0.0,
        "passage_rank": 1 / (1 + number),
        "has_type": float(bool(fitting)),
        "type_unknown": float(kind == "any"),
        "short": float(length < 5),
        "long": float(length > 60),
        "is_question": float(text.rstrip().endswith("?")),
        "is_heading": float(_is_heading(passages[number], start, text)),
    }
    mark = (start + fitting[0][0], start + fitting[0][1]) if fitting else None
    return Candidate(number, start, end, features, mark)


def _is_heading(passage: Passage, start: int, text: str) -> bool:
    position = passage.start + start
    kinds = [section.kind for section in passage.sections if section.start <= position]
    return bool(kinds and kinds[-1] == "heading") or text.startswith("#")


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
    asked = stems(question)
    said: set[str] = set()
    for passage in passages:
        said |= asked & (stems(passage.text) | stems(passage.context))
    near = sorted((passage.origin.dense_score or 0.0 for passage in passages), reverse=True)
    in_passage = asked & (stems(passages[best.passage].text) | stems(passages[best.passage].context))
    return {
        "score": scores[order[0]],
        "lead": min(4.0, scores[order[0]] - rival),
        "cosine": best.features["cosine"],
        "words": best.features["words_with_headings"],
        "words_in_passage": len(in_passage) / max(1, len(asked)),
        "words_in_passages": len(said) / max(1, len(asked)),
        "nearest": near[0],
        "has_type": best.features["has_type"],
        "type_unknown": best.features["type_unknown"],
    }
