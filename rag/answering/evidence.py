"""What answering sees: the units of the passages, and how well each of them fits the question.

Three judges look at a unit: the reader (the best span in it), the question's words (the rarer among the units, the
heavier) and meaning (the cosine of the encoder), which looks only at the units that the other two find likely.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.encoder import Encoder
from indexer.languages import language_of
from rag.answering.asked import Asked
from rag.answering.compounds import COMPOUNDING, share_held
from rag.answering.unit_vectors import UnitVectors
from rag.answering.units import Unit, units
from rag.copying.decoding import Decoded
from rag.question import stems
from rag.types import Passage

EMBEDDED = 12
"""Units of a question that the encoder reads."""
UNREAD = -20.0
"""The score of a unit in which no span may begin."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A unit and what each judge says of it."""

    unit: Unit
    span: tuple[int, int] | None
    """The best span in it, in characters of its passage."""
    read: float
    """That span's log-odds against refusing; `UNREAD` where there is none."""
    words: float
    """Weight of the question's words that it says, of 1."""
    around: float
    """The same with its heading, its lead and the passage's context."""
    cosine: float
    """With the question; of a unit that the encoder did not read, a guess from the others."""
    embedded: bool
    yes: float = UNREAD
    """Log-odds of it saying yes to a question that asks whether something is so, against neither."""
    no: float = UNREAD


@dataclass(frozen=True, slots=True)
class Evidence:
    """A question and everything that was seen for it."""

    asked: Asked
    passages: tuple[Passage, ...]
    decoded: Decoded
    seen: tuple[tuple[Seen, ...], ...]
    """The units of each passage, in order."""
    weights: Mapping[str, float]
    """The question's stems, with the share of each."""

    def text(self, unit: Unit) -> str:
        """Return what a unit says."""
        return self.passages[unit.passage].text[unit.start : unit.end]

    def all(self) -> list[Seen]:
        """Return the units of all passages."""
        return [each for passage in self.seen for each in passage]

    def place(self, unit: Unit) -> int:
        """Return the place of a unit among those of its passage."""
        starts = [each.unit.start for each in self.seen[unit.passage]]
        return starts.index(unit.start)

    def follows_heading(self, unit: Unit) -> bool:
        """Tell whether a heading or a question stands right before a unit."""
        place = self.place(unit)
        return place > 0 and self.seen[unit.passage][place - 1].unit.kind in ("heading", "question")


def gather(
    asked: Sequence[Asked],
    passages: Sequence[Sequence[Passage]],
    decoded: Sequence[Decoded],
    encoder: Encoder | None,
    vectors: UnitVectors,
) -> list[Evidence]:
    """Return what is seen for each question; units of several questions are embedded together."""
    looks = [_Look(each, own, read) for each, own, read in zip(asked, passages, decoded, strict=True)]
    if encoder is None:
        return [look.evidence({}) for look in looks]
    texts = list(dict.fromkeys(text for look in looks for text in look.texts.values()))
    places = {text: place for place, text in enumerate(texts)}
    rows = vectors.of(encoder, texts)  # (texts, dim)
    queries = encoder.embed_queries([each.question for each in asked])  # (questions, dim)
    return [
        look.evidence({place: float(rows[places[text]] @ vector) for place, text in look.texts.items()})
        for look, vector in zip(looks, queries, strict=True)
    ]


