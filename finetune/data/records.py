"""What is cleaned: documents as prose and code in turn, and what was changed in them, counted, with examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

TEXTS = "texts.jsonl"
"""The file of a data set that holds its texts."""
EXAMPLES = 12
"""Examples kept of each kind of change."""
_AROUND = 30
"""Characters of its surroundings that an example shows on either side."""

Note = Callable[[str, str, str], None]
"""Called as note(kind, before, after) for every change; "" after it where something was removed."""
Step = Callable[[str, Note], str]
"""A step of cleaning: takes prose, notes what it changes and returns the rest."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a document."""

    text: str
    code: bool = False
    """Code and tables: no step but the masks changes them."""


@dataclass(frozen=True, slots=True)
class Record:
    """A document on its way to a data set; its text is that of its parts, end to end."""

    id: str
    """Its path below the folder that was given, or the id that its line bore."""
    parts: tuple[Part, ...]
    title: str = ""
    sha256: str = ""
    """Of the file's bytes; "" for a line of a file."""
    format: str = "text"
    repairs: Mapping[str, int] = field(default_factory=dict)
    """How often its reader repaired what, by kind."""

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(part.text for part in self.parts)

    def prose(self) -> str:
        """Return the text without code."""
        return "\n\n".join(part.text for part in self.parts if not part.code)

    def changed(self, steps: Iterable[Step], note: Note, everywhere: bool = False) -> Record:
        """Return the record after these steps; code is left alone unless `everywhere`."""
        parts = self.parts
        for step in steps:
            parts = tuple(
                part if part.code and not everywhere else Part(step(part.text, note), part.code) for part in parts
            )
        return replace(self, parts=parts)


@dataclass(slots=True)
class Changes:
    """What was changed: counts, and some examples of each kind."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    """By kind: the document's id, before, after."""

    def noting(self, record: Record) -> Note:
        """Return what notes the changes of one record; the same change is shown once."""

        def note(kind: str, before: str, after: str) -> None:
            self.counts[kind] += 1
            shown = self.examples.setdefault(kind, [])
            if len(shown) < EXAMPLES and all(before != each[1] for each in shown):
                shown.append((record.id, before, after))

        return note

    def count(self, repairs: Mapping[str, int]) -> None:
        """Add what a reader repaired, which is counted only."""
        self.counts.update(repairs)


def in_context(text: str, start: int, end: int, new: str) -> tuple[str, str]:
    """Return (before, after) of a change of `text[start:end]`, with a little of what stands around it."""
    left, right = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    left, right = left.rpartition("\n")[2], right.partition("\n")[0]
    return left + text[start:end] + right, left + new + right
