"""The fitted models of answering: which unit answers, and how sure to be of what is shown. Kept in `answering.json`.

`finetune/answering.py` fits them; nothing is fitted here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from rag.answering.evidence import Evidence, Seen
from rag.answering.rules import allowed
from rag.answering.signals import UNIT, keys_asked_for, unit_signals
from rag.types import Form

FILE = Path(__file__).with_name("answering.json")
SHORT_FORMS: frozenset[Form] = frozenset({"fact", "field", "yes-no", "conflict"})
"""Forms that show one sentence; the others show paragraphs, lists or code."""
FIELD = 0.4
"""Chance of the field that is asked for, at least, in a document that the question does not name."""
RULED_OUT = 0.02
"""What is left of the chance of a unit that the rules do not allow."""


def group(form: Form) -> str:
    """Return the name of the models for a form: "sentence" or "passage"."""
    return "sentence" if form in SHORT_FORMS else "passage"


@dataclass(frozen=True, slots=True)
class Models:
    """What was fitted."""

    fitted: Mapping[str, Any]
    """The content of `answering.json`: "units" by group, "shown", "threshold", "closest" and "risk_coverage"."""

    def chances(self, evidence: Evidence, units: Sequence[Seen]) -> list[float]:
        """Return for each unit the chance that it answers, or is part of an answer."""
        if not units:
            return []
        model = self.fitted["units"][group(evidence.asked.form)]
        weights = np.array([model["weights"][name] for name in UNIT])
        signals = unit_signals(evidence, units)  # (n, signals)
        scores = model["bias"] + signals @ weights
        free = allowed(evidence, units)
        found = [logistic(float(score)) * (1.0 if may else RULED_OUT) for score, may in zip(scores, free, strict=True)]
        key, named, words = (signals[:, UNIT.index(name)] for name in ("key", "named", "words"))
        fields = key * (FIELD + (0.9 - FIELD) * named + 0.05 * words)  # the field that is asked for is the answer
        keys = keys_asked_for(evidence, units)
        return [max(each) for each in zip(found, map(float, fields), keys, strict=True)]

    def confidence(self, signals: Mapping[str, float]) -> float:
        """Return the estimated chance that what is shown answers the question, from 0 to 1."""
        model = self.fitted["shown"]
        if not model:
            return 0.0
        return logistic(model["bias"] + math.fsum(weight * signals[name] for name, weight in model["weights"].items()))

    def threshold(self, max_error: float | None) -> float:
        """Return the least confidence to answer at; `max_error` None: the default."""
        if max_error is None:
            return float(self.fitted["threshold"])
        asked = int(self.fitted["shown"]["fitted_on"]["questions"])
        kept = [
            float(row["threshold"])
            for row in self.fitted["risk_coverage"]
            if _careful(row["error"], row["coverage"] * asked) <= max_error
        ]
        return min(kept, default=math.inf)

    @property
    def closest(self) -> float:
        """The confidence from which on the best evidence is worth showing, though not as an answer."""
        return float(self.fitted.get("closest", 0.0))


@lru_cache(maxsize=2)
def shipped(path: Path = FILE) -> Models:
    """Return the models that ship."""
    return Models(json.loads(path.read_text(encoding="utf-8")))


def _careful(error: float, answers: float) -> float:
    """Return an error rate as if one more answer had been given, wrongly: few answers without an error prove little."""
    return (error * answers + 1) / (answers + 1)


def logistic(x: float) -> float:
    """Return 1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