class _Look:
    """The units of one question, before meaning has looked at them."""

    def __init__(self, asked: Asked, passages: Sequence[Passage], decoded: Decoded) -> None:
        self._asked, self._passages, self._decoded = asked, tuple(passages), decoded
        self._units = units(passages)
        self._flat = [unit for own in self._units for unit in own]
        said = [stems(self._text(unit)) for unit in self._flat]
        self._weights = _weights(asked.question, said)
        self._compounds = language_of(asked.question) in COMPOUNDING
        self._words = [self._share(each) for each in said]
        self._around = [self._share(each | self._above(unit)) for unit, each in zip(self._flat, said, strict=True)]
        self._read = _read(self._flat, decoded, [_hidden(passage.text) for passage in passages])
        self._said = _verdicts(self._flat, decoded)
        self.texts = {place: self._in_context(self._flat[place]) for place in self._likely()}
        """What the encoder is to read, by the place of the unit."""

    def _text(self, unit: Unit) -> str:
        return self._passages[unit.passage].text[unit.start : unit.end]

    def _above(self, unit: Unit) -> set[str]:
        passage = self._passages[unit.passage]
        lead = "" if unit.lead is None else self._text(self._units[unit.passage][unit.lead])
        return stems(f"{passage.context} {unit.heading} {lead}")

    def _share(self, said: set[str]) -> float:
        if self._compounds:
            return sum(weight * share_held(stem, said) for stem, weight in self._weights.items())
        return sum(weight for stem, weight in self._weights.items() if stem in said)

    def _in_context(self, unit: Unit) -> str:
        above = unit.heading or self._passages[unit.passage].context.split(" > ")[-1]
        return f"{above}\n{self._text(unit)}" if above else self._text(unit)

    def _likely(self) -> list[int]:
        """Return the places of the units worth reading: the best by words and the best by the reader, in turn."""
        able = [place for place, unit in enumerate(self._flat) if unit.kind not in ("heading", "question")]
        by_words = sorted(able, key=lambda place: (-self._words[place] - 0.5 * self._around[place], place))
        by_reader = sorted(able, key=lambda place: (-self._read[place][0], place))
        turns = [place for pair in zip(by_reader, by_words, strict=True) for place in pair]
        return sorted(list(dict.fromkeys(turns))[:EMBEDDED])

    def evidence(self, cosines: Mapping[int, float]) -> Evidence:
        """Return what is seen, with the cosines of the units at these places."""
        low = min(cosines.values(), default=0.0)
        seen: list[list[Seen]] = [[] for _ in self._passages]
        for place, unit in enumerate(self._flat):
            score, span = self._read[place]
            seen[unit.passage].append(
                Seen(
                    unit,
                    span,
                    score,
                    self._words[place],
                    self._around[place],
                    cosines.get(place, low),
                    place in cosines,
                    *self._said[place],
                )
            )
        return Evidence(self._asked, self._passages, self._decoded, tuple(map(tuple, seen)), self._weights)


def _weights(question: str, said: Sequence[set[str]]) -> dict[str, float]:
    """Return the question's stems with weights that sum to one: rarer among the units, heavier."""
    raw = {stem: math.log(1 + len(said) / (1 + sum(stem in each for each in said))) for stem in sorted(stems(question))}
    total = math.fsum(raw.values()) or 1.0
    return {stem: weight / total for stem, weight in raw.items()}


_NUMBER_OF_AN_ITEM = re.compile(
    r"^[ \t>]*(?:[-*•] +)?(?:\(?\d{1,3}|\(?[A-Za-z])[.)](?=[ \t])"
    r"(?![ \t]+(?:Jan|Feb|M[aä]r|Apr|Ma[iy]|Jun|Jul|Aug|Sep|O[kc]t|Nov|De[zc]))",
    re.MULTILINE,
)


def _hidden(text: str) -> list[tuple[int, int]]:
    """Return where nothing may be an answer: comments of the markup, and the numbers of a list's items.

    "How many days do agencies have to publish a policy?" is not answered by "3. Publish a policy".
    """
    found = [match.span() for match in _NUMBER_OF_AN_ITEM.finditer(text)]
    start = text.find("<!--")
    while start >= 0 and (end := text.find("-->", start)) >= 0:
        found.append((start, end + len("-->")))
        start = text.find("<!--", end)
    return found


def _read(
    flat: Sequence[Unit], decoded: Decoded, hidden: Sequence[Sequence[tuple[int, int]]]
) -> list[tuple[float, tuple[int, int] | None]]:
    """Return the best span that lies in each unit, and its score."""
    found: list[tuple[float, tuple[int, int] | None]] = [(UNREAD, None)] * len(flat)
    for starts in decoded.starts:
        scores = starts.scores
        for first, last in hidden[starts.passage]:
            scores = np.where((starts.starts < last) & (starts.ends > first), np.float32(UNREAD), scores)
        for place, unit in enumerate(flat):
            if unit.passage != starts.passage:
                continue
            inside = np.flatnonzero((starts.starts >= unit.start) & (starts.ends <= unit.end))
            if len(inside):
                best = int(inside[scores[inside].argmax()])
                score = float(scores[best])
                if score > found[place][0]:
                    found[place] = (score, (int(starts.starts[best]), int(starts.ends[best])))
    return found


def _verdicts(flat: Sequence[Unit], decoded: Decoded) -> list[tuple[float, float]]:
    """Return the log-odds of each unit saying yes and no: those of its words together.

    Of a unit that two windows read, what the one says that is surer.
    """
    found = [(UNREAD, UNREAD)] * len(flat)
    for window in decoded.verdicts:
        for place, unit in enumerate(flat):
            if unit.passage != window.passage:
                continue
            inside = (window.starts >= unit.start) & (window.ends <= unit.end)
            if inside.any():
                yes, no = np.logaddexp.reduce(window.scores[inside], axis=0).tolist()
                found[place] = max(found[place], (yes, no), key=max)
    return found
