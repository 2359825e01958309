"""Whether a unit is about the part, the version or the error that a question names, or about another one like it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from indexer.names import forms, identifiers, normal_form
from rag.answering.evidence import Evidence, Seen

LONG = 5
"""Characters of a code from which on the same form is likeness enough; shorter ones must share their letters."""
_DECIMAL_OR_DATE = re.compile(r"\d+\.\d+|(?:\d+-){2}\d+")


def codes(text: str) -> list[str]:
    """Return the identifiers of a text that have figures and are no decimals or dates: AX-4410-B, 2.3.1, E-1007."""
    return [
        token for token in identifiers(text) if any(map(str.isdigit, token)) and not _DECIMAL_OR_DATE.fullmatch(token)
    ]


def about_another(evidence: Evidence, seen: Seen) -> bool:
    """Tell whether a unit is about another code than those of the question: its neighbour in a list of parts, say.

    The nearest text around the unit that says one of them or one like them decides.
    """
    asked = [normal_form(code) for code in codes(evidence.asked.question)]
    if not asked:
        return False
    for text in _around(evidence, seen):
        said = codes(text)
        if any(form in asked for code in said for form in forms(code)):
            return False
        if any(text.strip() == code or alike(normal_form(code), each) for code in said for each in asked):
            return True
    return False


def _around(evidence: Evidence, seen: Seen) -> Iterator[str]:
    """Yield what a unit says, then what stands around it, from near to far."""
    unit, passage = seen.unit, evidence.passages[seen.unit.passage]
    yield evidence.text(unit)
    if unit.kind == "sentence":
        yield passage.text[passage.text.rfind("\n\n", 0, unit.start) + 1 : unit.start]  # its paragraph so far
    yield unit.heading
    yield from reversed(passage.context.split(" > "))
    yield f"{passage.title}\n{PurePath(passage.source).stem}"


def alike(one: str, other: str) -> bool:
    """Tell whether two codes in normal form are of one kind: versions, the same letters, or letters in places alike."""
    if one.replace(".", "").isdigit() and other.replace(".", "").isdigit():
        return True
    if _runs(one) != _runs(other):
        return False
    return _letters(one) == _letters(other) or (len(one) >= LONG and _places(one) == _places(other))


def _letters(code: str) -> str:
    return "".join(filter(str.isalpha, code))


def _places(code: str) -> str:
    """Return a code with 0 for each figure and a for each letter."""
    return "".join("0" if c.isdigit() else "a" if c.isalpha() else c for c in code)


def _runs(code: str) -> str:
    return re.sub(r"(.)\1+", r"\1", _places(code))
