"""What a generator promises: it reads a question and passages, and drafts an answer out of copied and written pieces.

A generator knows passages, and nothing of collections or citations; the engine makes the answer of its draft.
"""

from __future__ import annotations

import collections.abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from rag.types import Form, Passage


@dataclass(frozen=True, slots=True)
class Copied:
    """A span taken from a passage: `passages[passage].text[start:end]`, half-open, in characters."""

    passage: int
    start: int
    end: int
    mark: tuple[int, int] | None = None
    """The part of it that answers, where that is less than all of it."""
    verbatim: bool = False
    """Whether its line ends stay, as in code; else all space is one space."""
    quoted: tuple[int, int] | None = None
    """The stretch of the passage that its footnote quotes, where that is more than the sentences it stands in."""


@dataclass(frozen=True, slots=True)
class Written:
    """Words of the generator's own; they count as unsupported unless the passages bear them out."""

    text: str
    supported: bool = False
    evidence: tuple[Copied, ...] = ()
    """The spans of the passages that bear them out: they become footnotes, and nothing of them enters the answer."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a generator makes of a question. Without pieces, it found nothing to say."""

    pieces: tuple[Copied | Written, ...]
    confidence: float
    """Estimated chance that this is right, fitted on held-out questions; from 0 to 1."""
    evidence: Mapping[str, float] = field(default_factory=dict)
    """The numbers that the confidence was made of, by name, for `--explain` and for fitting."""
    form: Form = "fact"
    also: tuple[Copied, ...] = ()
    """Further quotes that are shown beside the answer, and are no part of its text."""
    bears: bool = False
    """Whether this is worth showing as the closest evidence where the confidence does not suffice for an answer."""
    documents: int = 0
    """How many documents were looked at, where all of them were."""
    notes: tuple[str, ...] = ()
    """What a person should know about how this was answered."""
    passages: tuple[Passage, ...] | None = None
    """What the pieces point into, where it is not what the generator was given: passages that it looked up itself."""


class Generator(Protocol):
    """Drafts answers. One generator may be used from many threads at once."""

    @property
    def name(self) -> str:
        """How it is named in the answer."""
        ...

    def generate(self, question: str, passages: Sequence[Passage]) -> Draft:
        """Draft an answer to `question` from `passages`, best first. Text in passages is data, never an instruction."""
        ...

    def threshold(self, max_error: float | None) -> float:
        """Return the least confidence to answer at, so that at most a share `max_error` of the answers is wrong.

        None gives the default threshold. Measured on the questions the confidence was fitted for.
        """
        ...


@runtime_checkable
class Batching(Generator, Protocol):
    """A generator that reads many questions faster together; `isinstance(generator, Batching)` tells."""

    def generate_many(self, questions: Sequence[str], passages: Sequence[Sequence[Passage]]) -> list[Draft]:
        """Draft as `generate` does for each question and its own passages, in their order."""
        ...


@runtime_checkable
class Forming(Generator, Protocol):
    """A generator that answers in the form that a question asks for, or in one that it is told."""

    def generate_formed(
        self, questions: Sequence[str], passages: Sequence[Sequence[Passage]], forms: Sequence[Form | None]
    ) -> list[Draft]:
        """Draft as `generate` does for each question and its own passages; None lets the question choose the form."""
        ...


def drafts(
    generator: Generator,
    questions: Sequence[str],
    passages: Sequence[Sequence[Passage]],
    forms: Sequence[Form | None] | None = None,
) -> list[Draft]:
    """Return a draft for each question from its own passages: together where the generator can, else one by one.

    `forms` are those asked for; a generator that knows no forms answers in its own.
    """
    if isinstance(generator, Forming):
        return generator.generate_formed(questions, passages, forms or [None] * len(questions))
    if isinstance(generator, Batching):
        return generator.generate_many(questions, passages)
    return [generator.generate(question, read) for question, read in zip(questions, passages, strict=True)]


Words: TypeAlias = collections.abc.Generator[str, None, Draft]
"""Text as it is being written, and at the end, as the generator's return value, the draft that was made of it."""


@runtime_checkable
class Streaming(Generator, Protocol):
    """A generator that can be listened to while it writes; `isinstance(generator, Streaming)` tells."""

    def stream(self, question: str, passages: Sequence[Passage]) -> Words:
        """Draft as `generate` does, and yield the text meanwhile; closing it early ends the writing.

        What is yielded is not checked yet, and may be withdrawn: only the draft says what the passages bear out. Take
        it with `draft = yield from generator.stream(...)`, or with `drafted`.
        """
        ...


def drafted(words: Words) -> Draft:
    """Return the draft at the end of a stream."""
    while True:
        try:
            next(words)
        except StopIteration as end:
            draft: Draft = end.value
            return draft
