"""Whether a sentence says yes or no to a question, or does not say: a few dozen signs, weighed by a fitted model.

The signs are those of `polarity_signs.py`. The weights are in `polarity.json`, fitted by `finetune/polarity.py`, with
what they were fitted on. No neural model.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from rag.polarity_signs import Signs, denies, signs_of

Word = Literal["yes", "no", ""]
MODEL_FILE = Path(__file__).with_name("polarity.json")
CLASSES = ("yes", "no", "neither")


@dataclass(frozen=True, slots=True)
class Polarity:
    """What a sentence says to a question: probabilities that sum to 1."""

    yes: float
    no: float
    neither: float
    """It does not say."""

    def word(self, least: float) -> Word:
        """Return "yes" or "no" where its probability is at least `least`, otherwise ""."""
        if max(self.yes, self.no) < least or self.yes == self.no:
            return ""
        return "yes" if self.yes > self.no else "no"


def polarity(question: str, evidence: str, around: str = "") -> Polarity:
    """Return what `evidence`, one sentence or a few, says to a yes/no question.

    `around` is what stands above it: the sentence before, its heading, the line that leads its list, one a line.
    """
    yes, no, neither = chances(_model(), signs_of(question, evidence, around))
    return Polarity(no, yes, neither) if denies(question) else Polarity(yes, no, neither)


def chances(model: Mapping[str, Any], signs: Signs) -> tuple[float, float, float]:
    """Return the probabilities of `CLASSES` that a model gives to a question without its denial."""
    towards = _weighed(model["direction"], signs.direction)
    scores = (towards, -towards, model["bias"] + _weighed(model["weakness"], signs.weakness))
    yes, no, neither = (math.exp(score - max(scores)) for score in scores)
    total = yes + no + neither
    return yes / total, no / total, neither / total


def _weighed(weights: Mapping[str, float], signs: Mapping[str, float]) -> float:
    return sum(value * weights.get(name, 0.0) for name, value in signs.items())


@lru_cache(maxsize=1)
def _model() -> Mapping[str, Any]:
    loaded: dict[str, Any] = json.loads(MODEL_FILE.read_text(encoding="utf-8"))
    return loaded
