"""The forms of answers, each a function of one shape: evidence, units and their chances in, what is shown out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from indexer.collection import Collection
from rag.answering.composing import Shown, passages, sentence
from rag.answering.evidence import Evidence, Seen
from rag.types import Form

Compose = Callable[[Evidence, Sequence[Seen], Sequence[float], Collection], Shown]


def _sentence(evidence: Evidence, units: Sequence[Seen], chances: Sequence[float], _: Collection) -> Shown:
    return sentence(evidence, units, chances)


def _passages(evidence: Evidence, units: Sequence[Seen], chances: Sequence[float], _: Collection) -> Shown:
    return passages(evidence, units, chances)


FORMS: Mapping[Form, Compose] = {
    "fact": _sentence,
    "field": _sentence,
    "yes-no": _sentence,
    "conflict": _sentence,
    "list": _passages,
    "explanation": _passages,
    "steps": _passages,
    "overview": _passages,
    "comparison": _passages,
    "count": _passages,
}
