"""The beginnings of documents, for questions about a document as a whole: its fields, its lead, its outline.

A question for an author or a date is answered by the head of a document, which retrieval need not find.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from indexer.collection import Collection
from rag.answering.asked import Asked
from rag.question import stems
from rag.types import Passage

HEAD = 1400
"""Characters of a document that count as its head."""
HEADS = 2
"""Documents whose heads are read for one question."""
_FORMS = ("field", "overview")
_NAME_PARTS = re.compile(r"[^\W_]+")


def with_heads(collection: Collection, asked: Asked, passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages, and for a question about documents the heads of those that it names best, first."""
    if asked.form not in _FORMS or not passages:
        return list(passages)
    heads = [head(collection, passage) for passage in named_best(asked, passages)[:HEADS]]
    kept = [each for each in passages if not any(_within(each, first) for first in heads)]
    return [*heads, *(_behind(each, heads) for each in kept)]


def named_best(asked: Asked, passages: Sequence[Passage]) -> list[Passage]:
    """Return the best passage of each document, those first whose title or file name says most of the question."""
    firsts = list({passage.document_id: passage for passage in reversed(passages)}.values())[::-1]
    wanted = stems(asked.subject or asked.question)
    rank = {passage.document_id: place for place, passage in enumerate(passages[::-1])}
    return sorted(
        firsts, key=lambda each: (-len(wanted & name_stems(each)) / (len(wanted) or 1), -rank[each.document_id])
    )


def name_stems(passage: Passage) -> set[str]:
    """Return the stems of a document's title and file name."""
    name = PurePath(passage.source)
    parts = " ".join(_NAME_PARTS.findall(f"{name.parent.name} {name.stem}"))
    return stems(f"{passage.title} {parts}")


def head(collection: Collection, passage: Passage) -> Passage:
    """Return the head of the document that a passage is from, as a passage."""
    with collection.view() as view:
        text, sections = view.part(passage.document_id, 0, HEAD)
        names = view.page_names(passage.document_id, (part.page for part in sections))
    cut = (
        text
        if len(text) < HEAD
        else text[: max(*(text.rfind(end) + 1 for end in ("\n\n", ". ", ".\n")), HEAD // 2)].rstrip()
    )
    first = replace(passage, start=0, end=len(cut), text=cut, sections=sections, context=passage.title)
    page, line = first.place(0)
    return replace(first, page=page, line=line, page_names=names)


def _within(passage: Passage, first: Passage) -> bool:
    return passage.document_id == first.document_id and passage.end <= first.end


def _behind(passage: Passage, heads: Sequence[Passage]) -> Passage:
    """Return a passage without what a head already shows."""
    for first in heads:
        if passage.document_id == first.document_id and passage.start < first.end:
            cut = first.end - passage.start
            bare = passage.text[cut:]
            page, line = passage.place(cut)
            return replace(passage, start=first.end, text=bare, page=page, line=line)
    return passage
