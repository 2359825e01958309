"""What can be asked of a collection, offered to somebody who does not know it: questions, recent documents, fields.

Questions are made of titles and headings by rule; no model is asked.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any

from sqlalchemy import func, select

from indexer.collection import Collection, DocumentEntry
from indexer.schema import documents
from rag.service.documents import Names

QUESTIONS = 3
RECENT = 5
MOST_LOOKED_AT = 40
"""Documents whose headings are looked at: the newest ones."""
MOST_FIELDS, MOST_VALUES = 20, 30
_GENERIC = re.compile(
    r"^(?:introduction|overview|summary|abstract|contents?|table of contents|index|references?|appendix|notes?"
    r"|copyright|licen[cs]e|acknowledge?ments?|preface|foreword|background|conclusions?|discussion|changelog|untitled|readme"
    r"|history|see also|further reading|sheet ?\d*|slide ?\d*|page ?\d*|chapter ?\d*|part ?\d*|section ?\d*)$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_HOW = re.compile(r"^(?:how to|to) (?=[a-z])", re.IGNORECASE)


def questions_to_try(collection: Collection, names: Names) -> list[str]:
    """Return up to three questions that the newest documents can be asked, of different sorts where there are some."""
    rows = _newest(collection)
    sorts = (
        (_from_heading(each) for row in rows for each in row["headings"][1:]),
        (_about(row["title"]) for row in rows if row["title"]),
        (
            _said_in(row["title"], each)
            for row in reversed(rows)
            for each in row["headings"][1:]
            if row["title"] != each
        ),
        (_about(row["title"] or names.name(row["source"], "")) for row in reversed(rows)),
        (_about(row["title"] or names.name(row["source"], "")) for row in rows),
    )
    asked: list[str] = []
    for questions in sorts:
        asked += [question for question in questions if question and question not in asked][:1]
    return asked[:QUESTIONS]


def recent(entries: Iterable[DocumentEntry]) -> list[DocumentEntry]:
    """Return the documents whose files changed last, the newest first; those without a date come last."""
    return sorted(entries, key=lambda each: (each.modified or "", each.source), reverse=True)[:RECENT]


def fields_of(entries: Sequence[DocumentEntry]) -> list[dict[str, Any]]:
    """Return the fields that a filter may name as `schemas.Field`, those of most documents first.

    A field whose values are nearly all different, such as an address or a hash, is left out: nobody chooses from it.
    """
    values: dict[str, Counter[str]] = {"format": Counter(each.format for each in entries)}
    for entry in entries:
        for key, value in entry.metadata.items():
            if re.fullmatch(r"[\w.-]+", key) and len(str(value)) <= 80:
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


def _newest(collection: Collection) -> list[dict[str, Any]]:
    """Return source, title and headings of the newest documents."""
    query = (
        select(documents.c.source, documents.c.title, documents.c.sections, func.substr(documents.c.text, 1, 100_000))
        .where(documents.c.format.not_in(["csv", "xlsx", "json", "code"]))
        .order_by(func.coalesce(documents.c.modified, "").desc(), documents.c.id)
        .limit(MOST_LOOKED_AT)
    )
    with collection.reading() as connection:
        rows = connection.execute(query).all()
    return [
        {"source": source, "title": title.strip(), "headings": _headings(json.loads(sections), text)}
        for source, title, sections, text in rows
    ]


def _headings(sections: Sequence[Sequence[Any]], text: str) -> list[str]:
    told = (
        text[start:end].strip("# \n") for start, end, kind, *_ in sections if kind == "heading" and end <= len(text)
    )
    return [each for each in told if _is_telling(each)][:30]


def _is_telling(heading: str) -> bool:
    """Tell whether a heading names a subject: a few words, and none that every document has."""
    words = heading.split()
    bare = re.sub(r"^[\d.]+\s+", "", heading)
    return 1 <= len(words) <= 8 and len(heading) <= 60 and bool(_WORD.search(bare)) and not _GENERIC.match(bare)


def _from_heading(heading: str) -> str:
    """Return the question that a heading is or answers: "How to mend a roof" asks how; "" for any other."""
    bare = re.sub(r"^[\d.]+\s+", "", heading)
    if bare.endswith("?") and bare.count(" ") >= 3:
        return bare
    begun = _HOW.match(bare)
    return f"How do I {_lower(bare[begun.end() :])}?" if begun else ""


def _about(title: str) -> str:
    bare = PurePath(title).stem if re.search(r"\.\w{2,5}$", title) else title
    return f"What is “{bare}” about?" if _WORD.search(bare) and len(bare) <= 80 else ""


def _said_in(title: str, heading: str) -> str:
    bare = re.sub(r"^[\d.]+\s+", "", heading)
    if not title or title == heading or len(title) > 60 or bare.endswith((".", "?", ":")):
        return ""
    return f"What does “{title}” say about {_lower(bare)}?"


def _lower(text: str) -> str:
    """Return the text with a small first letter, unless it is a name: capitals inside, or in its other words."""
    first, *others = text.split() or [""]
    is_name = any(letter.isupper() for letter in first[1:]) or any(word[:1].isupper() for word in others)
    return text if is_name else text[:1].lower() + text[1:]


def _are_dates(counts: Counter[str]) -> bool:
    return bool(counts) and all(re.match(r"\d{4}-\d\d(?:-\d\d|$)", value) for value in counts)
