"""What is stored of a document to find it by, made of its text: words as full-text search needs them, and names.

`writer.py` stores it, `doctor.py` compares it with what is stored and makes it again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from indexer.names import document_names, inner_words, name_rows, passage_names
from indexer.stems import languages_of
from indexer.words import stems_in

if TYPE_CHECKING:
    from sqlalchemy.engine import Row


def word_columns(passages: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return the columns `bigrams`, `language` and `stems` of the chunks of one document, given (context, text)."""
    seen = [f"{context} {text}" for context, text in passages]
    languages = languages_of([text for _, text in passages])
    return [
        {"bigrams": inner_words(each), "language": language, "stems": stems_in(each, language)}
        for each, language in zip(seen, languages, strict=True)
    ]


def names_of(document: Row[*tuple[Any, ...]], pieces: Sequence[Row[*tuple[Any, ...]]]) -> list[dict[str, object]]:
    """Return the rows of the table of names for a stored document and its chunks; none for one without chunks."""
    if not pieces:
        return []
    called = document_names(document.source, document.title, json.loads(document.metadata))
    by_chunk = {0: called} | {piece.id: passage_names(piece.text, piece.context) for piece in pieces}
    return name_rows(document.id, by_chunk)
