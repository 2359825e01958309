"""stub"""
from __future__ import annotations
import re
from dataclasses import dataclass
N=re.compile(r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|prohibit\w*|forbid\w*|exclud\w*|unaware|reject\w*|unable|kein\w*|nicht|aucun\w*|pas|jamais)\b|n['’]t\b",re.I)
@dataclass(frozen=True)
class Polarity:
    yes: float
    no: float
    neither: float
    def word(self, least: float) -> str:
        return "yes" if self.yes>=least else "no" if self.no>=least else ""
def polarity(question: str, evidence: str, around: str = "") -> Polarity:
    n=bool(N.search(evidence))!=bool(N.search(question))
    return Polarity(.2 if n else .7,.7 if n else .2,.1)
