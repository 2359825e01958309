"""Puts questions to a generator, over given paragraphs or through an engine, and keeps what it made of each.

Works with any generator; one that has `generate_many(questions, passages)` is handed many questions at once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import click

from indexer.collection import Collection
from indexer.sync import Given
from rag import metrics
from rag.engine import Engine, said
from rag.generator import Copied, Draft, Generator
from rag.types import Answer, Passage
from tests.benchmarks.given import Question, passage_of

BATCH = 256
"""Questions that are handed over at once."""
HALF = 0.5
"""The F1 from which on an answer counts as right where less than an exact match will do."""


@runtime_checkable
class ReadsMany(Protocol):
    """What a generator has that reads many questions faster together."""

    def generate_many(self, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Draft]:
        """Draft an answer to each question from its own passages."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one question."""

    question: Question
    said: str
    """The best answer, whatever the confidence; empty where there was nothing to say."""
    confidence: float
    answered: bool
    """Whether it is given at the default threshold."""
    points: bool
    """Whether each word of it lies at the offsets that it gives in the passages."""
    draft: Draft
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    """By stage, where it went through an engine."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What else the row of this question says."""

    @property
    def given(self) -> str:
        """The answer as it is given: empty where it is refused."""
        return self.said if self.answered else ""

    @property
    def exact(self) -> bool:
        """Whether the best answer is right to the word. To a question without an answer none is."""
        return bool(self.question.answers) and metrics.exact_match(self.said, self.question.answers) == 1

    @property
    def near(self) -> bool:
        """Whether the best answer has an F1 of at least one half. To a question without an answer none has."""
        return bool(self.question.answers) and metrics.f1(self.said, self.question.answers) >= HALF

    def to_json(self) -> dict[str, object]:
        """Return a row for reading the errors: the scores are those of the best answer, forced where need be."""
        golds = self.question.answers
        return {
            **asdict(self.question),
            "said": self.said,
            "answered": self.answered,
            "confidence": self.confidence,
            "em": metrics.exact_match(self.said, golds),
            "f1": round(metrics.f1(self.said, golds), 4),
            "points": self.points,
            "pieces": [asdict(piece) for piece in self.draft.pieces],
            "evidence": dict(self.draft.evidence),
            "timings_ms": {stage: round(ms, 2) for stage, ms in self.timings_ms.items()},
            **self.more,
        }


def open_generator(chosen: str | None, collection: Collection) -> Generator:
    """Return the generator that `ask` uses (None), "quoting", "copying" as shipped, or a copying one's folder."""
    if chosen is None:
        return Engine(collection).generator
    if chosen == "quoting":
        from rag.quoting import QuotingGenerator

        return QuotingGenerator(collection)
    opened: Generator = import_module("rag.copying.generator").open_copying(
        None if chosen == "copying" else Path(chosen), collection.home
    )
    return opened


def evaluation_collection(home: str | None) -> Collection:
    """Return a collection that holds next to nothing, for generators that take an encoder from one."""
    collection = Collection("evaluation", home)
    collection.add([Given("nothing", "The paragraphs are given.")])
    return collection


def read_given(
    generator: Generator, questions: Sequence[Question], *, titles: bool = True
) -> tuple[list[Asked], float]:
    """Ask each question over its own paragraph; return what came of it, and how many questions a second were read."""
    passages = [[passage_of(question, titles=titles)] for question in questions]
    generator.generate(questions[0].question, passages[0])  # what is loaded at first use is not measured
    drafts: list[Draft] = []
    started = time.perf_counter()
    with click.progressbar(length=len(questions), label=f"asking {generator.name}", file=sys.stderr) as bar:
        for first in range(0, len(questions), BATCH):
            texts = [question.question for question in questions[first : first + BATCH]]
            drafts += drafted(generator, texts, passages[first : first + BATCH])
            bar.update(len(texts))
    rate = len(questions) / (time.perf_counter() - started)
    threshold = generator.threshold(None)
    asked = [
        Asked(
            question=question,
            said=said(draft, read),
            confidence=draft.confidence,
            answered=bool(draft.pieces) and draft.confidence >= threshold,
            points=points(draft, read),
            draft=draft,
        )
        for question, draft, read in zip(questions, drafts, passages, strict=True)
    ]
    return asked, rate


def drafted(generator: Generator, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Draft]:
    """Draft answers, together where the generator can."""
    if isinstance(generator, ReadsMany):
        return generator.generate_many(questions, passages)
    return [generator.generate(question, read) for question, read in zip(questions, passages, strict=True)]


def points(draft: Draft, passages: Sequence[Passage]) -> bool:
    """Return whether an answer is copied: each span lies inside its passage, and no word is written between them.

    The answer's text is then the passages' text at the offsets given, spaces apart.
    """
    for piece in draft.pieces:
        if isinstance(piece, Copied):
            if not 0 <= piece.passage < len(passages):
                return False
            text = passages[piece.passage].text
            if not (0 <= piece.start < piece.end <= len(text) and text[piece.start : piece.end].strip()):
                return False
        elif any(map(str.isalnum, piece.text)):
            return False
    return bool(draft.pieces)


class Forced:
    """A generator that answers whatever its confidence, so that an engine tells the best answer too."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.draft = Draft((), 0.0)
        """What it drafted last."""

    @property
    def name(self) -> str:
        """How the one that drafts is named."""
        return self.generator.name

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        """Draft an answer, and remember the draft."""
        self.draft = self.generator.generate(question, passages)
        return self.draft

    def threshold(self, max_error: float | None) -> float:
        """Return 0: every answer is given."""
        return 0.0

    def answers(self, draft: Draft) -> bool:
        """Return whether the one that drafts would give this answer at its default threshold."""
        return bool(draft.pieces) and draft.confidence >= self.generator.threshold(None)


def ask(engine: Engine, forced: Forced, question: Question) -> tuple[Asked, Answer]:
    """Ask through an engine whose generator is `forced`."""
    answer = engine.ask(question.question)
    draft = forced.draft
    asked = Asked(
        question=question,
        said=answer.text,
        confidence=draft.confidence,
        answered=forced.answers(draft),
        points=points(draft, answer.passages),
        draft=draft,
        timings_ms=answer.timings_ms,
    )
    return asked, answer
