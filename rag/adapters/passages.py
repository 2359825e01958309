"""What every framework is told of a passage: where it stands, in plain values that any of them can store."""

from __future__ import annotations

from rag.types import Passage


def passage_id(passage: Passage) -> str:
    """Return a name that the same text at the same place of the same bytes always has, and no other."""
    return f"{passage.sha256}:{passage.start}-{passage.end}"


def passage_metadata(passage: Passage) -> dict[str, str | int | float]:
    """Return what is known of a passage beside its text.

    `page`, `page_name` (of a sheet or slide) and `line` are missing where there is no such thing.

    `start` and `end` are half-open, in characters of the stored document; `sha256` is of the source's bytes.
    """
    known = {
        "source": passage.source,
        "title": passage.name,
        "context": passage.context,
        "page": passage.page,
        "page_name": passage.page_name or None,
        "line": passage.line,
        "start": passage.start,
        "end": passage.end,
        "sha256": passage.sha256,
        "score": passage.score,
    }
    return {name: value for name, value in known.items() if value is not None}
