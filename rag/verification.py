"""Checking footnotes: read the sources again, and say which citations no longer hold.

A citation holds when its source's bytes are the very bytes that were indexed, and reading them again gives the quote at
its place. Nothing of the collection is trusted for that; only texts that never had a file are looked up in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from indexer.collection import Collection, document_from_row
from indexer.errors import Unreadable, UsageError, UserError
from indexer.schema import documents
from indexer.types import Document


@dataclass(frozen=True, slots=True)
class Check:
    """What became of one citation."""

    number: int
    source: str
    holds: bool
    reason: str
    """Why it does not hold; "" when it does."""


_FIELDS: Mapping[str, tuple[type, ...]] = {
    "number": (int,),
    "source": (str,),
    "sha256": (str,),
    "start": (int,),
    "end": (int,),
    "quote": (str,),
}


def verify(answer: Mapping[str, Any], home: str | os.PathLike[str] | None = None) -> list[Check]:
    """Check every citation of an answer in the form of `Answer.to_json`, in order.

    `home` is where collections lie, for texts without a file. Raises UsageError when `answer` has another form.
    """
    citations = answer.get("citations") if isinstance(answer, Mapping) else None
    if not isinstance(citations, list):
        raise UsageError("This is no answer: it lists no citations.", "Make one with: footnote ask QUESTION --json")
    for citation in citations:
        for name, types in _FIELDS.items():
            value = citation.get(name) if isinstance(citation, Mapping) else None
            if not isinstance(value, types) or isinstance(value, bool):
                raise UsageError(
                    f"A citation has {value!r} as its {name!r}, where a {types[0].__name__} should stand.",
                    "Give the JSON as footnote ask QUESTION --json printed it.",
                )
    collection = str(answer.get("collection", "default"))
    return _checks(citations, lambda source, sandbox: _read_again(source, sandbox, collection, home))


def verify_in(collection: Collection, answer: Mapping[str, Any]) -> list[Check]:
    """Check as `verify` does what somebody else asks about, and read nothing but what this collection was made of.

    A source is a file only where the collection read it from one; any other is looked up among its texts. Raises
    NotFound when there is no such collection.
    """
    return _checks(answer["citations"], lambda source, sandbox: _read_indexed(source, sandbox, collection))


def _checks(citations: Sequence[Mapping[str, Any]], read_source: Callable[[str, Any], Document | str]) -> list[Check]:
    from indexer.sandbox import Sandbox

    read: dict[str, Document | str] = {}
    checks = []
    with Sandbox(workers=1) as sandbox:
        for citation in citations:
            source = citation["source"]
            if source not in read:
                read[source] = read_source(source, sandbox)
            reason = _fault(citation, read[source])
            checks.append(Check(citation["number"], source, not reason, reason))
    return checks


def _read_again(source: str, sandbox: Any, collection: str, home: str | os.PathLike[str] | None) -> Document | str:
    """Return the source as it is read now, or the reason why it cannot be."""
    if not Path(source).is_absolute():
        return _given_text(source, collection, home)
    if not os.path.lexists(source):
        given = _given_text(source, collection, home)  # an id may look like a path
        return given if isinstance(given, Document) else "the file is gone"
    return _read_file(source, sandbox)


def _read_indexed(source: str, sandbox: Any, collection: Collection) -> Document | str:
    """Return the source as it is read now where the collection read it from a file, else its stored text."""
    with collection.reading() as connection:
        row = connection.execute(select(documents).where(documents.c.source == source)).one_or_none()
    if row is None:
        return f"it is not in collection {collection.name!r}"
    if row.origin != "file":
        return document_from_row(row)
    return _read_file(source, sandbox) if os.path.lexists(source) else "the file is gone"


def _read_file(source: str, sandbox: Any) -> Document | str:
    """Return the file as it is read now, or the reason why it cannot be."""
    from indexer.folders import read_file

    try:
        document: Document = sandbox.parse(source, read_file(Path(source)))
    except (Unreadable, OSError) as error:
        return f"the file cannot be read: {error}"
    return document


def _given_text(source: str, name: str, home: str | os.PathLike[str] | None) -> Document | str:
    """Return the text that was stored under the id `source`, or the reason why there is none."""
    try:
        collection = Collection(name, home)
        with collection.reading() as connection:
            given = select(documents).where(documents.c.source == source, documents.c.origin == "given")
            row = connection.execute(given).one_or_none()
    except UserError as error:
        return f"it has no file, and {error.message[0].lower()}{error.message[1:]}"
    return f"it has no file, and {source!r} is not in collection {name!r}." if row is None else document_from_row(row)


def _fault(citation: Mapping[str, Any], read: Document | str) -> str:
    if isinstance(read, str):
        return read
    quote = citation["quote"]
    still_there = quote in read.text
    if read.sha256 != citation["sha256"]:
        found = "the quote still occurs in it" if still_there else "the quote is no longer in it"
        return f"the source has changed since it was indexed; {found}"
    if not 0 <= citation["start"] <= citation["end"] <= len(read.text):
        return f"the span {citation['start']}-{citation['end']} lies outside the text of {len(read.text)} characters"
    said = read.text[citation["start"] : citation["end"]]
    if said == quote:
        return ""
    found = "elsewhere in the source" if still_there else "nowhere in the source"
    return f"the source says {_shortened(said)} at that place; the quote stands {found}"


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
