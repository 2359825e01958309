"""The questions that were asked on the command line, with their footnotes: to go on from, and to open what was cited.

One JSON line a question in `history.jsonl` of the home folder, which its owner alone may read. What does not read is
passed over: it may be an older version's.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer import storage
from indexer.home import HISTORY
from rag.types import MAX_HISTORY, Answer, Citation

FILE = HISTORY
MOST_BYTES = 4_000_000
"""Length of the file; the older half goes when it would be longer. That is some thousand questions."""
_QUOTE = 2_000
"""Characters of a quotation that are kept."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A question that was asked, and what came of it."""

    time: str
    """ISO 8601, in UTC."""
    question: str
    after: tuple[str, ...]
    """The questions before it that it could refer to, oldest first."""
    collection: str
    outcome: str
    answer: str
    citations: tuple[Citation, ...]

    @property
    def thread(self) -> tuple[str, ...]:
        """The questions that a next one may refer to: those before it, and itself."""
        return (*self.after, self.question)[-MAX_HISTORY:]

    def to_json(self) -> dict[str, object]:
        """Return the form in which it is kept, and in which `history --json` prints it."""
        return {
            "time": self.time,
            "question": self.question,
            "after": list(self.after),
            "collection": self.collection,
            "outcome": self.outcome,
            "answer": self.answer,
            "citations": [_citation_json(citation) for citation in self.citations],
        }


def entry_of(answer: Answer, after: Sequence[str]) -> HistoryEntry:
    """Return what is kept of an answer that was given now, after these questions."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return HistoryEntry(
        now, answer.question, tuple(after), answer.collection, answer.outcome, answer.text, answer.citations
    )  # fmt: skip


def keep(home: Path, entry: HistoryEntry) -> None:
    """Add a question to the history. Raises StorageError where that cannot be written."""
    line = json.dumps(entry.to_json(), ensure_ascii=True) + "\n"
    storage.append_line(home / FILE, line.encode(), MOST_BYTES)


def read_history(home: Path) -> list[HistoryEntry]:
    """Return the questions that were asked, oldest first; none where there is no history."""
    try:
        lines = (home / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise storage.unreadable(error, home / FILE) from error
    return [entry for line in lines if (entry := _parsed(line)) is not None]


def clear_history(home: Path) -> int:
    """Forget every question, and return how many there were."""
    count = len(read_history(home))
    storage.remove_file(home / FILE)
    return count


def _citation_json(citation: Citation) -> dict[str, Any]:
    return {
        "number": citation.number,
        "source": citation.source,
        "sha256": citation.sha256,
        "title": citation.title,
        "page": citation.page,
        "page_name": citation.page_name,
        "line": citation.line,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote[:_QUOTE],
    }


def _parsed(line: bytes) -> HistoryEntry | None:
    try:
        row = json.loads(line)
        citations = tuple(Citation(**each) for each in row.pop("citations"))
        return HistoryEntry(**{**row, "after": tuple(row["after"])}, citations=citations)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
