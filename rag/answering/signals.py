"""What can be counted of a unit, and of a whole answer: the numbers that the fitted models weigh.

The names are those in `answering.json`; whoever adds one fits anew with `finetune/answering.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import PurePath

import numpy as np
import numpy.typing as npt

from rag.answering.cells import cells
from rag.answering.cues import defines, gives_a_reason
from rag.answering.evidence import UNREAD, Evidence, Seen
from rag.answering.fields import has_field
from rag.answering.heads import name_stems
from rag.answering.kinds import has_kind, wanted_kind
from rag.copying import confidence
from rag.question import answer_type, holds_type, stems
from rag.terms import terms
from rag.types import Form

Numbers = npt.NDArray[np.float64]

UNIT = (
    "read", "behind", "cosine", "cosine_behind", "words", "around", "rank", "near", "fits", "any_type", "sentence",
    "item", "row", "field", "code", "defines", "heading", "reason", "asks_reason", "length", "first", "key", "named",
    "misfit", "cell",
)  # fmt: skip
"""The signals of a unit, in order."""
FORMS: tuple[Form, ...] = ("yes-no", "list", "explanation", "steps", "overview", "comparison", "field")
"""Forms that are told apart by the confidence; it begins from "fact"."""
FAR = 12.0
"""Where scores of the reader are cut off, in nats."""
KEY = 0.7
"""Chance of the field that a question names by its key, and its document by its title."""
TOTAL = stems("total overall all text value")
"""Words of a key that narrow it to nothing less."""
LONG = 400
"""Characters from which on a unit is simply long."""


def able(evidence: Evidence) -> list[Seen]:
    """Return the units that may be an answer: headings and questions answer nothing, they introduce.

    A heading with a date answers when something was released: "## [1.1.0] - 2019-02-15".
    """
    dated = evidence.asked.form == "field" and evidence.asked.kind == "date"
    return [
        seen
        for seen in evidence.all()
        if seen.unit.kind not in ("heading", "question")
        or (dated and seen.unit.kind == "heading" and has_kind(evidence.text(seen.unit), "date"))
    ]


def unit_signals(evidence: Evidence, units: Sequence[Seen]) -> Numbers:
    """Return the signals of these units, (n, len(UNIT))."""
    if not units:
        return np.zeros((0, len(UNIT)))
    asked, kind = evidence.asked, answer_type(evidence.asked.question)
    best_read = max(seen.read for seen in units)
    best_cosine = max(seen.cosine for seen in units)
    heads: dict[tuple[int, str], float] = {}
    subject = stems(asked.subject or asked.question)
    named = [len(subject & name_stems(passage)) / (len(subject) or 1) for passage in evidence.passages]
    wanted = wanted_kind(asked.question)
    rows = []
    for seen in units:
        unit, text, passage = seen.unit, evidence.text(seen.unit), evidence.passages[seen.unit.passage]
        head = unit.heading or passage.context.split(" > ")[-1]
        if (unit.passage, head) not in heads:
            held = stems(head)
            heads[unit.passage, head] = math.fsum(w for stem, w in evidence.weights.items() if stem in held)
        rows.append(
            (
                max(-FAR, min(FAR, seen.read)),
                max(-FAR, seen.read - best_read),
                seen.cosine,
                seen.cosine - best_cosine,
                seen.words,
                seen.around,
                1 / (1 + unit.passage),
                passage.origin.dense_score or 0.0,
                float(kind != "any" and holds_type(text, kind)),
                float(kind == "any"),
                *(float(unit.kind == name) for name in ("sentence", "item", "row", "field", "code")),
                defines(asked.subject, text),
                heads[unit.passage, head],
                float(asked.kind == "why" and gives_a_reason(text)),
                float(asked.kind == "why"),
                min(len(text), LONG) / LONG,
                float(evidence.follows_heading(unit)),
                float(asked.form == "field" and unit.kind in ("field", "row") and has_field(text, asked.kind)),
                named[unit.passage],
                float(not has_kind(text, wanted)),
                _named_in_cells(evidence, text) if unit.kind == "row" else 0.0,
            )
        )
    return np.array(rows, dtype=np.float64)


def _named_in_cells(evidence: Evidence, row: str) -> float:
    """Return how much of the question the cells of a row say that hold nothing else: they say what the row is about."""
    values = [stems(row[cell.start : cell.end]) for cell in cells(row)]
    asked = evidence.weights.keys()
    held = set().union(*(value for value in values if value and value <= asked))
    return math.fsum(weight for stem, weight in evidence.weights.items() if stem in held)


def keys_asked_for(evidence: Evidence, units: Sequence[Seen]) -> list[float]:
    """Return for each unit the chance that it is the field that the question names by its key, 0 where it does not.

    "Geography.Elevation.lowest point: -133 m" answers "lowest point of Egypt" where the document is called Egypt: the
    key says all of the question but the name of the document.
    """
    asked = stems(evidence.asked.question)
    named = [asked & name_stems(passage) for passage in evidence.passages]
    found = []
    for seen in units:
        text, rest = evidence.text(seen.unit), asked - named[seen.unit.passage]
        key = stems(text.partition(":")[0].replace(".", " ")) if seen.unit.kind == "field" else set()
        says = bool(rest) and bool(named[seen.unit.passage]) and rest <= key and len(rest) < len(asked)
        found.append(KEY / (1 + 0.1 * len(key - rest - TOTAL)) if says else 0.0)
    return found


class Signals:
    """What can be counted of an answer that shows these units, best first."""

    def __init__(self, evidence: Evidence, shown: Sequence[Seen], chances: Sequence[float]) -> None:
        """`chances` are those of all units that are `able`, in any order."""
        self._evidence, self._shown = evidence, shown
        self._chances = sorted(chances, reverse=True)

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The signals by name."""
        evidence = self._evidence
        decoded, passages = evidence.decoded, evidence.passages
        seen = evidence.all()
        top = self._shown[0]
        near = sorted((passage.origin.dense_score or 0.0 for passage in passages), reverse=True)
        said = stems(" ".join(f"{passage.text} {passage.context}" for passage in passages))
        around = set().union(*(stems(self._said(each)) for each in self._shown))
        specific = terms(evidence.asked.question)
        told = terms(self.in_context(top))
        missing = (specific.names | specific.numbers) - told.words
        kind = wanted_kind(evidence.asked.question)
        left = [weight for stem, weight in evidence.weights.items() if stem not in around]
        best_read = max(seen, key=lambda each: each.read)
        best_cosine = max(seen, key=lambda each: each.cosine)
        read = confidence.features(evidence.asked.question, decoded, passages) if decoded.actions else {}
        return {
            "best": _log_odds(self._chances[0]),
            "second": _log_odds(self._chances[1] if len(self._chances) > 1 else 0.0),
            "sum": math.log(math.fsum(self._chances) + 1e-4),
            "cosine": top.cosine,
            "cosine_most": max(each.cosine for each in seen),
            "around": top.around,
            "around_most": max(each.around for each in seen),
            "words": top.words,
            "read": max(-FAR, min(FAR, top.read)),
            "read_most": max(-FAR, min(FAR, max((each.read for each in seen), default=UNREAD))),
            "answers": max(-FAR, decoded.log_answer),
            "near": near[0],
            "ahead": near[0] - (near[1] if len(near) > 1 else 0.0),
            "rank": 1 / (1 + top.unit.passage),
            "said": math.fsum(weight for stem, weight in evidence.weights.items() if stem in said),
            "names": read.get("names", 0.0),
            "unsaid": read.get("unsaid", 0.0),
            "fits": read.get("fits", 0.0),
            "denied": read.get("denied", 0.0),
            "asked": float(len(evidence.weights)),
            "missing": float(min(3, len(missing))),
            "misfit": float(not has_kind(evidence.text(top.unit), kind)),
            "kind": float(bool(kind)),
            "agrees_read": float(best_read is top),
            "agrees_cosine": float(best_cosine is top),
            "left": math.fsum(left),
            "left_most": max(left, default=0.0),
            "lead": min(FAR, read.get("lead", 0.0)),
            "again": read.get("again", 0.0),
            "by_words": read.get("by_words", 0.0),
            "around_span": read.get("around", 0.0),
            **{f"is_{name}": float(evidence.asked.form == name) for name in FORMS},
            "is_keywords": float(evidence.asked.kind == "keywords"),
        }

    def in_context(self, seen: Seen) -> str:
        """Return what a unit says, with its heading, what introduces it, and the name of its document."""
        passage = self._evidence.passages[seen.unit.passage]
        lead = seen.unit.lead
        introduced = "" if lead is None else self._evidence.text(self._evidence.seen[seen.unit.passage][lead].unit)
        return f"{self._said(seen)} {introduced} {passage.title} {PurePath(passage.source).stem}"

    def _said(self, seen: Seen) -> str:
        passage = self._evidence.passages[seen.unit.passage]
        return f"{self._evidence.text(seen.unit)} {seen.unit.heading} {passage.context}"


def _log_odds(chance: float) -> float:
    return math.log(max(chance, 1e-4) / max(1 - chance, 1e-4))
