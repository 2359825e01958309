"""What a generator promises: it reads a question and passages, and drafts an answer out of copied and written pieces.

A generator knows passages, and nothing of collections or citations; the engine makes the answer of its draft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rag.types import Passage


@dataclass(frozen=True, slots=True)
class Copied:
    """A span taken from a passage: `passages[passage].text[start:end]`, half-open, in characters."""

    passage: int
    start: int
    end: int
    mark: tuple[int, int] | None = None
    """The part of it that answers, where that is less than all of it."""


@dataclass(frozen=True, slots=True)
class Written:
    """Words of the generator's own; they count as unsupported unless the passages bear them out."""

    text: str
    supported: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What a generator makes of a question. Without pieces, it found nothing to say."""

    pieces: tuple[Copied | Written, ...]
    confidence: float
    """Estimated chance that this is right, fitted on held-out questions; from 0 to 1."""
    evidence: Mapping[str, float] = field(default_factory=dict)
    """The numbers that the confidence was made of, by name, for `--explain` and for fitting."""


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
