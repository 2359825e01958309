"""What is offered to somebody who does not know a collection: its recent documents, and fields to choose them by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from indexer.collection import DocumentEntry
from indexer.readers.fields import is_worth_telling

RECENT = 5
MOST_FIELDS, MOST_VALUES = 20, 30


def recent(entries: Iterable[DocumentEntry]) -> list[DocumentEntry]:
    """Return the documents whose files changed last, the newest first; those without a date come last."""
    return sorted(entries, key=lambda each: (each.modified or "", each.source), reverse=True)[:RECENT]


def fields_of(entries: Sequence[DocumentEntry]) -> list[dict[str, Any]]:
    """Return the fields that a filter may name as `schemas.Field`, those of most documents first.

    Left out is what only a program reads (layouts, positions, addresses, hashes), and a field whose values are nearly
    all different: nobody chooses from it.
    """
    values: dict[str, Counter[str]] = {"format": Counter(each.format for each in entries)}
    for entry in entries:
        for key, value in entry.metadata.items():
            if _is_offered(key, str(value), entry):
                values.setdefault(key, Counter())[str(value)] += 1
    dates = [each.modified[:10] for each in entries if each.modified]
    found = [
        {
            "key": key, "documents": counts.total(), "is_date": _are_dates(counts),
            "values": [{"value": value, "documents": count} for value, count in counts.most_common(MOST_VALUES)],
        }
        for key, counts in values.items()
        if _are_dates(counts) or len(counts) <= max(MOST_VALUES, counts.total() / 2)
    ]  # fmt: skip
    if dates:
        found.append({"key": "modified", "documents": len(dates), "is_date": True, "values": []})
    return sorted(found, key=lambda each: (-int(str(each["documents"])), str(each["key"])))[:MOST_FIELDS]


def _is_offered(key: str, value: str, entry: DocumentEntry) -> bool:
    """Tell whether a person may want to choose documents by a field; the day a file was made is its date already."""
    if not re.fullmatch(r"[\w.-]+", key) or len(value) > 80 or "://" in value:
        return False
    repeats_date = key != "date" and value == str(entry.metadata.get("date", ""))
    return not repeats_date and is_worth_telling(key, value, entry.format)


def _are_dates(counts: Counter[str]) -> bool:
    return bool(counts) and all(re.match(r"\d{4}-\d\d(?:-\d\d|$)", value) for value in counts)
